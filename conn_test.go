package truss

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/truss-beam/truss/internal/simnet"
)

// startTwo starts two nodes on a simulated network.
func startTwo(t *testing.T) (a, b *Node) {
	t.Helper()
	network := simnet.New(simnet.Options{})
	start := func(name, addr string) *Node {
		n, err := Start(t.Context(), Config{
			Name: name + "@" + addr, Cookie: "c", Network: network.Host(addr), Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Close() })
		return n
	}
	return start("a", "10.0.0.1"), start("b", "10.0.0.2")
}

// TestRelatedForgotten: a connection keeps nothing of processes that have ended,
// such as those that stand for the time of a call.
func TestRelatedForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := startTwo(t)
		for range 100 {
			if err := a.Ping(t.Context(), b.name); err != nil {
				t.Fatal(err)
			}
			ended, err := a.Spawn(func(ctx context.Context, p *Process) error {
				if _, err := p.Monitor(ctx, Name{"net_kernel", b.name}); err != nil {
					return err
				}
				return p.Link(ctx, b.caller.pid)
			})
			if err != nil {
				t.Fatal(err)
			}
			<-ended.Context().Done()
		}
		synctest.Wait()
		for _, n := range []*Node{a, b} {
			for _, c := range n.peers.live() {
				c.mu.Lock()
				if len(c.related) > 2 {
					t.Errorf("%s: the connection remembers %d processes", n.name, len(c.related))
				}
				c.mu.Unlock()
			}
		}
	})
}
