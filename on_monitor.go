package truss

import (
	"github.com/truss-beam/truss/dist"
)

func (c *conn) onMonitor(s *dist.Signal) error {
	ctl := &s.Control
	if err := c.fromPeer(ctl); err != nil {
		return err
	}
	w := watcher{pid: ctl.From, name: ctl.ToName}
	p := c.node.local(target{pid: ctl.To, name: ctl.ToName})
	if p != nil && c.relate(p) && p.addWatcher(ctl.Ref, w) {
		return nil
	}
	c.sendDown(ctl.To, w, ctl.Ref, reasonNoProc)
	return nil
}

func (c *conn) onDemonitor(s *dist.Signal) error {
	ctl := &s.Control
	if err := c.fromPeer(ctl); err != nil {
		return err
	}
	if p := c.node.local(target{pid: ctl.To, name: ctl.ToName}); p != nil && p.removeWatcher(ctl.Ref) || ctl.ToName == "" {
		return nil
	}
	// The name has been given up, or to another process, since. The one it meant
	// then is among those that are related to the peer.
	for _, p := range c.relatives() {
		if p.removeWatcher(ctl.Ref) {
			break
		}
	}
	return nil
}

func (c *conn) onDown(s *dist.Signal) error {
	reason, err := c.reasonOf(s)
	if err != nil {
		return err
	}
	if p := c.node.processes.find(s.Control.To); p != nil {
		c.handed(p, p.downQuietly(s.Control.Ref, reason))
	}
	return nil
}
