package truss_test

import (
	"context"
	"strings"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/trusstest"
)

// TestNoDestination: what names nobody is an error, here and on another node.
func TestNoDestination(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		c.Connect(a, b)
		for _, to := range []any{
			truss.Name{}, truss.Name{Node: b.Name()}, truss.Name{Node: a.Name()}, "", etf.Atom(""), etf.Pid{}, etf.Ref{}, 1, nil,
		} {
			if err := a.Send(ctx, to, "x"); err == nil || !strings.Contains(err.Error(), "cannot send to") {
				t.Errorf("%#v: %v", to, err)
			}
		}
	})
}

// TestProcessOfAnotherNode: a *Process is a destination for every node of the program.
func TestProcessOfAnotherNode(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		c.Connect(a, b)
		got := make(chan truss.Message, 1)
		receiver := spawnProcess(t, b, func(ctx context.Context, p *truss.Process) error {
			m, err := p.Receive(ctx)
			got <- m
			return err
		})
		if err := a.Send(ctx, receiver, etf.Atom("hello")); err != nil {
			t.Fatal(err)
		}
		if m := await(t, ctx, got); m.Tag() != "hello" {
			t.Error(m)
		}
	})
}
