package rpc_test

import (
	"context"
	"log/slog"
	"net"
	"runtime"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/rpc"
)

// twoNodes starts two nodes connected over loopback TCP, the second with calc.
func twoNodes(b testing.TB) (x, y *truss.Node) {
	b.Helper()
	probe, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		b.Skip("needs 127.0.0.2:", err)
	}
	port := probe.Addr().(*net.TCPAddr).Port
	probe.Close()
	start := func(host string) *truss.Node {
		n, err := truss.Start(b.Context(), truss.Config{
			Name: "bench@" + host, Cookie: "bench", Listen: host, Port: port, Epmd: "none", Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { n.Close() })
		return n
	}
	x, y = start("127.0.0.1"), start("127.0.0.2")
	if err := rpc.Start(y); err != nil {
		b.Fatal(err)
	}
	if err := y.Export("calc", calc{}); err != nil {
		b.Fatal(err)
	}
	if err := x.Connect(b.Context(), y.Name()); err != nil {
		b.Fatal(err)
	}
	return x, y
}

func add(b *testing.B, ctx context.Context, x, y *truss.Node) {
	if _, err := rpc.Call[int](ctx, x, y.Name(), "calc", "add", 1, 2); err != nil {
		b.Error(err)
	}
}

// BenchmarkCall is one caller, one call after the other.
func BenchmarkCall(b *testing.B) {
	x, y := twoNodes(b)
	b.ReportAllocs()
	for b.Loop() {
		add(b, b.Context(), x, y)
	}
}

// BenchmarkCallParallel is 64 callers at once.
func BenchmarkCallParallel(b *testing.B) {
	x, y := twoNodes(b)
	b.ReportAllocs()
	b.SetParallelism(64 / runtime.GOMAXPROCS(0))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			add(b, b.Context(), x, y)
		}
	})
}
