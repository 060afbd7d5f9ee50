package cli

import (
	"context"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// echo gives back what it gets: a call of T replies T, and a message {Pid, T}
// sends T to Pid.
type echo struct{ node *truss.Node }

func (echo) HandleCall(_ context.Context, _ truss.From, request truss.Message) (any, error) {
	return request.Term()
}

func (e echo) HandleInfo(ctx context.Context, message truss.Message) error {
	term, err := message.Term()
	if err != nil {
		return nil // whoever sends what cannot be read does not end an echo
	}
	if tuple, ok := term.(etf.Tuple); ok && len(tuple) == 2 {
		if pid, ok := tuple[0].(etf.Pid); ok {
			_ = e.node.Send(ctx, pid, tuple[1]) // whoever asked may be gone
		}
	}
	return nil
}
