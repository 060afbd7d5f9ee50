package truss

import (
	"context"

	"github.com/truss-beam/truss/etf"
)

// EventHandler is a Server that takes events, as the one handler of a gen_event:
// gen_event:notify/2 and sync_notify/2 send it some, and gen_event:call/3 is a call
// like a gen_server's, whatever handler it names. Handlers cannot be added from
// outside.
type EventHandler interface {
	// HandleEvent acts on one event; an error ends the server.
	HandleEvent(ctx context.Context, event Message) error
}

// eventCall is a message {Pid, From, Request} of gen_event's: its calls have the
// caller's pid where those of others have an atom. d stands before the pid.
func (s *serving) eventCall(ctx context.Context, m Message, d *etf.Decoder) error {
	handler, ok := s.parts.(EventHandler)
	if !ok {
		return s.info(ctx, m)
	}
	if err := d.Skip(); err != nil {
		return s.info(ctx, m)
	}
	from, err := readFrom(s.p, d)
	if err != nil {
		return s.info(ctx, m)
	}
	request := m.part(d)
	arity, _ := d.Tuple()
	tag, _ := d.Atom()
	switch {
	case arity == 0 && tag == "which_handlers":
		return s.reply(ctx, from, etf.List{s.module()})
	case arity == 2 && tag == "sync_notify":
		if err := handler.HandleEvent(ctx, request.part(d)); err != nil {
			return err
		}
		return s.reply(ctx, from, etf.Atom("ok"))
	case arity == 3 && tag == "call":
		if err := d.Skip(); err == nil { // the handler: there is but one
			return s.call(ctx, from, request.part(d))
		}
	}
	return s.reply(ctx, from, notSupported())
}
