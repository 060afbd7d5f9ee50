package truss

import (
	"errors"
	"fmt"

	"github.com/truss-beam/truss/etf"
)

// Errors that answers are tested for with errors.Is. The error returned always
// says more: which peer, at which stage, and what to do.
var (
	// ErrClosed: the node was closed.
	ErrClosed = errors.New("truss: node closed")
	// ErrNoConnection: there is no connection to the node, or it was lost before
	// an answer came. In the latter case the request may have been acted on.
	ErrNoConnection = errors.New("noconnection")
	// ErrNoProcess: there is no such process or registered name. Nothing was done.
	ErrNoProcess = errors.New("noproc")
	// ErrNameTaken: the name to register belongs to another process.
	ErrNameTaken = errors.New("truss: name already registered")
	// ErrTickTimeout: the peer was silent for the whole TickTime.
	ErrTickTimeout = errors.New("net_tick_timeout")
	// ErrDisconnected: the connection was closed by this node's Disconnect.
	ErrDisconnected = errors.New("disconnect")
	// ErrPeerClosed: the peer closed the connection.
	ErrPeerClosed = errors.New("connection_closed")
	// ErrReplaced: the peer connected anew, so the old connection was given up.
	ErrReplaced = errors.New("connection replaced by a new one from the same node")
)

// ExitError is the end of a process as an error. A process function that returns
// one ends with its Reason; Call returns one when the process called ends before
// it answers.
type ExitError struct {
	// Reason is the exit reason: the atoms normal, shutdown, killed, or any term.
	Reason etf.Term
}

func (e *ExitError) Error() string { return "exit: " + etf.Format(e.Reason) }

// Is makes errors.Is find ErrNoProcess and ErrNoConnection in the reasons that
// OTP gives for them.
func (e *ExitError) Is(target error) bool {
	switch target {
	case ErrNoProcess:
		return e.Reason == etf.Term(etf.Atom("noproc"))
	case ErrNoConnection:
		return e.Reason == etf.Term(etf.Atom("noconnection"))
	}
	return false
}

// exitReason is the exit reason of a process whose function returned err.
func exitReason(err error) etf.Term {
	if err == nil {
		return reasonNormal
	}
	if exception, ok := errors.AsType[*Exception](err); ok {
		return exception.exitReason()
	}
	if exit, ok := errors.AsType[*ExitError](err); ok {
		return exit.Reason
	}
	return err.Error()
}

// reasonTerm makes a reason of Go values the term that a process on another node
// gets, so that one on this node gets the same.
func reasonTerm(reason etf.Term) (etf.Term, error) {
	if tuple, ok := reason.(etf.Tuple); ok {
		return tupleTerm(tuple)
	}
	return valueTerm(reason)
}

// tupleTerm does so for each element by itself: of most reasons they are plain.
func tupleTerm(tuple etf.Tuple) (etf.Term, error) {
	made := make(etf.Tuple, len(tuple))
	for i, element := range tuple {
		var err error
		if made[i], err = valueTerm(element); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// valueTerm does it without a detour over bytes for what needs none.
func valueTerm(v any) (etf.Term, error) {
	switch v := v.(type) {
	case etf.Atom:
		if checkAtom(string(v)) == nil {
			return v, nil
		}
	case int:
		return int64(v), nil
	case int64, etf.Pid, etf.Ref:
		return v, nil
	}
	m, err := NewMessage(v)
	if err != nil {
		return nil, err
	}
	return m.Term()
}

// finalReason is reasonTerm for a process that ends in any case.
func finalReason(reason etf.Term) etf.Term {
	term, err := reasonTerm(reason)
	if err != nil {
		return etf.Tuple{etf.Atom("bad_exit_reason"), []byte(err.Error())}
	}
	return term
}

// Exit reasons that OTP knows.
var (
	reasonNormal       etf.Term = etf.Atom("normal")
	reasonShutdown     etf.Term = etf.Atom("shutdown")
	reasonKill         etf.Term = etf.Atom("kill")
	reasonKilled       etf.Term = etf.Atom("killed")
	reasonNoProc       etf.Term = etf.Atom("noproc")
	reasonNoConnection etf.Term = etf.Atom("noconnection")
)

// noConnection is the error of a request to a node that is not connected.
func noConnection(peer string, cause error) error {
	if cause == nil {
		return fmt.Errorf("truss: no connection to %s: %w", peer, ErrNoConnection)
	}
	return fmt.Errorf("truss: no connection to %s: %w: %w", peer, ErrNoConnection, cause)
}
