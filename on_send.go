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
	return deliver(c.node.aliases.find(s.Control.Ref), s)
}

// deliver puts a message in p's mailbox; without p it is dropped, as in OTP.
func deliver(p *Process, s *dist.Signal) error {
	if p != nil {
		p.mailbox.put(message(s))
	}
	return nil
}

// onAltact is op 37: one op for what has several of the older ones. Its
// priority flag is only a hint to a receiver that asked for it.
func (c *conn) onAltact(s *dist.Signal) error {
	ctl := &s.Control
	p := c.node.local(target{pid: ctl.To, name: ctl.ToName, alias: ctl.Ref})
	if ctl.Flags&dist.AltactExit != 0 {
		reason, err := message(s).Term()
		if err != nil {
			return err
		}
		if p != nil {
			p.exitSignal(ctl.From, reason, false)
		}
		return nil
	}
	return deliver(p, s)
}
