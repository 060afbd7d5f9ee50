package truss

import (
	"github.com/truss-beam/truss/dist"
)

func (c *conn) onSend(s *dist.Signal) error {
	return deliver(c.node.processes.find(s.Control.To), s)
}

func (c *conn) onRegSend(s *dist.Signal) error {
	return deliver(c.node.names.find(s.Control.ToName), s)
}

func (c *conn) onAliasSend(s *dist.Signal) error {
	c.node.aliases.deliver(s.Control.Ref, message(s), false)
	return nil
}

// deliver puts a message in p's mailbox; without p it is dropped, as in OTP.
func deliver(p *Process, s *dist.Signal) error {
	if p != nil {
		p.deliver(message(s), ordinary)
	}
	return nil
}
