package truss_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/trusstest"
)

// TestVisit: code that is no process monitors one and receives its Down.
func TestVisit(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		exportJobs(t, b)
		c.Connect(a, b)
		var visitor etf.Pid
		err := a.Visit(func(p *truss.Process) error {
			visitor = p.PID()
			child, err := p.SpawnRemote(ctx, truss.SpawnRequest{Node: b.Name(), Module: "jobs", Function: "leave", Args: []any{"why"}, Monitor: true})
			if err != nil {
				return err
			}
			m, err := p.ReceiveMatch(ctx, func(m truss.Message) bool { return m.Signal() != nil })
			if err != nil {
				return err
			}
			if down, ok := m.Signal().(truss.Down); !ok || down.Ref != child.Ref {
				t.Errorf("%v", m)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		// Afterwards the visitor is no process any more.
		if down := downOf(t, ctx, a, visitor); down.Reason != etf.Term(etf.Atom("noproc")) {
			t.Errorf("%v", down)
		}
		// A node that closes ends the wait of those that are there.
		done := make(chan error, 1)
		go func() {
			done <- a.Visit(func(p *truss.Process) error {
				_, err := p.Receive(ctx)
				return err
			})
		}()
		time.Sleep(time.Second)
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		var exit *truss.ExitError
		if err := <-done; !errors.As(err, &exit) {
			t.Errorf("%v", err)
		}
		if err := a.Visit(func(*truss.Process) error { return nil }); !errors.Is(err, truss.ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}

func downOf(t *testing.T, ctx context.Context, n *truss.Node, pid etf.Pid) (down truss.Down) {
	t.Helper()
	err := n.Visit(func(p *truss.Process) error {
		if _, err := p.Monitor(ctx, pid); err != nil {
			return err
		}
		m, err := p.Receive(ctx)
		down, _ = m.Signal().(truss.Down)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return down
}

// TestNotSent: which failures to start a process leave no doubt.
func TestNotSent(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		exportJobs(t, b)
		c.Connect(a, b)
		ask := func(node string, change func(*truss.SpawnRequest)) error {
			r := truss.SpawnRequest{Node: node, Module: "jobs", Function: "wait"}
			if change != nil {
				change(&r)
			}
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err := a.SpawnRemote(ctx, r)
			return err
		}
		if err := ask(b.Name(), nil); err != nil || truss.NotSent(err) {
			t.Errorf("%v", err)
		}
		for what, err := range map[string]error{
			"an unknown node":             ask("nobody@10.0.0.9", nil),
			"an option it does not know":  ask(b.Name(), func(r *truss.SpawnRequest) { r.Options = etf.List{etf.Atom("nonsense")} }),
			"an argument that is no term": ask(b.Name(), func(r *truss.SpawnRequest) { r.Args = []any{make(chan int)} }),
		} {
			if err == nil || !truss.NotSent(err) {
				t.Errorf("%s: %v", what, err)
			}
		}
		c.Partition("a")
		if err := ask(b.Name(), nil); err == nil || truss.NotSent(err) {
			t.Errorf("no answer: %v", err)
		}
		// Without a reply there is nothing to wait for.
		begin := time.Now()
		if err := ask(b.Name(), func(r *truss.SpawnRequest) { r.NoReply = true }); err != nil || time.Since(begin) != 0 {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		c.Heal()
	})
}
