package truss_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/trusstest"
)

// TestAlias sends to aliases from the same node and from another one.
func TestAlias(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		for _, from := range []*truss.Node{a, b} {
			send := func(to any, msg string) {
				if err := from.Send(ctx, to, etf.Atom(msg)); err != nil {
					t.Error(err)
				}
				synctest.Wait()
			}
			var left etf.Ref
			asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
				lasting, once, first := p.Alias(), p.Alias(truss.AliasOnce), p.Alias(truss.AliasPriority)
				left = lasting
				send(lasting, "1")
				send(lasting, "2")
				send(once, "3")
				send(once, "lost")
				send(first, "4")                   // not sent with priority
				send(truss.Priority(lasting), "5") // not one of priority
				send(truss.Priority(first), "ahead")
				send(truss.Priority(first), "ahead too")
				for _, want := range []etf.Atom{"ahead", "ahead too", "1", "2", "3", "4", "5"} {
					if got := next(t, ctx, p); got != etf.Term(want) {
						t.Errorf("from %s: got %v, want %s", from.Name(), got, want)
					}
				}
				if p.Unalias(once) || !p.Unalias(first) || p.Unalias(first) || p.Unalias(a.NewRef()) {
					t.Error("Unalias does not tell what was an alias")
				}
				send(first, "late")
				if m := next(t, ctx, p); m != etf.Term(etf.Atom("nothing")) {
					t.Errorf("from %s: %v arrives at no alias", from.Name(), m)
				}
			})
			send(left, "to a dead process")
		}
	})
}

// TestAliasOfAnother: only its owner can end an alias.
func TestAliasOfAnother(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a := c.Start("a")
		asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
			alias := p.Alias()
			asProcess(t, ctx, a, func(_ context.Context, q *truss.Process) {
				if q.Unalias(alias) {
					t.Error("an alias of another process was ended")
				}
			})
			if err := a.Send(ctx, alias, 1); err != nil {
				t.Error(err)
			}
			if got := next(t, ctx, p); got != etf.Term(int64(1)) {
				t.Errorf("got %v", got)
			}
		})
	})
}

// TestPriorityWakes: a process that waits for something else in a mailbox it has
// looked through sees what comes ahead of it.
func TestPriorityWakes(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a := c.Start("a")
		asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
			alias := p.Alias(truss.AliasPriority)
			for i := range 3 {
				_ = a.Send(ctx, p, i)
			}
			time.AfterFunc(time.Second, func() { _ = a.Send(ctx, truss.Priority(alias), etf.Atom("stop")) })
			if _, err := p.ReceiveMatch(ctx, func(m truss.Message) bool { return m.Tag() == "stop" }); err != nil {
				t.Error(err)
			}
			for i := range int64(3) {
				if got := next(t, ctx, p); got != etf.Term(i) {
					t.Errorf("got %v, want %d", got, i)
				}
			}
		})
	})
}

// dawdler replies to a call only after its caller has given up.
type dawdler struct{ late chan error }

func (d dawdler) HandleCall(ctx context.Context, from truss.From, _ truss.Message) (any, error) {
	go func() {
		time.Sleep(time.Minute)
		d.late <- from.Reply(ctx, etf.Atom("late"))
	}()
	return nil, truss.ErrNoReply
}

// TestLateReply: the reply to a call that was given up reaches no mailbox, also when
// the connection has been lost and made anew meanwhile.
func TestLateReply(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		d := dawdler{late: make(chan error, 1)}
		if _, err := b.Serve("dawdler", d); err != nil {
			t.Fatal(err)
		}
		for _, reconnect := range []bool{false, true} {
			asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
				short, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				err := p.Call(short, truss.Name{Name: "dawdler", Node: b.Name()}, etf.Atom("hurry"), nil)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("the call: %v", err)
				}
				if reconnect {
					if err := errors.Join(a.Disconnect(ctx, b.Name()), a.Connect(ctx, b.Name())); err != nil {
						t.Error(err)
					}
				}
				if err := await(t, ctx, d.late); err != nil {
					t.Error("the late reply:", err)
				}
				if m := next(t, ctx, p); m != etf.Term(etf.Atom("nothing")) {
					t.Errorf("a late reply arrives: %v", m)
				}
			})
		}
	})
}

// TestReplyCallsNobodyBack: a reply to a caller whose node is gone does not connect.
func TestReplyCallsNobodyBack(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		d := dawdler{late: make(chan error, 1)}
		if _, err := b.Serve("dawdler", d); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, func() { _ = a.Disconnect(ctx, b.Name()) })
		if err := a.Call(ctx, truss.Name{Name: "dawdler", Node: b.Name()}, 1, nil); !errors.Is(err, truss.ErrNoConnection) {
			t.Error("the call:", err)
		}
		if err := await(t, ctx, d.late); !errors.Is(err, truss.ErrNoConnection) {
			t.Error("the reply:", err)
		}
		if len(b.Nodes()) != 0 {
			t.Error("a reply has connected")
		}
	})
}

// TestMailboxLimitOfProcess: beyond its limit a mailbox still takes the reply that
// its process waits for, and what the runtime tells it.
func TestMailboxLimitOfProcess(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		if _, err := b.Serve("echo", echo{}); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		p, err := a.Spawn(func(ctx context.Context, p *truss.Process) error {
			defer close(done)
			time.Sleep(time.Minute) // till the mailbox is full
			reply, err := truss.Call[string](ctx, p, truss.Name{Name: "echo", Node: b.Name()}, "here")
			if err != nil || reply != "here" {
				t.Errorf("a call with a full mailbox: %q, %v", reply, err)
			}
			if _, err := p.Monitor(ctx, truss.Name{Name: "nobody", Node: b.Name()}); err != nil {
				t.Error(err)
			}
			if _, err := p.ReceiveMatch(ctx, func(m truss.Message) bool {
				term, _ := m.Term()
				_, down := term.(truss.Down)
				return down
			}); err != nil {
				t.Error(err)
			}
			if waiting, dropped := p.MailboxLoad(); waiting != 10 || dropped != 90 {
				t.Errorf("%d messages wait, %d were dropped; want 10 and 90", waiting, dropped)
			}
			return nil
		}, truss.MailboxLimit(10))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			if err := b.Send(ctx, p.PID(), i); err != nil {
				t.Fatal(err)
			}
		}
		await(t, ctx, done)
	})
}
