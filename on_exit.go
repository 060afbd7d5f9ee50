package truss

import (
	"github.com/truss-beam/truss/dist"
)

// onExit is the end of a linked process.
func (c *conn) onExit(s *dist.Signal) error { return c.exitSignal(s, true) }

// onExit2 is an exit signal that a process sent with exit/2.
func (c *conn) onExit2(s *dist.Signal) error { return c.exitSignal(s, false) }

func (c *conn) exitSignal(s *dist.Signal, linked bool) error {
	if err := c.fromPeer(&s.Control); err != nil {
		return err
	}
	reason, err := c.reasonOf(s)
	if err != nil {
		return err
	}
	if p := c.node.processes.find(s.Control.To); p != nil {
		p.exitSignal(s.Control.From, reason, linked)
	}
	return nil
}
