package truss

import (
	"fmt"

	"github.com/truss-beam/truss/etf"
)

// Name is a registered name on a node: Erlang's {Name, Node}. An empty Node is
// the node the name is used on.
type Name struct{ Name, Node string }

func (n Name) String() string {
	if n.Node == "" {
		return n.Name
	}
	return "{" + n.Name + ", " + n.Node + "}"
}

// target is a checked destination: exactly one of pid, name and alias is set.
type target struct {
	node  string // the peer, or "" for this node
	pid   etf.Pid
	name  etf.Atom
	alias etf.Ref

	priority bool // with an alias: ahead of other messages
}

// targetOf checks what a caller gave as destination: an etf.Pid, a *Process, a
// Name, a string or etf.Atom (a name registered here), or an etf.Ref (an alias). It fills
// in t, which is empty: to return one takes a tenth of the time of sending.
func (n *Node) targetOf(t *target, to any) error {
	if pid, ok := to.(etf.Pid); ok && pid.Node != "" && string(pid.Node) != n.name {
		t.pid, t.node = pid, string(pid.Node)
		return nil // as soon as that: most messages go this way
	}
	switch to := to.(type) {
	case etf.Pid:
		t.pid, t.node = to, string(to.Node)
	case *Process:
		t.pid, t.node = to.pid, to.node.name
	case Name:
		if to.Name != "" {
			t.name, t.node = etf.Atom(to.Name), to.Node
		}
	case string:
		t.name = etf.Atom(to)
	case etf.Atom:
		t.name = to
	case etf.Ref:
		t.alias, t.node = to, string(to.Node)
	case Priority:
		t.alias, t.node, t.priority = etf.Ref(to), string(to.Node), true
	default:
		return fmt.Errorf("truss: cannot send to a %T: give a Pid, *Process, Name, registered name or alias", to)
	}
	if t.node == n.name {
		t.node = ""
	}
	if *t == (target{}) {
		return fmt.Errorf("truss: cannot send to an empty %T", to)
	}
	return nil
}

// local finds the process a target on this node, other than an alias, means; nil
// if there is none.
func (n *Node) local(t target) *Process {
	if t.name != "" {
		return n.names.find(t.name)
	}
	return n.processes.find(t.pid)
}
