package truss

import (
	"context"
	"errors"
	"fmt"

	"github.com/truss-beam/truss/etf"
)

// Call sends a request to a gen_server, here or on another node, and waits for
// its reply, which is decoded into *reply as by etf.Unmarshal (nil to ignore it).
// to is what Send takes, aliases excepted.
//
// Errors: an *ExitError if the process called ends first or is not there
// (errors.Is ErrNoProcess), ErrNoConnection if its node cannot be reached or is
// lost, and ctx's error. A reply that comes later than ctx allows is thrown away.
//
// The process called sees p as the caller.
func (p *Process) Call(ctx context.Context, to, request, reply any) error {
	return p.call(ctx, "$gen_call", to, request, reply)
}

// call is gen:call/4: label says to whom at the receiver the request is.
func (p *Process) call(ctx context.Context, label etf.Atom, to, request, reply any) error {
	n := p.node
	var t target
	if err := n.targetOf(&t, to); err != nil {
		return err
	}
	if t.alias != (etf.Ref{}) {
		return errors.New("truss: an alias cannot be called")
	}
	// As gen:call: one reference is the monitor, the alias the reply is sent to,
	// and the tag that says which request it answers.
	ref := n.newRef()
	n.aliases.add(ref, alias{of: p, once: true})
	defer n.aliases.remove(ref)
	if err := p.monitor(ctx, ref, t); err != nil {
		return err
	}
	tag := etf.ImproperList{Elems: etf.List{etf.Atom("alias")}, Tail: ref}
	message := etf.Tuple{label, etf.Tuple{p.pid, tag}, request}
	if err := p.send(ctx, to, message); err != nil && !errors.Is(err, ErrNoProcess) && !errors.Is(err, ErrNoConnection) {
		p.Demonitor(ref)
		return err
	} // what is not there or not connected, the monitor tells of
	return p.awaitReply(ctx, to, ref, reply)
}

func (p *Process) awaitReply(ctx context.Context, to any, ref etf.Ref, reply any) error {
	answers := func(m Message) bool { return m.answers(ref) }
	m, err := p.receive(ctx, answers)
	if err != nil {
		p.Demonitor(ref)
		// As gen:call: from here on no reply arrives, and one that just has counts.
		p.node.aliases.remove(ref)
		var late bool
		if m, _, late = p.mailbox.take(position{}, answers); !late {
			return fmt.Errorf("truss: call %v: %w", to, err)
		}
	}
	if down, ok := m.Signal().(Down); ok {
		return fmt.Errorf("truss: call %v: %w", to, &ExitError{Reason: down.Reason})
	}
	p.Demonitor(ref)
	d := m.decoder()
	if err := skipToReply(&d); err != nil {
		return fmt.Errorf("truss: call %v: cannot read the reply: %w", to, err)
	}
	if reply == nil {
		return nil
	}
	if err := d.Unmarshal(reply); err != nil {
		return fmt.Errorf("truss: call %v: cannot read the reply: %w", to, err)
	}
	m.done()
	return nil
}

// answers tells whether m ends the call that ref stands for: its monitor's Down,
// or {Tag, Reply}. Servers reply to the alias or, the older ones, to the pid.
func (m Message) answers(ref etf.Ref) bool {
	if m.Signal() != nil {
		down, ok := m.Signal().(Down)
		return ok && down.Ref == ref
	}
	d := m.decoder()
	if arity, err := d.Tuple(); err != nil || arity != 2 {
		return false
	}
	tag, err := readTag(&d)
	return err == nil && tag == ref
}

// readTag reads the reference of a tag this node has made, [alias|Ref].
func readTag(d *etf.Decoder) (etf.Ref, error) {
	if n, _, err := d.List(); err != nil || n != 1 {
		return etf.Ref{}, errNotOurTag
	}
	if alias, err := d.Atom(); err != nil || alias != "alias" {
		return etf.Ref{}, errNotOurTag
	}
	return d.Ref()
}

var errNotOurTag = errors.New("not a tag of this node's")

func skipToReply(d *etf.Decoder) error {
	if _, err := d.Tuple(); err != nil {
		return err
	}
	return d.Skip()
}

// Call calls a gen_server as Process.Call does, on behalf of a process that
// exists for the time of the call.
func (n *Node) Call(ctx context.Context, to, request, reply any) error {
	p, err := n.visitor()
	if err != nil {
		return err
	}
	defer p.leave()
	return p.Call(ctx, to, request, reply)
}

// Cast sends a gen_server a request that it does not reply to.
func (p *Process) Cast(ctx context.Context, to, request any) error {
	return p.Send(ctx, to, etf.Tuple{etf.Atom("$gen_cast"), request})
}

// Cast sends a gen_server a request that it does not reply to.
func (n *Node) Cast(ctx context.Context, to, request any) error {
	return n.Send(ctx, to, etf.Tuple{etf.Atom("$gen_cast"), request})
}

// Caller is a *Node or a *Process.
type Caller interface {
	Call(ctx context.Context, to, request, reply any) error
}

// Call calls a gen_server and returns its reply as a T: etf.Term for whatever it
// is, or any type that etf.Unmarshal can fill.
func Call[T any](ctx context.Context, from Caller, to, request any) (T, error) {
	var reply T
	err := from.Call(ctx, to, request, &reply)
	return reply, err
}
