package truss

import (
	"context"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// Link links p to another process: when either ends, the other gets its exit
// signal. That there is no such process, or its node cannot be reached, arrives
// as an exit signal too: noproc, noconnection.
func (p *Process) Link(ctx context.Context, to etf.Pid) error {
	n := p.node
	if to == p.pid {
		return nil
	}
	if string(to.Node) == n.name {
		return n.linkLocal(p, to)
	}
	c, err := n.connection(ctx, string(to.Node))
	p.mu.Lock()
	if p.dead {
		p.mu.Unlock()
		return p.exited()
	}
	send := p.bound().links.link(to)
	p.mu.Unlock()
	if err == nil && send {
		err = c.sendRelated(ctx, p, &dist.Control{Op: dist.OpLink, From: p.pid, To: to})
	}
	if err != nil {
		p.exitSignal(to, reasonNoConnection, true)
	}
	return nil
}

// Unlink removes a link: no exit signal through it acts on p afterwards.
func (p *Process) Unlink(ctx context.Context, from etf.Pid) error {
	n := p.node
	if string(from.Node) == n.name {
		n.unlinkLocal(p, from)
		return nil
	}
	p.mu.Lock()
	id, send := p.bound().links.unlink(from)
	p.mu.Unlock()
	c := n.connected(string(from.Node))
	if !send || c == nil {
		return nil
	}
	return c.send(ctx, p, &dist.Control{Op: dist.OpUnlinkID, ID: id, From: p.pid, To: from}, nil)
}

// linkLocal links two processes of this node. Both ends change as one, under a
// lock of their own, so that no ids are needed.
func (n *Node) linkLocal(p *Process, to etf.Pid) error {
	n.localLinks.Lock()
	q := n.processes.find(to)
	linked := q != nil && q.addLink(p.pid)
	if !p.addLink(to) {
		if linked {
			q.dropLink(p.pid)
		}
		n.localLinks.Unlock()
		return p.exited()
	}
	n.localLinks.Unlock()
	if !linked {
		p.exitSignal(to, reasonNoProc, true)
	}
	return nil
}

func (n *Node) unlinkLocal(p *Process, from etf.Pid) {
	n.localLinks.Lock()
	defer n.localLinks.Unlock()
	p.dropLink(from)
	if q := n.processes.find(from); q != nil {
		q.dropLink(p.pid)
	}
}

func (p *Process) addLink(to etf.Pid) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dead {
		p.bound().links.linked(to)
	}
	return !p.dead
}

func (p *Process) dropLink(to etf.Pid) {
	p.mu.Lock()
	p.bound().links.broken(to)
	p.mu.Unlock()
}
