package rpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// Caller is who calls: a process from its own goroutine, or a node on behalf of a
// process that exists for the time of the call.
type Caller interface{ *truss.Node | *truss.Process }

// Call calls a function on a node, from's own included, and returns its result as a
// T: etf.Term for whatever it is, or any type that etf.Unmarshal can fill. It is
// erpc:call/5. The name of an Elixir module is "Elixir.MyApp.Calc".
//
// Errors are a *RemoteError, truss.ErrNoConnection, errors.ErrUnsupported (the peer
// runs no functions for others), ctx's, or that the result is no T.
func Call[T any, C Caller](ctx context.Context, from C, node, module, function string, args ...any) (T, error) {
	var result T
	err := perform(from, func(p *truss.Process) error {
		return call{node, module, function, args}.run(ctx, p, &result)
	})
	return result, err
}

// Cast has a node call a function, and does not wait for it: erpc:cast/4. What
// becomes of it is not told; the error is only that nothing could be sent.
func Cast[C Caller](ctx context.Context, from C, node, module, function string, args ...any) error {
	c := call{node, module, function, args}
	return perform(from, func(p *truss.Process) error {
		_, err := p.SpawnRemote(ctx, truss.SpawnRequest{
			Node: node, Module: "erpc", Function: "execute_cast", Args: c.mfa(), NoReply: true,
		})
		if err != nil {
			return c.failed(refused(err), truss.NotSent(err))
		}
		return nil
	})
}

func perform[C Caller](from C, do func(p *truss.Process) error) error {
	switch from := any(from).(type) {
	case *truss.Process:
		return do(from)
	case *truss.Node:
		return from.Visit(do)
	}
	panic("unreachable: Caller has two types")
}

// call is a function to be called on a node.
type call struct {
	node, module, function string
	args                   []any
}

func (c call) mfa() []any {
	args := etf.List(c.args)
	if args == nil {
		args = etf.List{}
	}
	return []any{etf.Atom(c.module), etf.Atom(c.function), args}
}

func (c call) failed(err error, unrun bool) error {
	what := name(etf.Atom(c.module), etf.Atom(c.function), len(c.args)) + " on " + c.node
	return &callError{what: what, err: err, unrun: unrun}
}

// run calls the function and puts its result in *result. The result comes as the
// exit reason of the process that erpc:execute_call/4 runs in (erpc.erl, call/5);
// giving up is to end that process's monitor, and nothing else.
func (c call) run(ctx context.Context, p *truss.Process, result any) error {
	if c.node == p.Node().Name() {
		return c.here(ctx, p, result)
	}
	tag := p.Node().NewRef()
	child, err := p.SpawnRemote(ctx, truss.SpawnRequest{
		Node: c.node, Module: "erpc", Function: "execute_call", Args: append([]any{tag}, c.mfa()...), Monitor: true, NoReply: true,
	})
	if err != nil {
		return c.failed(refused(err), truss.NotSent(err))
	}
	m, err := p.ReceiveMatch(ctx, func(m truss.Message) bool {
		down, ok := m.Signal().(truss.Down)
		return ok && down.Ref == child.Ref
	})
	if err != nil {
		p.Demonitor(child.Ref)
		return c.failed(fmt.Errorf("no result yet: %w", err), false)
	}
	reason := m.Signal().(truss.Down).Reason
	if err, ok := reason.(*truss.SpawnError); ok {
		return c.failed(refused(err), true)
	}
	return c.outcome(tag, reason, result)
}

// outcome reads the exit reason (erpc.erl, result/4).
func (c call) outcome(tag etf.Ref, reason etf.Term, result any) error {
	if reason == etf.Term(etf.Atom("noconnection")) {
		return c.failed(fmt.Errorf("the connection was lost before the result came: %w", truss.ErrNoConnection), false)
	}
	r, ok := reason.(etf.Tuple)
	if !ok || len(r) < 3 || r[0] != etf.Term(tag) {
		if lacksServer(reason) {
			return c.failed(unsupported{errors.New("it runs no functions for others (on a Truss node, rpc.Start is missing)")}, true)
		}
		return c.remote(truss.ClassExit, reason, nil, true)
	}
	class, _ := r[1].(etf.Atom)
	switch {
	case class == "return":
		if whatever, ok := result.(*etf.Term); ok {
			*whatever = r[2]
			return nil
		}
		return c.decode(r[2], result)
	case class == truss.ClassError && len(r) == 4:
		stack, _ := r[3].(etf.List)
		return c.remote(class, r[2], stack, false)
	}
	return c.remote(class, r[2], nil, false)
}

// lacksServer tells whether a process ended because there is no erpc on its node.
func lacksServer(reason etf.Term) bool {
	r, ok := reason.(etf.Tuple)
	if !ok || len(r) != 2 || r[0] != etf.Term(etf.Atom("undef")) {
		return false
	}
	stack, _ := r[1].(etf.List)
	if len(stack) == 0 {
		return false
	}
	frame, ok := stack[0].(etf.Tuple)
	return ok && len(frame) > 1 && frame[0] == etf.Term(etf.Atom("erpc")) && frame[1] == etf.Term(etf.Atom("execute_call"))
}

func (c call) remote(class etf.Atom, reason etf.Term, stack etf.List, signal bool) error {
	return &RemoteError{
		Node: c.node, Module: c.module, Function: c.function, Arity: len(c.args),
		Class: class, Reason: reason, Stack: stack, Signal: signal,
	}
}

// decode puts a value into *result: a term that has been decoded, or what a function
// of this node has returned, of which the caller gets a copy like any other.
func (c call) decode(value, result any) error {
	m, err := truss.NewMessage(value)
	if err == nil {
		err = m.Unmarshal(result)
	}
	if err != nil {
		return c.failed(fmt.Errorf("cannot read the result: %w", err), false)
	}
	return nil
}
