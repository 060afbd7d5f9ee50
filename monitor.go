package truss

import (
	"context"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// monitor is what a process keeps of one process it monitors.
type monitor struct {
	target target
	object any      // what Down calls it: an etf.Pid or a Name
	on     *Process // the process itself, if it is on this node

	pending bool // it is of a process to be spawned, of which no answer has come
}

// watcher is what a process keeps of one that monitors it.
type watcher struct {
	pid  etf.Pid
	name etf.Atom // the name it was monitored by, which DOWN then carries, or ""
}

// Monitor watches another process, here or on another node, by pid or
// registered name. When it ends, cannot be reached, or is not there at all,
// exactly one Down with the returned reference arrives. The error tells of a
// destination that cannot be one; that is not connected is a Down.
func (p *Process) Monitor(ctx context.Context, to any) (etf.Ref, error) {
	n := p.node
	var t target
	if err := n.targetOf(&t, to); err != nil {
		return etf.Ref{}, err
	}
	ref := n.newRef()
	return ref, p.monitor(ctx, ref, t)
}

func (p *Process) monitor(ctx context.Context, ref etf.Ref, t target) error {
	n := p.node
	m := monitor{target: t, object: t.pid}
	if t.name != "" {
		m.object = Name{Name: string(t.name), Node: t.node}
		if t.node == "" {
			m.object = Name{Name: string(t.name), Node: n.name}
		}
	}
	if t.node == "" {
		m.on = n.local(t)
	}
	if !p.addMonitor(ref, m) {
		return p.exited()
	}
	if t.node == "" {
		if m.on == nil || !m.on.addWatcher(ref, watcher{pid: p.pid, name: t.name}) {
			p.down(ref, reasonNoProc)
		}
		return nil
	}
	c, err := n.connection(ctx, t.node)
	if err == nil {
		ctl := dist.Control{Op: dist.OpMonitorP, From: p.pid, To: t.pid, ToName: t.name, Ref: ref}
		err = c.sendRelated(ctx, p, &ctl)
	}
	if err != nil {
		p.down(ref, reasonNoConnection)
	}
	return nil
}

func (p *Process) addMonitor(ref etf.Ref, m monitor) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		return false
	}
	p.bound().monitors.set(ref, m)
	return true
}

func (p *Process) dropMonitor(ref etf.Ref) {
	p.mu.Lock()
	p.bound().monitors.remove(ref)
	p.mu.Unlock()
}

func (p *Process) addWatcher(ref etf.Ref, w watcher) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		return false
	}
	p.bound().watchers.set(ref, w)
	return true
}

// removeWatcher tells whether there was one.
func (p *Process) removeWatcher(ref etf.Ref) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.bound().watchers.remove(ref)
	return ok
}

// Demonitor ends a monitor. No Down with its reference arrives afterwards, and
// one that has arrived is taken out of the mailbox.
func (p *Process) Demonitor(ref etf.Ref) {
	p.mu.Lock()
	m, ok := p.bound().monitors.remove(ref)
	p.mu.Unlock()
	if ok {
		p.node.sendDemonitor(p, ref, m)
		return
	}
	p.mailbox.take(position{}, func(m Message) bool {
		down, ok := m.Signal().(Down)
		return ok && down.Ref == ref
	})
}

// down delivers the Down of a monitor that still stands.
func (p *Process) down(ref etf.Ref, reason etf.Term) {
	if p.downQuietly(ref, reason).asleep {
		p.mailbox.rouse()
	}
}

// downQuietly is down, but for waking p. The Down is in the mailbox when p.mu is free
// again: a Demonitor finds either the monitor or the Down.
func (p *Process) downQuietly(ref etf.Ref, reason etf.Term) (r reception) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m, ok := p.bound().monitors.remove(ref); ok {
		r = p.mailbox.putQuietly(expected, signalMessage(Down{Ref: ref, Object: m.object, Reason: reason}))
	}
	return r
}

// sendDemonitor tells the other side that p no longer monitors it.
func (n *Node) sendDemonitor(p *Process, ref etf.Ref, m monitor) {
	if m.on != nil {
		m.on.removeWatcher(ref)
		return
	}
	if m.pending {
		return // started sees that the monitor is gone
	}
	if m.target.node == "" {
		return // there was no such process; the Down is on its way
	}
	if c := n.connected(m.target.node); c != nil {
		c.signal(&dist.Control{Op: dist.OpDemonitorP, From: p.pid, To: m.target.pid, ToName: m.target.name, Ref: ref}, nil)
	}
}

// sendDown tells a watcher of p that p has ended.
func (n *Node) sendDown(p *Process, ref etf.Ref, w watcher, reason etf.Term) {
	if string(w.pid.Node) == n.name {
		if q := n.processes.find(w.pid); q != nil {
			q.down(ref, reason)
		}
		return
	}
	if c := n.connected(string(w.pid.Node)); c != nil {
		c.sendDown(p.pid, w, ref, reason)
	}
}
