package rpc

import (
	"errors"
	"fmt"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// RemoteError is what a function that was called has ended with instead of
// returning. %v prints one line, %+v the stack too.
type RemoteError struct {
	Node             string
	Module, Function string
	Arity            int

	Class  etf.Atom // truss.ClassError, ClassExit or ClassThrow
	Reason etf.Term // what was raised, or thrown: an Erlang term
	// Stack is of an error only, the innermost call first: {Module, Function, Arity
	// or Args, Location} each.
	Stack etf.List

	// Signal tells that the function did not end by itself: an exit signal with
	// Reason has ended the process that ran it. Class is then ClassExit.
	Signal bool
}

// Error says what was called where, and how that ended:
//
//	rpc: calc:div/2 on app@10.0.0.2: error badarith at calc:div/2 (calc.erl:12)
func (e *RemoteError) Error() string {
	s := fmt.Sprintf("rpc: %s on %s: ", name(etf.Atom(e.Module), etf.Atom(e.Function), e.Arity), e.Node)
	if e.Signal {
		return s + "ended by an exit signal: " + text(e.Reason)
	}
	s += string(e.Class) + " " + text(e.Reason)
	if at := place(e.Stack); at != "" {
		s += " at " + at
	}
	return s
}

// StackTrace prints the stack as Go prints one: a line for each function and an
// indented one for where it is. It is empty without a stack.
func (e *RemoteError) StackTrace() string { return stackTrace(e.Stack) }

// Format makes %+v print the stack.
func (e *RemoteError) Format(s fmt.State, verb rune) {
	type plain RemoteError // without Format
	switch {
	case verb == 'v' && s.Flag('#'):
		fmt.Fprintf(s, "%#v", (*plain)(e))
	case verb == 'v' && s.Flag('+') && len(e.Stack) > 0:
		fmt.Fprintf(s, "%s\n%s", e.Error(), e.StackTrace())
	case verb == 'q':
		fmt.Fprintf(s, "%q", e.Error())
	default:
		fmt.Fprint(s, e.Error())
	}
}

// NotSent tells whether a call surely did not run the function: it may be tried
// again, there or on another node, whatever the function does. That is so if the
// node could not be reached, refused, or does not run functions for others.
func NotSent(err error) bool {
	var failed *callError
	return errors.As(err, &failed) && failed.unrun || truss.NotSent(err)
}

// callError is a call without an answer from the function.
type callError struct {
	what  string // the function and the node
	err   error
	unrun bool // surely not run
}

func (e *callError) Error() string { return "rpc: " + e.what + ": " + e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

// refused is why a peer did not start a process for the call.
func refused(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		err = inner // which function was to be spawned is our affair
	}
	var spawn *truss.SpawnError
	if errors.As(err, &spawn) && spawn.Reason == "notsup" {
		return unsupported{err}
	}
	return err
}

// unsupported is an error that errors.Is finds errors.ErrUnsupported in.
type unsupported struct{ err error }

func (e unsupported) Error() string        { return e.err.Error() }
func (e unsupported) Unwrap() error        { return e.err }
func (e unsupported) Is(target error) bool { return target == errors.ErrUnsupported }
