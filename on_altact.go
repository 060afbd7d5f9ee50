package truss

import (
	"github.com/truss-beam/truss/dist"
)

// onAltact is op 37: one op for what has several of the older ones. Its priority
// flag counts only with an alias that its owner made an AliasPriority.
func (c *conn) onAltact(s *dist.Signal) error {
	ctl := &s.Control
	toAlias := ctl.Flags&dist.AltactAlias != 0
	if ctl.Flags&dist.AltactExit == 0 {
		if toAlias {
			return c.deliverAlias(s, ctl.Flags&dist.AltactPriority != 0)
		}
		return c.deliverTo(c.node.local(target{pid: ctl.To, name: ctl.ToName}), s)
	}
	reason, err := c.term(s)
	if err != nil {
		return err
	}
	var p *Process
	if toAlias {
		p = c.node.aliases.take(ctl.Ref)
	} else {
		p = c.node.local(target{pid: ctl.To, name: ctl.ToName})
	}
	if p != nil {
		p.exitSignal(ctl.From, reason, false)
	}
	return nil
}
