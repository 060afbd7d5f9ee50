package truss

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/truss-beam/truss/etf"
)

// Serve makes the process a server until it ends, and returns why: what a process
// function does that sets something up first, or that a supervisor starts anew.
//
//	func(ctx context.Context, p *truss.Process) error {
//		return p.Serve(ctx, &Calc{})
//	}
func (p *Process) Serve(ctx context.Context, server Server) (err error) {
	s := serving{p: p, server: server, parts: server}
	if m, ok := server.(*methods); ok {
		if m.err != nil {
			return m.err
		}
		s.parts = m.value
	}
	if t, ok := s.parts.(Terminator); ok {
		defer func() { t.Terminate(abnormal(err)) }()
	}
	return s.loop(ctx)
}

// abnormal is err, or nil if it ends a process with reason normal.
func abnormal(err error) error {
	if exitReason(err) == reasonNormal {
		return nil
	}
	return err
}

// serving is a process that runs a server.
type serving struct {
	p         *Process
	server    Server
	parts     any  // what has the optional methods: the server, or what Methods was given
	suspended bool // by sys:suspend: only system messages are handled
}

func (s *serving) loop(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(r, debug.Stack())
		}
	}()
	for {
		m, err := s.next(ctx)
		if err != nil {
			return err
		}
		if err := s.dispatch(ctx, m); err != nil {
			return err
		}
	}
}

func (s *serving) next(ctx context.Context) (Message, error) {
	if s.suspended {
		return s.p.ReceiveMatch(ctx, func(m Message) bool { return m.Tag() == "system" })
	}
	return s.p.Receive(ctx)
}

// dispatch hands one message to the handler it is for. Of a call or cast it reads
// only what is around the request, which is left to the handler.
func (s *serving) dispatch(ctx context.Context, m Message) error {
	if m.Signal() != nil {
		return s.info(ctx, m)
	}
	d := m.decoder()
	arity, _ := d.Tuple() // what is no tuple is no call: arity 0
	if arity == 3 && d.Kind() == etf.KindPid {
		return s.eventCall(ctx, m, &d)
	}
	tag, _ := d.Atom()
	switch {
	case arity == 3 && tag == "$gen_call":
		if from, err := readFrom(s.p, &d); err == nil {
			return s.call(ctx, from, m.part(&d))
		}
	case arity == 3 && tag == "system":
		if from, err := readFrom(s.p, &d); err == nil {
			return s.system(ctx, from, m.part(&d))
		}
	case arity == 2 && tag == "$gen_cast":
		return s.cast(ctx, m, m.part(&d))
	case arity == 2 && tag == "notify":
		if h, ok := s.parts.(EventHandler); ok {
			return h.HandleEvent(ctx, m.part(&d))
		}
	}
	return s.info(ctx, m)
}

func (s *serving) cast(ctx context.Context, m, request Message) error {
	if h, ok := s.parts.(CastHandler); ok {
		return h.HandleCast(ctx, request)
	}
	if methods, ok := s.server.(*methods); ok {
		return methods.cast(ctx, s.p, request)
	}
	s.p.dropped(m)
	return nil
}

func (s *serving) info(ctx context.Context, m Message) error {
	if h, ok := s.parts.(InfoHandler); ok {
		return h.HandleInfo(ctx, m)
	}
	if exit, ok := m.Signal().(Exit); ok {
		return &ExitError{Reason: exit.Reason}
	}
	s.p.dropped(m)
	return nil
}

// part is the message inside m that d has come to.
func (m Message) part(d *etf.Decoder) Message {
	return Message{raw: d.Rest(), from: m.from}
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
func (s *serving) call(ctx context.Context, from From, request Message) error {
	reply, err := s.server.HandleCall(ctx, from, request)
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
