package truss

import (
	"context"
	"errors"

	"github.com/truss-beam/truss/etf"
)

// Server is what Serve runs: a gen_server, which Elixir calls with
// GenServer.call. It may also have a HandleCast, HandleInfo, HandleEvent, State or
// Terminate (CastHandler, InfoHandler, EventHandler, StateHolder, Terminator). All
// are called by one goroutine, one after the other.
//
// Every server answers what the module sys asks of OTP's: get_status, get_state if
// it is a StateHolder, suspend, resume and terminate, which gen_server:stop uses.
type Server interface {
	// HandleCall answers one request. The reply is anything etf.Marshal takes. An
	// error is sent as the reply {error, Reason}, the reason being the error's text
	// as a binary; but ErrNoReply means that From.Reply comes later, and an
	// *ExitError ends the server, which the caller sees as its exit.
	HandleCall(ctx context.Context, from From, request Message) (reply any, err error)
}

// CastHandler is a Server that takes casts. Others log and drop them.
type CastHandler interface {
	// HandleCast acts on one cast; an error ends the server.
	HandleCast(ctx context.Context, request Message) error
}

// InfoHandler is a Server that takes other messages, among them Down, Exit and
// NodeEvent. Others log and drop them.
type InfoHandler interface {
	// HandleInfo acts on one message; an error ends the server. Without it, an Exit
	// ends a server that traps exits.
	HandleInfo(ctx context.Context, message Message) error
}

// Terminator is a Server that is told when it ends.
type Terminator interface {
	// Terminate is called last, with what ends the server: nil for reason normal,
	// else the error of a handler, the *Exception of a panic, or the *ExitError of
	// an exit signal. With the last of these the process is dead already, and can
	// send nothing any more.
	Terminate(reason error)
}

// ErrNoReply is what HandleCall returns when the reply comes later, by From.Reply.
var ErrNoReply = errors.New("truss: no reply yet")

// From is who called, and the tag that the reply must carry.
type From struct {
	PID etf.Pid
	tag etf.Term
	on  *Process
}

// Reply answers a call that HandleCall left open with ErrNoReply. It may be
// called by any goroutine, once. A caller on a node that is not connected any more
// has been told so, and is not called back: ErrNoConnection.
func (f From) Reply(ctx context.Context, reply any) error {
	return f.on.Send(NoConnect(ctx), f.address(), etf.Tuple{f.tag, reply})
}

// address is where the reply goes: to the alias in the tag if there is one, for
// it closes when the caller stops waiting; else to the caller.
func (f From) address() any {
	if alias, ok := f.alias(); ok {
		return alias
	}
	return f.PID
}

// alias is the alias in the tag. Tags are [alias|Alias], [[alias|Alias]|_], a bare
// reference, {Ref, Node} of multi_call in OTP 25, or anything (gen.erl, reply/2).
func (f From) alias() (etf.Ref, bool) {
	tag := f.tag
	switch outer := tag.(type) {
	case etf.List:
		if len(outer) > 0 {
			tag = outer[0]
		}
	case etf.ImproperList:
		if _, nested := outer.Elems[0].(etf.ImproperList); nested {
			tag = outer.Elems[0]
		}
	}
	l, ok := tag.(etf.ImproperList)
	if !ok || len(l.Elems) != 1 || l.Elems[0] != etf.Term(etf.Atom("alias")) {
		return etf.Ref{}, false
	}
	alias, ok := l.Tail.(etf.Ref)
	return alias, ok
}

// Serve starts a process registered under name that runs a Server until the
// node closes or the server ends. An empty name registers nothing.
func (n *Node) Serve(name string, server Server, opts ...SpawnOption) (*Process, error) {
	if m, ok := server.(*methods); ok && m.err != nil {
		return nil, m.err
	}
	if name != "" {
		opts = append(opts, Registered(name))
	}
	return n.Spawn(func(ctx context.Context, p *Process) error {
		return p.Serve(ctx, server)
	}, opts...)
}
