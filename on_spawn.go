package truss

import (
	"errors"
	"fmt"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// onSpawnRequest starts a process for one of the peer's. Every request is
// answered, or the requester hangs, and the answer is queued before the process
// starts: it precedes all its signals. The arguments are the new process's to
// decode.
func (c *conn) onSpawnRequest(s *dist.Signal) error {
	ctl := s.Control
	if err := c.fromPeer(&ctl); err != nil {
		return err
	}
	reply := dist.Control{Op: dist.OpSpawnReply, Ref: ctl.Ref, To: ctl.From}
	options, ok := parseSpawnOptions(ctl.Options)
	if !ok {
		reply.Result = etf.Atom("badopt")
		c.signal(&reply, nil)
		return nil
	}
	p, err := c.node.newChild(ctl.Leader)
	if errors.Is(err, errTooManyChildren) {
		c.node.log.Error("too many processes: spawn refused", "peer", c.name, "limit", maxChildren)
		reply.Result = etf.Atom("system_limit")
		c.signal(&reply, nil)
		return nil
	}
	if err != nil {
		return nil // the node is closing, which ends the connection, too
	}
	if !c.bindChild(p, &ctl, options) {
		c.node.dropChild(p, reasonNoConnection)
		return nil
	}
	reply.Result = p.pid
	if options.link {
		reply.Flags |= dist.SpawnFlagLink
	}
	if options.monitor {
		reply.Flags |= dist.SpawnFlagMonitor
	}
	c.gatherFrom()
	c.signal(&reply, nil)
	c.node.startChild(p, mfa{module: ctl.Module, function: ctl.Function, args: c.message(s)}.run)
	if c.started++; c.started == signalsPerRouse {
		c.rouse()
	}
	return nil
}

// bindChild links and monitors the new process as its request asks; the monitor's
// reference is that of the request. False if the connection is lost, which ends a
// process that was to be linked before it starts.
func (c *conn) bindChild(p *Process, ctl *dist.Control, options childOptions) bool {
	if !options.link && !options.monitor {
		return true
	}
	if !c.relate(p) {
		return !options.link
	}
	if options.monitor {
		p.addWatcher(ctl.Ref, watcher{pid: ctl.From})
	}
	return !options.link || p.addLink(ctl.From)
}

// onSpawnReply is the answer to a request of ours. One to no request of ours, or
// no more, is dropped.
func (c *conn) onSpawnReply(s *dist.Signal) error {
	ctl := &s.Control
	pid, ok := ctl.Result.(etf.Pid)
	if ok && string(pid.Node) != c.name {
		return fmt.Errorf("%v with %v, which is not a process of this peer", ctl.Op, pid)
	}
	request := c.takeSpawning(ctl.Ref)
	switch {
	case request == nil:
	case ok:
		request.started(c, pid, ctl.Flags)
	default:
		reason, _ := ctl.Result.(etf.Atom) // dist lets nothing else through
		request.refused(&SpawnError{Node: c.name, Reason: reason})
	}
	return nil
}

// started makes the requester's end of the link and the monitor. If the requester
// is dead, or has abandoned the request, the child is told so instead.
func (s *spawning) started(c *conn, child etf.Pid, flags uint64) {
	p := s.by
	linked := s.link && flags&dist.SpawnFlagLink != 0
	monitored := s.monitor && flags&dist.SpawnFlagMonitor != 0
	p.mu.Lock()
	if s.outcome == nil {
		_, awaited := p.bound().monitors.get(s.ref)
		s.abandoned = !awaited // by Demonitor, which left the rest to this
	}
	dead := p.dead || s.abandoned
	var reason etf.Term
	switch {
	case s.abandoned:
		reason = etf.Atom("abandoned")
	case p.dead:
		reason = p.exit.Reason
	}
	if !dead && linked {
		p.bound().links.linked(child)
	}
	if !dead && monitored {
		p.bound().monitors.set(s.ref, monitor{target: target{node: c.name, pid: child}, object: child})
	}
	if s.outcome != nil {
		s.outcome <- spawned{pid: child}
	}
	p.mu.Unlock()
	if dead && monitored {
		c.signal(&dist.Control{Op: dist.OpDemonitorP, From: p.pid, To: child, Ref: s.ref}, nil)
	}
	if dead && linked {
		c.sendExit(p.pid, child, reason, true)
	}
}
