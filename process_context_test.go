package truss

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// TestContextMadeWhileItEnds: whoever asks for a process's context, before its end, at it
// or after it, finds it done, for the reason it ended for.
func TestContextMadeWhileItEnds(t *testing.T) {
	n, err := Start(t.Context(), Config{Name: "a@127.0.0.1", Cookie: "secret", NoListen: true, Hidden: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for range 300 {
		p, err := n.Spawn(func(ctx context.Context, p *Process) error {
			_, err := p.Receive(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if p.context.Load() != nil || p.mailbox.queues.Load() != nil {
			t.Fatal("an idle process has a context or queues of its own")
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				derived, cancel := context.WithCancel(p.Context())
				defer cancel()
				<-derived.Done()
				var exit *ExitError
				if errors.As(context.Cause(derived), &exit); exit == nil || exit.Reason != etf.Term(etf.Atom("over")) {
					t.Errorf("the context ends with %v", context.Cause(derived))
				}
				if p.Context().Err() == nil {
					t.Error("it is done and has no error")
				}
			})
		}
		p.terminate(etf.Atom("over"))
		all.Wait()
	}
}
