package truss

import (
	"errors"
	"fmt"

	"github.com/truss-beam/truss/etf"
)

// The classes of exceptions, as in Erlang's catch Class:Reason:Stack.
const (
	ClassError = "error" // something is wrong: erlang:error/1, Elixir's raise
	ClassExit  = "exit"  // the process is to end: exit/1
	ClassThrow = "throw" // a result that jumps out: throw/1
)

// Exception is how an exported function can end other than by returning a value.
// A function returns one as its error to choose the class; Process.Apply gives
// one for whatever went wrong.
//
// As the end of a process it is the exit reason that Erlang makes of it: Reason
// for an exit, {Reason, Stack} for an error, {{nocatch, Reason}, Stack} for a
// throw.
type Exception struct {
	Class  etf.Atom // ClassError if empty
	Reason etf.Term
	// Stack is as Erlang's: {Module, Function, Arity or Args, Location} each, the
	// innermost first. Whoever calls the function fills it in if it is empty.
	Stack etf.List

	cause   error  // the Go error behind it, if there is one
	goStack []byte // of a panic, for the log
}

func (e *Exception) Error() string {
	text := string(e.class()) + ": " + etf.Format(e.Reason)
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns the error the function returned, or why an argument did not fit.
func (e *Exception) Unwrap() error { return e.cause }

func (e *Exception) class() etf.Atom {
	if e.Class == "" {
		return ClassError
	}
	return e.Class
}

// exitReason is what a process that does not catch e ends with.
func (e *Exception) exitReason() etf.Term {
	switch e.class() {
	case ClassExit:
		return e.Reason
	case ClassThrow:
		return etf.Tuple{etf.Tuple{etf.Atom("nocatch"), e.Reason}, e.Stack}
	}
	return etf.Tuple{e.Reason, e.Stack}
}

// exceptionOf makes an exception of the error an exported function returned.
// This is the one place that decides what Erlang and Elixir see of a Go error:
//
//   - an *Exception is itself;
//   - an *ExitError, which also comes from calling a process that ends, is an exit;
//   - an error that is an etf.TermMarshaler is an error with that term as reason,
//     so that a Go type can be an Elixir exception: a struct that rescue matches;
//   - any other is an error with its text, a binary, as reason. Not an atom, which
//     Elixir would take for one of Erlang's own (undef reads "function not defined"),
//     and not a RuntimeError, which reads badly in Erlang; what reraises remote
//     errors in Elixir makes a RuntimeError of a binary anyway.
func exceptionOf(err error, at call) *Exception {
	e := &Exception{Class: ClassError, cause: err}
	if exception, ok := errors.AsType[*Exception](err); ok {
		*e = *exception
		e.Class = e.class()
	} else if exit, ok := errors.AsType[*ExitError](err); ok {
		e.Class, e.Reason, e.cause = ClassExit, exit.Reason, nil
	} else if term, ok := errors.AsType[termError](err); ok {
		reason, problem := term.MarshalTerm()
		if problem != nil {
			reason = []byte(err.Error())
		}
		e.Reason = reason
	} else {
		e.Reason, e.cause = []byte(err.Error()), nil // the text says it all
	}
	if len(e.Stack) == 0 && at != (call{}) {
		e.Stack = at.stack()
	}
	return e
}

type termError interface {
	error
	etf.TermMarshaler
}

// panicked makes an error of a panic: {go_panic, Text}, which no Erlang or Elixir
// error looks like, with the stack of the goroutine. Call it from the deferred
// function that recovered.
func panicked(value any, goStack []byte) *Exception {
	return &Exception{
		Class:   ClassError,
		Reason:  etf.Tuple{etf.Atom("go_panic"), fmt.Append(nil, value)},
		Stack:   panicStack(),
		goStack: goStack,
	}
}

// deliberate tells whether a process function that returns err just ends its
// process, rather than fails: that is not worth a line in the log.
func deliberate(err error) bool {
	if exception, ok := errors.AsType[*Exception](err); ok {
		return exception.class() == ClassExit
	}
	_, exit := errors.AsType[*ExitError](err)
	return err == nil || exit
}
