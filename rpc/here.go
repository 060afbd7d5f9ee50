package rpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// here calls a function of the node itself. As in erpc:call/5, one that may take for
// ever runs in the calling goroutine, and another in a process that goes on when
// the caller's time is up.
func (c call) here(ctx context.Context, p *truss.Process, result any) error {
	if ctx.Done() == nil {
		value, err := p.Apply(ctx, c.module, c.function, etf.List(c.args))
		return c.local(value, err, result)
	}
	type outcome struct {
		value any
		err   error
	}
	done := make(chan outcome, 1)
	_, err := p.Node().Spawn(func(ctx context.Context, q *truss.Process) error {
		o := outcome{err: &truss.ExitError{Reason: etf.Atom("killed")}} // if Apply does not return: runtime.Goexit
		defer func() { done <- o }()
		o.value, o.err = q.Apply(ctx, c.module, c.function, etf.List(c.args))
		return nil
	})
	if err != nil {
		return c.failed(err, true)
	}
	select {
	case o := <-done:
		return c.local(o.value, o.err, result)
	case <-ctx.Done():
		return c.failed(fmt.Errorf("no result yet: %w", context.Cause(ctx)), false)
	case <-p.Context().Done():
		return c.failed(context.Cause(p.Context()), false)
	}
}

// local is what Apply gave as another node would have told it.
func (c call) local(value any, err error, result any) error {
	var failed *truss.Exception
	var exit *truss.ExitError
	switch {
	case err == nil:
		return c.decode(value, result)
	case errors.As(err, &failed):
		reason, stack := asTerm(failed.Reason), failed.Stack
		if failed.Class != truss.ClassError {
			stack = nil
		}
		return c.remote(failed.Class, reason, stack, false)
	case errors.As(err, &exit):
		return c.remote(truss.ClassExit, exit.Reason, nil, true)
	}
	return c.failed(err, false)
}

// asTerm makes a reason of Go values the term that it is on another node.
func asTerm(v any) etf.Term {
	m, err := truss.NewMessage(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	term, err := m.Term()
	if err != nil {
		return fmt.Sprint(v)
	}
	return term
}
