package truss

import (
	"context"
	"fmt"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// Send sends a message to an etf.Pid, *Process, Name, a name registered on this
// node (string or etf.Atom), or an etf.Ref that is an alias. msg is anything
// etf.Marshal takes. It connects to the node first if need be, and while much is
// waiting for a slow one it waits for ctx.
//
// As in Erlang, that a message was sent says nothing about its arrival: a
// process that does not exist is no error, except for a name on this very node
// (ErrNoProcess). Messages from one process to another arrive in the order sent.
//
// Byte slices of 8 KiB and more in msg may be read until they have been written
// to the socket: do not change them afterwards.
func (p *Process) Send(ctx context.Context, to, msg any) error {
	if err := p.exited(); err != nil {
		return err
	}
	return p.send(ctx, to, msg)
}

// Send sends a message as Process.Send does, on behalf of no process in
// particular: all such messages of a node count as one sender's.
func (n *Node) Send(ctx context.Context, to, msg any) error { return n.caller.send(ctx, to, msg) }

func (p *Process) send(ctx context.Context, to, msg any) error {
	n := p.node
	if q, ok := to.(*Process); ok && q.node == n {
		return q.deliverHere(msg)
	}
	var t target
	if err := n.targetOf(&t, to); err != nil {
		return err
	}
	if t.node == "" {
		return n.deliver(&t, msg)
	}
	c := p.via.Load()
	if c == nil || c.name != t.node || c.lost.Load() {
		var err error
		if c, err = n.connection(ctx, t.node); err != nil {
			return err
		}
		p.via.Store(c)
	}
	return c.sendMessage(ctx, p, &t, msg)
}

// sendMessage is send of a message, whose control message is made in place: to copy
// one takes as long as to encode it.
func (c *conn) sendMessage(ctx context.Context, p *Process, t *target, msg any) error {
	if err := c.turn(ctx, p); err != nil {
		return err
	}
	ctl := &c.control
	ctl.From, ctl.Token = p.pid, nil
	switch {
	case t.name != "":
		ctl.Op, ctl.ToName = dist.OpRegSend, t.name
	case t.pid != etf.Pid{}:
		ctl.Op, ctl.To = dist.OpSendSender, t.pid
	case t.priority:
		ctl.Op, ctl.Flags, ctl.Ref = dist.OpAltactSigSend, dist.AltactPriority|dist.AltactAlias, t.alias
	default:
		ctl.Op, ctl.Ref = dist.OpAliasSend, t.alias
	}
	err := c.append(ctl, msg)
	c.flushFor(p) // unlocks
	return err
}

// deliver puts a message in the mailbox of a process of this node. It is encoded
// like any other: the receiver sees the same terms whoever sent them, and shares
// no memory with the sender, unless that sends a Message it has.
func (n *Node) deliver(t *target, msg any) error {
	var q *Process
	if t.alias == (etf.Ref{}) {
		q = n.local(*t)
	}
	if q == nil && t.name != "" {
		return fmt.Errorf("truss: nothing is registered as %s on %s: %w", t.name, n.name, ErrNoProcess)
	}
	if q == nil && !n.aliases.has(t.alias) {
		return nil
	}
	if q != nil {
		return q.deliverHere(msg)
	}
	m, err := localMessage(msg)
	if err == nil {
		n.aliases.deliver(t.alias, t.priority, func(p *Process, how priority) { p.deliver(m, how) })
	}
	return err
}

// deliverHere is deliver to a process that is known.
func (p *Process) deliverHere(msg any) error {
	if p.ended.Load() {
		return nil
	}
	m, err := localMessage(msg)
	if err == nil {
		p.deliver(m, ordinary)
	}
	return err
}

func localMessage(msg any) (Message, error) {
	m, err := NewMessage(msg)
	if err != nil {
		return m, fmt.Errorf("truss: cannot send: %w", err)
	}
	return m, nil
}
