package truss

import (
	"context"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

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
	if err := p.exited(); err != nil {
		return err
	}
	reason, err := reasonTerm(reason)
	if err != nil {
		return err
	}
	if string(to.Node) == n.name {
		n.sendExit(p.pid, to, reason, false)
		return nil
	}
	c, err := n.connection(ctx, string(to.Node))
	if err != nil {
		return err
	}
	return c.send(ctx, p, exitControl(p.pid, to, false), reason)
}
