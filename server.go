package truss

import (
	"context"
	"errors"
	"fmt"

	"github.com/truss-beam/truss/etf"
)

// Server is what Serve runs: a gen_server, which Elixir calls with
// GenServer.call. It may also have a HandleCast, a HandleInfo or a Terminate
// (CastHandler, InfoHandler, Terminator). All are called by one goroutine, one
// after the other.
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
	// HandleInfo acts on one message; an error ends the server.
	HandleInfo(ctx context.Context, message Message) error
}

// Terminator is a Server that is told when it ends.
type Terminator interface {
	// Terminate is called last, with the reason: nil for a normal end.
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
// called by any goroutine, once.
func (f From) Reply(ctx context.Context, reply any) error {
	return f.on.Send(ctx, f.address(), etf.Tuple{f.tag, reply})
}

// address is where the reply goes: to the alias in the tag if there is one, for
// it closes when the caller stops waiting; else to the caller. Tags are
// [alias|Alias], [[alias|Alias]|Ref], a bare reference, or anything (gen.erl).
func (f From) address() any {
	tag := f.tag
	if outer, ok := tag.(etf.ImproperList); ok && len(outer.Elems) == 1 {
		if _, nested := outer.Elems[0].(etf.ImproperList); nested {
			tag = outer.Elems[0]
		}
	}
	if l, ok := tag.(etf.ImproperList); ok && len(l.Elems) == 1 && l.Elems[0] == etf.Term(etf.Atom("alias")) {
		if alias, ok := l.Tail.(etf.Ref); ok {
			return alias
		}
	}
	return f.PID
}

// Serve starts a process registered under name that runs a Server until the
// node closes or the server ends. An empty name registers nothing.
func (n *Node) Serve(name string, server Server) (*Process, error) {
	var opts []SpawnOption
	if name != "" {
		opts = append(opts, Registered(name))
	}
	return n.Spawn(func(ctx context.Context, p *Process) error {
		return serve(ctx, p, server)
	}, opts...)
}

func serve(ctx context.Context, p *Process, server Server) (err error) {
	if t, ok := server.(Terminator); ok {
		defer func() { t.Terminate(err) }()
	}
	for {
		m, err := p.Receive(ctx)
		if err != nil {
			return err
		}
		if err := dispatch(ctx, p, server, m); err != nil {
			return err
		}
	}
}

// dispatch hands one message to the handler it is for. Of a call or cast it reads
// only what is around the request, which is left to the handler.
func dispatch(ctx context.Context, p *Process, server Server, m Message) error {
	if m.signal == nil {
		d := m.decoder()
		arity, _ := d.Tuple() // what is no tuple is no call: arity 0
		switch tag, _ := d.Atom(); {
		case arity == 3 && tag == "$gen_call":
			if from, err := readFrom(p, &d); err == nil {
				return call(ctx, server, from, m.part(&d))
			}
		case arity == 2 && tag == "$gen_cast":
			if h, ok := server.(CastHandler); ok {
				return h.HandleCast(ctx, m.part(&d))
			}
			p.dropped(m)
			return nil
		}
	}
	if h, ok := server.(InfoHandler); ok {
		return h.HandleInfo(ctx, m)
	}
	p.dropped(m)
	return nil
}

// part is the message inside m that d has come to.
func (m Message) part(d *etf.Decoder) Message {
	return Message{raw: d.Rest(), atoms: m.atoms, slab: m.slab}
}

// dropped logs a message that its receiver has no use for.
func (p *Process) dropped(m Message) {
	p.node.log.Debug("unexpected message dropped", "pid", p.pid, "message", m)
}

// readFrom reads {Pid, Tag}.
func readFrom(p *Process, d *etf.Decoder) (From, error) {
	if arity, err := d.Tuple(); err != nil || arity != 2 {
		return From{}, errors.New("not a caller")
	}
	pid, err := d.Pid()
	if err != nil {
		return From{}, err
	}
	tag, err := d.Term()
	return From{PID: pid, tag: tag, on: p}, err
}

// call runs HandleCall and sends what it returns.
func call(ctx context.Context, server Server, from From, request Message) error {
	reply, err := server.HandleCall(ctx, from, request)
	var exit *ExitError
	switch {
	case errors.Is(err, ErrNoReply):
		return nil
	case errors.As(err, &exit):
		return err
	case err != nil:
		reply = etf.Tuple{etf.Atom("error"), err.Error()}
	}
	err = from.Reply(ctx, reply)
	var bad *etf.EncodeError
	if errors.As(err, &bad) {
		// The caller must learn of it, or it waits for nothing.
		return fmt.Errorf("truss: HandleCall returned what cannot be sent: %w", err)
	}
	return nil // a caller that is gone is no reason to end
}
