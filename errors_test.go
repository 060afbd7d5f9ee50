package truss_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/trusstest"
)

// TestReasonsAreTerms: a watcher on the same node gets the same reason as one on
// another, whatever Go values it was made of.
func TestReasonsAreTerms(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		for _, test := range []struct {
			ends error
			want etf.Term
		}{
			{nil, etf.Atom("normal")},
			{errors.New("it broke"), []byte("it broke")},
			{&truss.ExitError{Reason: etf.Tuple{etf.Atom("shutdown"), 1, "text"}}, etf.Tuple{etf.Atom("shutdown"), int64(1), []byte("text")}},
			{&truss.ExitError{Reason: make(chan int)}, nil}, // says what it could not encode
		} {
			begin := make(chan struct{})
			p, err := a.Spawn(func(context.Context, *truss.Process) error { <-begin; return test.ends })
			if err != nil {
				t.Fatal(err)
			}
			reasons := make(chan etf.Term, 2)
			ready := make(chan struct{}, 2)
			for _, n := range []*truss.Node{a, b} {
				if _, err := n.Spawn(func(ctx context.Context, watcher *truss.Process) error {
					if _, err := watcher.Monitor(ctx, p.PID()); err != nil {
						return err
					}
					ready <- struct{}{}
					m, err := watcher.Receive(ctx)
					if err != nil {
						return err
					}
					down, _ := m.Term()
					reasons <- down.(truss.Down).Reason
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				await(t, ctx, ready)
			}
			if err := a.Ping(ctx, b.Name()); err != nil { // b's monitor has arrived
				t.Fatal(err)
			}
			close(begin)
			one, other := await(t, ctx, reasons), await(t, ctx, reasons)
			if !sameTerm(one, other) || test.want != nil && !sameTerm(one, test.want) {
				t.Errorf("%v: one watcher got %#v, the other %#v, want %#v", test.ends, one, other, test.want)
			}
		}
	})
}

// sameTerm is Equal without its tolerance for Go values that encode alike.
func sameTerm(a, b etf.Term) bool {
	_, text := a.(string)
	return etf.Equal(a, b) && !text
}

// TestGoexit: a process function that leaves by runtime.Goexit, as one that calls a
// test's FailNow does, has ended like any other.
func TestGoexit(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		p, err := c.Start("a").Spawn(func(context.Context, *truss.Process) error {
			runtime.Goexit()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		await(t, ctx, p.Context().Done())
		var exit *truss.ExitError
		if cause := context.Cause(p.Context()); !errors.As(cause, &exit) || !sameTerm(exit.Reason, []byte("runtime.Goexit was called")) {
			t.Error(cause)
		}
	})
}
