package cli

import (
	"context"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// echo gives back what it gets: a call of T replies T, and a message {Pid, T}
// sends T to Pid.
type echo struct{ node *truss.Node }

func (echo) HandleCall(_ context.Context, _ truss.From, request etf.Term) (any, error) {
	return request, nil
}

func (e echo) HandleInfo(ctx context.Context, message etf.Term) error {
	if tuple, ok := message.(etf.Tuple); ok && len(tuple) == 2 {
		if pid, ok := tuple[0].(etf.Pid); ok {
			// Whoever asked may be gone, and that is no reason to end.
			_ = e.node.Send(ctx, pid, tuple[1])
		}
	}
	return nil
}
