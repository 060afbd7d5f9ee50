package truss_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/trusstest"
)

// TestNothingAfterTheEnd kills a process that waits to send, its peer being slow:
// its DOWN is the last that anybody gets of it, as of any process in Erlang.
func TestNothingAfterTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a := c.Start("a", func(config *truss.Config) { config.SendBuffer = 32 << 10 })
		b := c.Start("b")
		c.Connect(a, b)
		watched, begin := make(chan etf.Pid, 1), make(chan etf.Pid, 1)
		sent := 0
		sender := spawnProcess(t, a, func(ctx context.Context, p *truss.Process) error {
			to := <-begin
			for {
				// Not its own ctx: as an Erlang process it cannot know that it has ended.
				if err := p.Send(context.WithoutCancel(ctx), to, make([]byte, 4<<10)); err != nil {
					return err
				}
				sent++
			}
		})
		var got []etf.Term
		spawnProcess(t, b, func(ctx context.Context, p *truss.Process) error {
			if _, err := p.Monitor(ctx, sender.PID()); err != nil {
				return err
			}
			watched <- p.PID()
			for {
				m, err := p.Receive(ctx)
				if err != nil {
					return err
				}
				term, err := m.Term()
				if err != nil {
					return err
				}
				got = append(got, term)
			}
		})
		watcher := await(t, ctx, watched)
		synctest.Wait()
		c.Partition("a")
		begin <- watcher
		synctest.Wait()
		killer := spawnProcess(t, a, func(ctx context.Context, p *truss.Process) error {
			return p.Exit(ctx, sender.PID(), etf.Atom("kill"))
		})
		<-killer.Context().Done()
		synctest.Wait()
		c.Heal()
		synctest.Wait()
		if len(got) != sent+1 {
			t.Errorf("%d messages were sent and %d arrived, with the Down", sent, len(got))
		}
		if down, ok := got[len(got)-1].(truss.Down); !ok || down.Reason != etf.Term(etf.Atom("killed")) {
			t.Errorf("something came after the end: the last of %d is a %T", len(got), got[len(got)-1])
		}
	})
}

// TestTheDeadDoNothing: what a process's function still does after the process was
// ended from outside reaches nobody.
func TestTheDeadDoNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		c.Connect(a, b)
		idle := func(ctx context.Context, p *truss.Process) error { <-ctx.Done(); return nil }
		here, there := spawnProcess(t, a, idle), spawnProcess(t, b, idle)
		dead := spawnProcess(t, a, func(ctx context.Context, p *truss.Process) error {
			if err := p.Exit(ctx, p.PID(), etf.Atom("kill")); err != nil {
				return err
			}
			ctx = context.WithoutCancel(ctx)
			for _, q := range []*truss.Process{here, there} {
				if p.Exit(ctx, q.PID(), etf.Atom("boom")) == nil || p.Link(ctx, q.PID()) == nil || p.Send(ctx, q.PID(), 1) == nil {
					t.Error("the dead can act on", q.PID())
				}
			}
			return nil
		})
		<-dead.Context().Done()
		synctest.Wait()
		for _, q := range []*truss.Process{here, there} {
			if q.Context().Err() != nil {
				t.Errorf("%v was ended: %v", q.PID(), context.Cause(q.Context()))
			}
		}
	})
}

func spawnProcess(t *testing.T, n *truss.Node, fn truss.ProcessFunc) *truss.Process {
	t.Helper()
	p, err := n.Spawn(fn)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
