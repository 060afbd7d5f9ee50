package truss

import (
	"github.com/truss-beam/truss/dist"
)

func (c *conn) onSend(s *dist.Signal) error {
	p := c.receiver // most messages come behind another for the same process
	if p == nil || p.pid != s.Control.To {
		p = c.node.processes.find(s.Control.To)
	}
	return c.deliverTo(p, s)
}

func (c *conn) onRegSend(s *dist.Signal) error {
	return c.deliverTo(c.node.names.find(s.Control.ToName), s)
}

func (c *conn) onAliasSend(s *dist.Signal) error {
	return c.deliverAlias(s, false)
}

// deliverTo puts a message in p's mailbox; without p it is dropped, as in OTP.
func (c *conn) deliverTo(p *Process, s *dist.Signal) error {
	if p != nil {
		c.deliver(p, c.message(s))
	}
	return nil
}

// deliverAlias puts a message in the mailbox that an alias stands for, at once: after
// Unalias none may come.
func (c *conn) deliverAlias(s *dist.Signal, pressing bool) error {
	c.hand()
	c.node.aliases.deliver(s.Control.Ref, pressing, func(p *Process, how priority) {
		c.handed(p, p.mailbox.putQuietly(how, c.message(s)))
	})
	return nil
}
