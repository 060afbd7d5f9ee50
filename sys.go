package truss

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/truss-beam/truss/etf"
)

// StateHolder is a Server that shows its state to sys:get_state and get_status.
type StateHolder interface {
	// State returns the state as anything etf.Marshal takes.
	State() any
}

// system answers a message of OTP's module sys: what it cannot do gets an error,
// not silence, for sys waits without end or for 5 s.
func (s *serving) system(ctx context.Context, from From, m Message) error {
	request, err := m.Term()
	if err != nil {
		return s.reply(ctx, from, etf.Tuple{etf.Atom("error"), err.Error()})
	}
	name, argument := request, etf.Term(nil)
	if tuple, ok := request.(etf.Tuple); ok && len(tuple) > 0 {
		name = tuple[0]
		if len(tuple) == 2 {
			argument = tuple[1]
		}
	}
	switch name {
	case etf.Atom("get_state"):
		return s.reply(ctx, from, s.stateFor(from))
	case etf.Atom("get_status"):
		return s.reply(ctx, from, s.status())
	case etf.Atom("suspend"), etf.Atom("resume"):
		s.suspended = name == etf.Term(etf.Atom("suspend"))
		return s.reply(ctx, from, etf.Atom("ok"))
	case etf.Atom("terminate"):
		if err := s.reply(ctx, from, etf.Atom("ok")); err != nil {
			return err
		}
		return &ExitError{Reason: argument}
	case etf.Atom("debug"), etf.Atom("replace_state"), etf.Atom("change_code"):
		if argument == etf.Term(etf.Atom("no_debug")) {
			return s.reply(ctx, from, etf.Atom("ok"))
		}
		return s.reply(ctx, from, notSupported())
	}
	return s.reply(ctx, from, etf.Tuple{etf.Atom("error"), etf.Tuple{etf.Atom("unknown_system_msg"), request}})
}

func notSupported() etf.Tuple { return etf.Tuple{etf.Atom("error"), etf.Atom("notsup")} }

// reply answers a caller of the runtime's own protocols. A state that cannot be
// sent is no reason to end.
func (s *serving) reply(ctx context.Context, from From, reply any) error {
	err := from.Reply(ctx, reply)
	var bad *etf.EncodeError
	if errors.As(err, &bad) {
		_ = from.Reply(ctx, etf.Tuple{etf.Atom("error"), err.Error()}) // a text can be sent
	}
	return nil
}

// stateFor is the answer to get_state: the bare state up to OTP 25, {ok, State} from
// 27 on, and callers take only their own (sys.erl). The flags of the handshake are
// the same, but references of aliases are not: 3 words in 25, 5 in 27 and later.
func (s *serving) stateFor(from From) any {
	holder, ok := s.parts.(StateHolder)
	if !ok {
		return notSupported()
	}
	if alias, ok := from.alias(); ok && alias.Len <= 3 && string(alias.Node) != s.p.node.name {
		return holder.State()
	}
	return etf.Tuple{etf.Atom("ok"), holder.State()}
}

// status is what sys:get_status returns of a gen_server: {status, Pid, {module, M},
// [Dictionary, SysState, Parent, Debug, Misc]}.
func (s *serving) status() etf.Tuple {
	sysState := etf.Atom("running")
	if s.suspended {
		sysState = "suspended"
	}
	var state any = etf.Atom("undefined")
	if holder, ok := s.parts.(StateHolder); ok {
		state = holder.State()
	}
	pair := func(key string, value any) etf.Tuple { return etf.Tuple{etf.Charlist(key), value} }
	data := func(pairs ...etf.Term) etf.Tuple { return etf.Tuple{etf.Atom("data"), etf.List(pairs)} }
	misc := etf.List{
		etf.Tuple{etf.Atom("header"), etf.Charlist(fmt.Sprintf("Status for Go server %s", s.module()))},
		data(pair("Status", sysState), pair("Parent", s.p.pid), pair("Logged events", etf.List{})),
		data(pair("State", state)),
	}
	return etf.Tuple{
		etf.Atom("status"), s.p.pid, etf.Tuple{etf.Atom("module"), s.module()},
		etf.List{etf.List{}, sysState, s.p.pid, etf.List{}, misc},
	}
}

// module is the Go type of the server, where OTP has the callback module.
func (s *serving) module() etf.Atom {
	name := fmt.Sprintf("%T", s.parts)
	if utf8.RuneCountInString(name) > 255 {
		return "go" // generic types can be longer than an atom
	}
	return etf.Atom(name)
}

// Stop ends a server in the orderly way, here or on any node, and waits for its
// end: gen_server:stop/3, so it works with GenServers too. to is what Call takes.
// Errors: an *ExitError if it ends for another reason, or is not there
// (ErrNoProcess), ErrNoConnection, and ctx's.
func (n *Node) Stop(ctx context.Context, to any, reason etf.Term) error {
	p, err := n.visitor()
	if err != nil {
		return err
	}
	defer p.leave()
	ref, err := p.Monitor(ctx, to)
	if err != nil {
		return err
	}
	if err := p.call(ctx, "system", to, etf.Tuple{etf.Atom("terminate"), reason}, nil); err != nil {
		return err
	}
	m, err := p.receive(ctx, func(m Message) bool {
		down, ok := m.Signal().(Down)
		return ok && down.Ref == ref
	})
	if err != nil {
		return fmt.Errorf("truss: %v has not ended: %w", to, err)
	}
	if down := m.Signal().(Down); !etf.Equal(down.Reason, reason) {
		return fmt.Errorf("truss: %v: %w", to, &ExitError{Reason: down.Reason})
	}
	return nil
}
