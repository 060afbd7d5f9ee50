package truss_test

import (
	"context"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// BenchmarkSpawnRemote is what an erpc costs: a function started with a monitor, on
// another node over loopback TCP or on the own one, until its end has been noticed.
func BenchmarkSpawnRemote(b *testing.B) {
	x, y := benchNodes(b)
	for _, n := range []*truss.Node{x, y} {
		if err := n.Export("jobs", jobs{}); err != nil {
			b.Fatal(err)
		}
	}
	for name, node := range map[string]string{"remote": y.Name(), "local": x.Name()} {
		b.Run(name, func(b *testing.B) {
			r := truss.SpawnRequest{Node: node, Module: "jobs", Function: "add", Args: []any{1, 2}, Monitor: true}
			done := make(chan error, 1)
			_, err := x.Spawn(func(ctx context.Context, p *truss.Process) error {
				for b.Loop() {
					_, err := p.SpawnRemote(ctx, r)
					if err == nil {
						_, err = p.Receive(ctx)
					}
					if err != nil {
						done <- err
						return nil
					}
				}
				done <- nil
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkApply is the call itself: arguments decoded, the Go function called by
// reflection.
func BenchmarkApply(b *testing.B) {
	x, _ := benchNodes(b)
	if err := x.Export("jobs", jobs{}); err != nil {
		b.Fatal(err)
	}
	p, err := x.Spawn(func(ctx context.Context, p *truss.Process) error {
		<-ctx.Done()
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	args := etf.List{1, 2}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Apply(b.Context(), "jobs", "add", args); err != nil {
			b.Fatal(err)
		}
	}
}
