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
	return request, nil
}

func (e echo) HandleInfo(ctx context.Context, message truss.Message) error {
	var letter struct {
		_    struct{} `etf:",tuple"`
		From etf.Pid
		Term etf.Term
	}
	if message.Unmarshal(&letter) == nil {
		// Whoever asked may be gone, and that is no reason to end.
		_ = e.node.Send(ctx, letter.From, letter.Term)
	}
	return nil
}
