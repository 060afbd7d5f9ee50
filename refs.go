package truss

import (
	"sync/atomic"

	"github.com/truss-beam/truss/etf"
)

// refs makes a node's references.
type refs struct{ last atomic.Uint64 }

// newRef returns a reference this node has not had before: three words as every
// OTP knows them, the first of 18 bits.
func (n *Node) newRef() etf.Ref {
	number := n.refs.last.Add(1)
	return etf.Ref{
		Node:     etf.Atom(n.name),
		Creation: n.creation,
		Len:      3,
		Words:    [5]uint32{uint32(number) & (1<<18 - 1), uint32(number >> 18), uint32(number >> 50)},
	}
}

// NewRef returns a reference that is unlike any other in the cluster, as
// make_ref/0.
func (n *Node) NewRef() etf.Ref { return n.newRef() }
