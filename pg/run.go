package pg

import (
	"errors"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// run is the scope's process: it feeds what arrives to the machine.
func (s *Scope) run() error {
	p := s.process
	p.TrapExit(true) // a scope ends by Close, its node's end, or exit(Pid, kill)
	p.MonitorNodes()
	_ = s.change(func() error { // fails only if the scope has ended already
		for _, node := range s.node.Nodes() {
			s.machine.nodeUp(etf.Atom(node))
		}
		return nil
	})
	for {
		m, err := p.Receive(s.ctx)
		if err != nil {
			s.end()
			return &truss.ExitError{Reason: etf.Atom("shutdown")}
		}
		s.receive(m)
	}
}

// end stops everything that belongs to the scope but its process.
func (s *Scope) end() {
	s.cancel()
	s.mu.Lock()
	s.closed = true
	if s.again != nil {
		s.again.Stop()
	}
	s.mu.Unlock()
	s.out.busy.Wait()
	s.pumps.Wait()
}

// receive acts on one message.
func (s *Scope) receive(m truss.Message) {
	term, err := m.Term()
	if err != nil {
		s.log.Warn("pg: message cannot be read", "error", err)
		return
	}
	_ = s.change(func() error { // as above
		switch t := term.(type) {
		case truss.Down:
			if pid, ok := t.Object.(etf.Pid); ok {
				s.machine.down(pid)
			}
		case truss.NodeEvent:
			s.nodeEvent(t)
		case truss.Exit: // somebody is linked to us; nothing to us
		default:
			if err := s.machine.hear(t); err != nil {
				s.log.Debug("pg: message ignored", "message", m, "error", err)
			}
		}
		return nil
	})
}

func (s *Scope) nodeEvent(e truss.NodeEvent) {
	if e.Up {
		s.out.fresh(etf.Atom(e.Node))
	}
	switch {
	case !e.Up:
		s.machine.nodeDown(etf.Atom(e.Node))
	case !e.Hidden || s.asked[e.Node]:
		s.machine.nodeUp(etf.Atom(e.Node))
	}
}

// perform does what the machine asks for. s.mu is held.
func (s *Scope) perform(e effect) {
	switch e := e.(type) {
	case send:
		s.send(e)
	case watch:
		s.watch(e.pid)
	case unwatch:
		s.process.Demonitor(s.watches[e.pid])
		delete(s.watches, e.pid)
	case Event:
		s.publish(e)
	}
}

func (s *Scope) send(e send) {
	node, to := e.to.Node, any(e.to)
	if e.node != "" {
		node, to = e.node, truss.Name{Name: s.name, Node: string(e.node)}
	}
	s.out.put(node, func() bool {
		err := s.process.Send(s.ctx, to, e.message)
		if err != nil && s.ctx.Err() == nil && !errors.Is(err, truss.ErrNoConnection) {
			s.log.Error("pg: cannot send", "peer", node, "error", err)
		}
		return err == nil
	})
}

// watch monitors a process. One of another node may have to wait its turn to be
// monitored; there is no need to know when, for a peer is watched once until it
// is down, and every monitor ends in one Down. One that is not placed, because the
// connection is lost, is made up for by the node's Down.
func (s *Scope) watch(pid etf.Pid) {
	if string(pid.Node) == s.node.Name() {
		s.watches[pid], _ = s.process.Monitor(s.ctx, pid) // fails only if the scope has ended
		return
	}
	s.out.put(pid.Node, func() bool {
		_, _ = s.process.Monitor(s.ctx, pid) // the same
		return true
	})
}
