package truss

import (
	"github.com/truss-beam/truss/dist"
)

// onGroupLeader is group_leader/2 on a process of ours. Anyone may change anyone's.
func (c *conn) onGroupLeader(s *dist.Signal) error {
	if p := c.node.processes.find(s.Control.To); p != nil {
		p.mu.Lock()
		p.bound().leader = s.Control.From
		p.mu.Unlock()
	}
	return nil
}
