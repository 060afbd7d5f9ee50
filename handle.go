package truss

import (
	"context"
	"fmt"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// handle acts on one signal from the peer (erl_dist_protocol, "Protocol between
// Connected Nodes"). An error ends the connection: it is for what OTP ends one
// for, a peer that speaks for others.
func (c *conn) handle(s *dist.Signal) error {
	ctl := &s.Control
	n := c.node
	switch ctl.Op {
	case dist.OpSend, dist.OpSendTT, dist.OpSendSender, dist.OpSendSenderTT:
		if p := n.processes.find(ctl.To); p != nil {
			p.mailbox.put(message(s))
		}
	case dist.OpRegSend, dist.OpRegSendTT:
		if p := n.names.find(ctl.ToName); p != nil {
			p.mailbox.put(message(s))
		}
	case dist.OpAliasSend, dist.OpAliasSendTT:
		if p := n.aliases.find(ctl.Ref); p != nil {
			p.mailbox.put(message(s))
		}
	case dist.OpAltactSigSend:
		return c.handleAltact(s)
	case dist.OpLink:
		return c.handleLink(ctl)
	case dist.OpUnlinkID:
		return c.handleUnlink(ctl)
	case dist.OpUnlinkIDAck:
		if p := n.processes.find(ctl.To); p != nil {
			p.mu.Lock()
			p.links.acknowledged(ctl.From, ctl.ID)
			p.mu.Unlock()
		}
	case dist.OpExit, dist.OpExitTT, dist.OpPayloadExit, dist.OpPayloadExitTT:
		return c.handleExit(s, true)
	case dist.OpExit2, dist.OpExit2TT, dist.OpPayloadExit2, dist.OpPayloadExit2TT:
		return c.handleExit(s, false)
	case dist.OpMonitorP:
		return c.handleMonitor(ctl)
	case dist.OpDemonitorP:
		return c.handleDemonitor(ctl)
	case dist.OpMonitorPExit, dist.OpPayloadMonitorPExit:
		return c.handleDown(s)
	case dist.OpSpawnRequest, dist.OpSpawnRequestTT:
		return c.handleSpawn(s)
	case dist.OpGroupLeader, dist.OpSpawnReply, dist.OpSpawnReplyTT:
		// Go processes have no group leader, and this node asks for no spawns.
	default:
		return fmt.Errorf("%v is not for a node to send", ctl.Op)
	}
	return nil
}

func message(s *dist.Signal) Message { return Message{raw: s.Payload, atoms: s.Atoms} }

// fromPeer checks that a signal that changes links or monitors speaks for a
// process of the peer itself.
func (c *conn) fromPeer(ctl *dist.Control) error {
	if string(ctl.From.Node) != c.name {
		return fmt.Errorf("%v on behalf of %v, which is not a process of this peer", ctl.Op, ctl.From)
	}
	return nil
}

// reasonOf is the exit reason a signal carries, in its control message or payload.
func reasonOf(s *dist.Signal) (etf.Term, error) {
	if !s.Control.Op.HasPayload() {
		return s.Control.Reason, nil
	}
	return message(s).Term()
}

func (c *conn) handleLink(ctl *dist.Control) error {
	if err := c.fromPeer(ctl); err != nil {
		return err
	}
	p := c.node.processes.find(ctl.To)
	if p != nil && c.relate(p) {
		p.mu.Lock()
		dead := p.dead
		if !dead {
			p.links.linked(ctl.From)
		}
		p.mu.Unlock()
		if !dead {
			return nil
		}
	}
	c.sendExit(ctl.To, ctl.From, reasonNoProc, true)
	return nil
}

// handleUnlink acknowledges in any case, and before anything else is sent to the
// process that unlinks.
func (c *conn) handleUnlink(ctl *dist.Control) error {
	if err := c.fromPeer(ctl); err != nil {
		return err
	}
	if p := c.node.processes.find(ctl.To); p != nil {
		p.mu.Lock()
		p.links.unlinked(ctl.From)
		p.mu.Unlock()
	}
	c.signal(&dist.Control{Op: dist.OpUnlinkIDAck, ID: ctl.ID, From: ctl.To, To: ctl.From}, nil)
	return nil
}

func (c *conn) handleExit(s *dist.Signal, linked bool) error {
	if err := c.fromPeer(&s.Control); err != nil {
		return err
	}
	reason, err := reasonOf(s)
	if err != nil {
		return err
	}
	if p := c.node.processes.find(s.Control.To); p != nil {
		p.exitSignal(s.Control.From, reason, linked)
	}
	return nil
}

func (c *conn) handleMonitor(ctl *dist.Control) error {
	if err := c.fromPeer(ctl); err != nil {
		return err
	}
	w := watcher{pid: ctl.From, name: ctl.ToName}
	p := c.node.local(target{pid: ctl.To, name: ctl.ToName})
	if p != nil && c.relate(p) && p.addWatcher(ctl.Ref, w) {
		return nil
	}
	c.sendDown(ctl.To, w, ctl.Ref, reasonNoProc)
	return nil
}

func (c *conn) handleDemonitor(ctl *dist.Control) error {
	if err := c.fromPeer(ctl); err != nil {
		return err
	}
	if p := c.node.local(target{pid: ctl.To, name: ctl.ToName}); p != nil {
		p.removeWatcher(ctl.Ref)
	}
	return nil
}

func (c *conn) handleDown(s *dist.Signal) error {
	reason, err := reasonOf(s)
	if err != nil {
		return err
	}
	if p := c.node.processes.find(s.Control.To); p != nil {
		p.down(s.Control.Ref, reason)
	}
	return nil
}

// handleSpawn answers a spawn request. This node has no functions to run, so it
// does what a BEAM without the module does: the process starts and ends at once
// with undef. Not to answer would hang the requester.
func (c *conn) handleSpawn(s *dist.Signal) error {
	ctl := s.Control
	args, err := message(s).Term()
	if err != nil {
		return err
	}
	p, err := c.node.visitor()
	if err != nil {
		return err
	}
	reply := dist.Control{Op: dist.OpSpawnReply, Ref: ctl.Ref, From: ctl.From, To: ctl.From, Result: p.pid}
	options, _ := ctl.Options.(etf.List)
	c.relate(p)
	p.mu.Lock()
	for _, option := range options {
		switch option {
		case etf.Term(etf.Atom("link")):
			reply.Flags |= dist.SpawnFlagLink
			p.links.linked(ctl.From)
		case etf.Term(etf.Atom("monitor")):
			reply.Flags |= dist.SpawnFlagMonitor
			p.watchers = map[etf.Ref]watcher{ctl.Ref: {pid: ctl.From}}
		}
	}
	p.mu.Unlock()
	c.signal(&reply, nil)
	p.terminate(etf.Tuple{etf.Atom("undef"), etf.List{etf.Tuple{ctl.Module, ctl.Function, args, etf.List{}}}})
	return nil
}

// handleAltact is op 37: one op for what has several of the older ones. Its
// priority flag is only a hint to a receiver that asked for it.
func (c *conn) handleAltact(s *dist.Signal) error {
	ctl := &s.Control
	p := c.node.local(target{pid: ctl.To, name: ctl.ToName, alias: ctl.Ref})
	if ctl.Flags&dist.AltactExit != 0 {
		reason, err := message(s).Term()
		if err != nil {
			return err
		}
		if p != nil {
			p.exitSignal(ctl.From, reason, false)
		}
		return nil
	}
	if p != nil {
		p.mailbox.put(message(s))
	}
	return nil
}

// sendExit sends an exit signal to a process of the peer.
func (c *conn) sendExit(from, to etf.Pid, reason etf.Term, linked bool) {
	c.signal(exitControl(from, to, linked), reason)
}

func exitControl(from, to etf.Pid, linked bool) *dist.Control {
	if linked {
		return &dist.Control{Op: dist.OpPayloadExit, From: from, To: to}
	}
	return &dist.Control{Op: dist.OpPayloadExit2, From: from, To: to}
}

// sendDown tells a watcher on the peer that the process it monitors is gone.
func (c *conn) sendDown(from etf.Pid, w watcher, ref etf.Ref, reason etf.Term) {
	c.signal(&dist.Control{Op: dist.OpPayloadMonitorPExit, From: from, FromName: w.name, To: w.pid, Ref: ref}, reason)
}

// sendExit sends an exit signal from a local process to any other.
func (n *Node) sendExit(from, to etf.Pid, reason etf.Term, linked bool) {
	if string(to.Node) == n.name {
		if p := n.processes.find(to); p != nil {
			p.exitSignal(from, reason, linked)
		}
		return
	}
	if c := n.connected(string(to.Node)); c != nil {
		c.sendExit(from, to, reason, linked)
	}
}

// Exit sends an exit signal to a process, as exit/2: reason kill ends it in any
// case, any other unless it traps exits.
func (p *Process) Exit(ctx context.Context, to etf.Pid, reason etf.Term) error {
	n := p.node
	if string(to.Node) == n.name {
		n.sendExit(p.pid, to, reason, false)
		return nil
	}
	c, err := n.connection(ctx, string(to.Node))
	if err != nil {
		return err
	}
	return c.send(ctx, exitControl(p.pid, to, false), reason)
}
