package truss_test

import (
	"context"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/trusstest"
)

// TestMessageSentOnIsNotEncoded: a Message costs the same to send however large
// it is, and nothing to allocate.
func TestMessageSentOnIsNotEncoded(t *testing.T) {
	c := trusstest.New(t)
	n := c.Start("a")
	received := make(chan truss.Message, 1)
	to, err := n.Spawn(func(ctx context.Context, p *truss.Process) error {
		for {
			m, err := p.Receive(ctx)
			if err != nil {
				return err
			}
			received <- m
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := truss.NewMessage(make([]byte, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	var message any = m
	allocs := testing.AllocsPerRun(1000, func() {
		if err := n.Send(t.Context(), to, message); err != nil {
			t.Fatal(err)
		}
		<-received
	})
	if allocs >= 1 {
		t.Errorf("sending a Message to a process of this node allocates %v times, want 0", allocs)
	}
}
