package truss_test

import (
	"context"
	"errors"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/trusstest"
)

// TestSpawnNoReplyMonitor: who does not wait for the answer learns from one Down what
// came of the request, be it the end of the process, a refusal, or the loss of the node.
func TestSpawnNoReplyMonitor(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		exportJobs(t, a, b)
		asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
			spawn := func(on, function string, args []any, options ...etf.Term) truss.Child {
				child, err := p.SpawnRemote(ctx, truss.SpawnRequest{
					Node: on, Module: "jobs", Function: function, Args: args, Monitor: true, NoReply: true, Options: options,
				})
				if err != nil {
					t.Errorf("%s: %v", function, err)
				}
				return child
			}
			down := func(what string, ref etf.Ref) truss.Down {
				m, err := p.Receive(ctx) // the loss takes a tick time to be noticed
				if err != nil {
					t.Fatal(err)
				}
				down, ok := m.Signal().(truss.Down)
				if !ok || down.Ref != ref {
					t.Errorf("%s: %+v", what, down)
				}
				return down
			}
			for _, on := range []string{a.Name(), b.Name()} {
				child := spawn(on, "leave", []any{etf.Atom("done")})
				d := down("its end", child.Ref)
				if pid, ok := d.Object.(etf.Pid); !ok || string(pid.Node) != on || d.Reason != etf.Term(etf.Atom("done")) {
					t.Errorf("%+v", d)
				}
			}

			child := spawn(b.Name(), "wait", nil, etf.Atom("nonsense"))
			var refused *truss.SpawnError
			if err, _ := down("a refusal", child.Ref).Reason.(error); !errors.As(err, &refused) || refused.Reason != "badopt" || refused.Node != b.Name() {
				t.Errorf("a refusal: %v", err)
			}

			child = spawn(b.Name(), "wait", nil)
			c.Partition("a")
			if d := down("the loss", child.Ref); d.Reason != etf.Term(etf.Atom("noconnection")) {
				t.Errorf("%+v", d)
			}
			if m := next(t, ctx, p); m != etf.Term(etf.Atom("nothing")) {
				t.Errorf("a second signal: %v", m)
			}
			c.Heal()
		})
	})
}

// TestSpawnNoReplyDemonitor: a monitor given up before its process is known leaves
// nothing behind at either end, and the process lives on.
func TestSpawnNoReplyDemonitor(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		exportJobs(t, b)
		asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
			child, err := p.SpawnRemote(ctx, truss.SpawnRequest{
				Node: b.Name(), Module: "jobs", Function: "leave", Args: []any{etf.Atom("done")}, Monitor: true, NoReply: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			p.Demonitor(child.Ref)
			if m := next(t, ctx, p); m != etf.Term(etf.Atom("nothing")) {
				t.Errorf("%v", m)
			}
		})
	})
}

// TestSpawnNoReplyLink: without the answer there is nothing to be linked to.
func TestSpawnNoReplyLink(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
			_, err := p.SpawnRemote(ctx, truss.SpawnRequest{Node: b.Name(), Module: "jobs", Function: "wait", Link: true, NoReply: true})
			if err == nil || !truss.NotSent(err) {
				t.Error(err)
			}
		})
	})
}
