package truss

import (
	"github.com/truss-beam/truss/dist"
)

// onGroupLeader is group_leader/2 on a process of ours. Go processes have no
// group leader: they write where the program writes.
func (c *conn) onGroupLeader(*dist.Signal) error { return nil }
