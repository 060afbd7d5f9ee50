package truss_test

import (
	"context"
	"log/slog"
	"runtime"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/trusstest"
)

func memory() (bytes uint64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// BenchmarkIdleProcess reports what a process that waits for a message costs,
// goroutine included.
func BenchmarkIdleProcess(b *testing.B) {
	n, err := truss.Start(b.Context(), truss.Config{
		Name: "a@127.0.0.1", Cookie: "c", Hidden: true, NoListen: true, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	const processes = 10_000
	for b.Loop() {
		before := memory()
		var all []*truss.Process
		for range processes {
			p, err := n.Spawn(func(ctx context.Context, p *truss.Process) error {
				_, err := p.Receive(ctx)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, p)
		}
		b.ReportMetric(float64(memory()-before)/processes, "B/process")
		for _, p := range all {
			if err := n.Send(b.Context(), p, 1); err != nil {
				b.Fatal(err)
			}
			<-p.Context().Done()
		}
	}
}

// BenchmarkIdleConnection reports what a connection that only ticks costs one
// node, the in-memory network's share included.
func BenchmarkIdleConnection(b *testing.B) {
	const nodes = 100
	for b.Loop() {
		c := trusstest.New(b)
		hub := c.Start("hub")
		var others []*truss.Node
		for i := range nodes {
			others = append(others, c.Start(string(rune('a'+i%26))+string(rune('a'+i/26))))
		}
		before := memory()
		for _, other := range others {
			c.Connect(hub, other)
		}
		b.ReportMetric(float64(memory()-before)/nodes/2, "B/end")
		for _, n := range append(others, hub) {
			n.Close()
		}
	}
}
