package truss

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/truss-beam/truss/etf"
)

// processes is the table of a node's live processes.
type processes struct {
	node     etf.Atom
	creation uint32
	last     atomic.Uint64 // the last pid number given out

	// Sharded by pid number: every message looks its receiver up here, every
	// spawn writes.
	shards [64]struct {
		sync.RWMutex
		live   map[uint64]*Process
		closed bool
	}
}

// newPid returns a pid this node has not had before: 64 bits of number in ID and
// Serial, as V4 pids allow.
func (t *processes) newPid() etf.Pid {
	number := t.last.Add(1)
	return etf.Pid{Node: t.node, ID: uint32(number), Serial: uint32(number >> 32), Creation: t.creation}
}

func pidNumber(pid etf.Pid) uint64 { return uint64(pid.Serial)<<32 | uint64(pid.ID) }

func (t *processes) add(p *Process) error {
	number := pidNumber(p.pid)
	shard := &t.shards[number%uint64(len(t.shards))]
	shard.Lock()
	defer shard.Unlock()
	if shard.closed {
		return ErrClosed
	}
	if shard.live == nil {
		shard.live = make(map[uint64]*Process)
	}
	shard.live[number] = p
	return nil
}

func (t *processes) remove(p *Process) {
	number := pidNumber(p.pid)
	shard := &t.shards[number%uint64(len(t.shards))]
	shard.Lock()
	defer shard.Unlock()
	delete(shard.live, number)
}

// find returns the live process of a pid, or nil: also for a pid of this name's
// earlier incarnation.
func (t *processes) find(pid etf.Pid) *Process {
	if pid.Creation != t.creation || pid.Node != t.node {
		return nil
	}
	number := pidNumber(pid)
	shard := &t.shards[number%uint64(len(t.shards))]
	shard.RLock()
	defer shard.RUnlock()
	return shard.live[number]
}

// close refuses new processes from now on and returns those that live.
func (t *processes) close() (live []*Process) {
	for i := range t.shards {
		shard := &t.shards[i]
		shard.Lock()
		shard.closed = true
		for _, p := range shard.live {
			live = append(live, p)
		}
		shard.Unlock()
	}
	return live
}

// names is the table of registered names.
type names struct {
	mu sync.RWMutex
	m  map[etf.Atom]*Process
}

func (t *names) find(name etf.Atom) *Process {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.m[name]
}

func (t *names) remove(name etf.Atom, p *Process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m[name] == p {
		delete(t.m, name)
	}
}

// Register gives p a name that others can send to, as {Name, Node} from other
// nodes. A process can have several. The name is free again when p ends.
func (n *Node) Register(name string, p *Process) error {
	if name == "" || name == "undefined" {
		return fmt.Errorf("truss: %q cannot be a registered name", name)
	}
	if p.node != n {
		return fmt.Errorf("truss: cannot register a process of node %s on %s", p.node.name, n.name)
	}
	atom := etf.Atom(name)
	n.names.mu.Lock()
	defer n.names.mu.Unlock()
	if holder := n.names.m[atom]; holder != nil {
		return fmt.Errorf("%w: %s is %v", ErrNameTaken, name, holder.pid)
	}
	// names.mu, then p.mu: a process that dies meanwhile has either taken its list
	// of names already (dead is set, and we refuse), or will remove this one.
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		return fmt.Errorf("truss: cannot register %s: %w", name, p.exit)
	}
	if n.names.m == nil {
		n.names.m = make(map[etf.Atom]*Process)
	}
	n.names.m[atom] = p
	b := p.bound()
	b.names = append(b.names, atom)
	return nil
}

// Unregister frees a name, and tells whether it was registered.
func (n *Node) Unregister(name string) bool {
	atom := etf.Atom(name)
	n.names.mu.Lock()
	p := n.names.m[atom]
	delete(n.names.m, atom)
	n.names.mu.Unlock()
	return p != nil
}

// Whereis returns the process registered under name on this node, or nil.
func (n *Node) Whereis(name string) *Process { return n.names.find(etf.Atom(name)) }
