package truss_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// benchNodes starts two nodes connected over loopback TCP, without epmd.
func benchNodes(b testing.TB, change ...func(*truss.Config)) (x, y *truss.Node) {
	b.Helper()
	probe, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		b.Skip("needs 127.0.0.2:", err)
	}
	port := probe.Addr().(*net.TCPAddr).Port
	probe.Close()
	start := func(host string) *truss.Node {
		config := truss.Config{
			Name: "bench@" + host, Cookie: "bench", Listen: host, Port: port, Epmd: "none", Logger: slog.New(slog.DiscardHandler),
		}
		for _, c := range change {
			c(&config)
		}
		n, err := truss.Start(b.Context(), config)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { n.Close() })
		return n
	}
	x, y = start("127.0.0.1"), start("127.0.0.2")
	if err := x.Connect(b.Context(), y.Name()); err != nil {
		b.Fatal(err)
	}
	return x, y
}

// BenchmarkSend is one process sending to one on another node: the time is that
// until the last has been received.
func BenchmarkSend(b *testing.B) {
	for _, size := range []int{64, 1 << 10, 64 << 10, 1 << 20} {
		b.Run(sizeName(size), func(b *testing.B) { benchSend(b, etf.Tuple{etf.Atom("hello"), make([]byte, size)}, size) })
	}
}

func sizeName(size int) string {
	if size >= 1<<20 {
		return "1MB"
	}
	if size >= 64<<10 {
		return "64KB"
	}
	if size >= 1<<10 {
		return "1KB"
	}
	return "64B"
}

func benchSend(b *testing.B, message etf.Term, size int) {
	x, y := benchNodes(b)
	done := make(chan error, 1)
	receiver, err := y.Spawn(func(ctx context.Context, p *truss.Process) error {
		for range b.N {
			if _, err := p.Receive(ctx); err != nil {
				done <- err
				return err
			}
		}
		done <- nil
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := x.Spawn(func(ctx context.Context, p *truss.Process) error {
		to := any(receiver.PID())
		for range b.N {
			if err := p.Send(ctx, to, message); err != nil {
				done <- err
				return err
			}
		}
		<-ctx.Done()
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRoundTrip is a message to a process on another node and back.
func BenchmarkRoundTrip(b *testing.B) {
	x, y := benchNodes(b)
	mirror, err := y.Spawn(func(ctx context.Context, p *truss.Process) error {
		for {
			m, err := p.Receive(ctx)
			if err != nil {
				return err
			}
			var from etf.Pid
			if err := m.Unmarshal(&from); err != nil {
				return err
			}
			if err := p.Send(ctx, from, etf.Atom("pong")); err != nil {
				return err
			}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := x.Spawn(func(ctx context.Context, p *truss.Process) error {
		for range b.N {
			if err := p.Send(ctx, mirror.PID(), p.PID()); err != nil {
				done <- err
				return err
			}
			if _, err := p.Receive(ctx); err != nil {
				done <- err
				return err
			}
		}
		done <- nil
		<-ctx.Done()
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCall is a gen_server call to another node, by callers that are no
// processes.
func BenchmarkCall(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			x, y := benchNodes(b)
			if _, err := y.Serve("echo", echo{}); err != nil {
				b.Fatal(err)
			}
			to := truss.Name{Name: "echo", Node: y.Name()}
			b.ReportAllocs()
			b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0)))
			if callers == 1 {
				for b.Loop() {
					call(b, x, to)
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					call(b, x, to)
				}
			})
		})
	}
}

func call(b *testing.B, from truss.Caller, to truss.Name) {
	if _, err := truss.Call[int](b.Context(), from, to, 42); err != nil {
		b.Error(err)
	}
}
