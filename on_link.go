package truss

import (
	"github.com/truss-beam/truss/dist"
)

func (c *conn) onLink(s *dist.Signal) error {
	ctl := &s.Control
	if err := c.fromPeer(ctl); err != nil {
		return err
	}
	p := c.node.processes.find(ctl.To)
	if p != nil && c.relate(p) {
		p.mu.Lock()
		dead := p.dead
		if !dead {
			p.bound().links.linked(ctl.From)
		}
		p.mu.Unlock()
		if !dead {
			return nil
		}
	}
	c.sendExit(ctl.To, ctl.From, reasonNoProc, true)
	return nil
}

// onUnlink acknowledges in any case, and before anything else is sent to the
// process that unlinks.
func (c *conn) onUnlink(s *dist.Signal) error {
	ctl := &s.Control
	if err := c.fromPeer(ctl); err != nil {
		return err
	}
	if p := c.node.processes.find(ctl.To); p != nil {
		p.mu.Lock()
		p.bound().links.unlinked(ctl.From)
		p.mu.Unlock()
	}
	c.signal(&dist.Control{Op: dist.OpUnlinkIDAck, ID: ctl.ID, From: ctl.To, To: ctl.From}, nil)
	return nil
}

func (c *conn) onUnlinkAck(s *dist.Signal) error {
	if err := c.fromPeer(&s.Control); err != nil {
		return err
	}
	if p := c.node.processes.find(s.Control.To); p != nil {
		p.mu.Lock()
		p.bound().links.acknowledged(s.Control.From, s.Control.ID)
		p.mu.Unlock()
	}
	return nil
}
