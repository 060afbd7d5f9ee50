package rpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// executeCall is erpc:execute_call/4, which erpc:call has spawned here: it tells the
// caller, who monitors it, what came of the function by the reason it ends with.
func executeCall(ctx context.Context, p *truss.Process, tag truss.Message, module, function etf.Atom, args truss.Message) error {
	value, err := p.Apply(ctx, string(module), string(function), args)
	if err == nil {
		return &truss.ExitError{Reason: etf.Tuple{tag, etf.Atom("return"), value}}
	}
	e := exceptionOf(p, module, function, err)
	switch {
	case e.Class != truss.ClassError:
		return &truss.ExitError{Reason: etf.Tuple{tag, e.Class, e.Reason}}
	case argError(e):
		return &truss.ExitError{Reason: etf.Tuple{tag, e.Class, etf.Tuple{etf.Atom("erpc"), e.Reason}}}
	}
	return &truss.ExitError{Reason: etf.Tuple{tag, e.Class, e.Reason, e.Stack}}
}

// executeCast is erpc:execute_cast/3. Nobody hears of a failure but the node's log.
func executeCast(ctx context.Context, p *truss.Process, module, function etf.Atom, args truss.Message) error {
	_, err := p.Apply(ctx, string(module), string(function), args)
	return err
}

// exceptionOf is the exception that Apply gave. A panic is logged: its caller, who
// is told, may not be who mends it.
func exceptionOf(p *truss.Process, module, function etf.Atom, err error) *truss.Exception {
	var e *truss.Exception
	if !errors.As(err, &e) {
		e = &truss.Exception{Class: truss.ClassError, Reason: err.Error()}
	}
	if reason, ok := e.Reason.(etf.Tuple); ok && len(reason) == 2 && reason[0] == etf.Term(etf.Atom("go_panic")) {
		p.Node().Logger().Error("panic in a function called by rpc",
			"function", fmt.Sprintf("%s:%s", module, function), "panic", text(reason[1]), "stack", stackTrace(e.Stack))
	}
	return e
}

// argError tells whether the arguments were the caller's mistake: there are more
// than a function can have (erpc.erl, is_arg_error/4).
func argError(e *truss.Exception) bool {
	if e.Reason != etf.Term(etf.Atom("system_limit")) || len(e.Stack) == 0 {
		return false
	}
	frame, ok := e.Stack[0].(etf.Tuple)
	return ok && len(frame) > 1 && frame[0] == etf.Term(etf.Atom("erlang")) && frame[1] == etf.Term(etf.Atom("apply"))
}
