package truss

import (
	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// onSpawnRequest answers a spawn request. This node has no functions to run, so it
// does what a BEAM without the module does: the process starts and ends at once
// with undef. Not to answer would hang the requester.
func (c *conn) onSpawnRequest(s *dist.Signal) error {
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

// onSpawnReply is the answer to a spawn request of ours; this node makes none yet.
func (c *conn) onSpawnReply(*dist.Signal) error { return nil }
