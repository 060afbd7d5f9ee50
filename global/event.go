package global

import (
	"slices"
	"time"

	"github.com/truss-beam/truss/etf"
)

// What can happen to a machine. Messages of peers are in wire.go.
type (
	nodeUp   struct{ node string }
	nodeDown struct{ node string }
	// down: a process that was monitored is gone, or its node is.
	down struct {
		pid         etf.Pid
		unreachable bool // which is all that is known of it
	}
	// replied and gone end a call to a node. gone ends all that a process of ours
	// has called there.
	replied struct {
		id    int64
		node  string
		reply etf.Term
	}
	gone struct {
		as   etf.Pid
		node string
	}
	// connected is the outcome of a connect action.
	connected struct {
		connect
		ok bool
	}
	// resolutions is the outcome of a resolve action.
	resolutions struct {
		node      string
		tag       int64
		conflicts []conflict
	}
	fired struct{ timer int64 }
	// apart: a connected node is in a global group, and thus shares no names with us.
	apart struct{ node string }
	// leaving: the node is about to disconnect from all others, who are not to
	// take that for the loss of connections.
	leaving struct{ done func(nodes []string) }
)

func (e nodeUp) happen(m *machine) {
	if m.up[e.node] {
		return
	}
	m.up[e.node] = true
	if m.connectAll {
		m.greet(e.node)
	}
}

func (e nodeDown) happen(m *machine) {
	m.purge(e.node)
	if !m.up[e.node] {
		return // we have left it
	}
	delete(m.restarts, e.node)
	delete(m.up, e.node)
	delete(m.apart, e.node)
	m.forget(e.node, disconnected)
	if m.again[e.node] {
		delete(m.again, e.node)
		m.do(connect{node: e.node})
	}
}

// purge takes names and locks from all processes of a node that is down. Their
// monitors have fired; but one that was to be made when the last messages of the
// old connection were read may get made over the next one, and never fire.
func (m *machine) purge(node string) {
	var pids []etf.Pid
	for pid := range m.monitors {
		if string(pid.Node) == node {
			pids = append(pids, pid)
		}
	}
	slices.SortFunc(pids, func(a, b etf.Pid) int { return etf.Compare(a, b) })
	for _, pid := range pids {
		m.locksOf(pid)
		m.namesOf(pid)
	}
}

func (e down) happen(m *machine) {
	delete(m.monitors, e.pid)
	if e.unreachable {
		m.miss(e.pid)
	}
	m.locksOf(e.pid)
	m.namesOf(e.pid)
}

func (e replied) happen(m *machine) { m.answered(e.id, e.node, e.reply, true) }

func (e gone) happen(m *machine) {
	for _, id := range m.callsOf(e.as) {
		m.answered(id, e.node, nil, false)
	}
}

func (e connected) happen(m *machine) {
	if e.ok || e.say == nil {
		return // its nodeup, if it has come up, does the rest
	}
	if m.up[e.node] {
		m.do(send{node: e.node, msg: e.say})
		return
	}
	// A node that was up when the operations were assembled has died since, and no
	// nodedown will tell.
	m.do(note{text: "cannot connect to a node of the cluster", args: []any{"peer", e.node}})
	m.purge(e.node)
	m.forget(e.node, disconnected)
}

func (e resolutions) happen(m *machine) {
	s := m.sessions[e.node]
	if s == nil || !s.active || s.tag != e.tag {
		return
	}
	m.resolvedHere(e.node, s, e.conflicts)
}

func (e apart) happen(m *machine) {
	m.apart[e.node] = true // this may come before its nodeup, to another process
	if m.up[e.node] {
		m.purge(e.node)
		m.forget(e.node, ignored)
	}
	// Its global:sync waits for that if it takes us for one of its group. OTP does not
	// tell it, and it waits for ever. Once it has our config_error, it forgets what it
	// was told before.
	m.after(apartAfter, func() {
		if m.apart[e.node] {
			m.tell(e.node, m.inSync())
		}
	})
}

// apartAfter is when a node that shares no names with us is told not to wait for any.
const apartAfter = time.Second

func (e fired) happen(m *machine) {
	f := m.timers[e.timer]
	delete(m.timers, e.timer)
	if f != nil {
		f()
	}
}

func (e leaving) happen(m *machine) {
	nodes := sorted(m.up)
	for _, node := range nodes {
		m.forget(node, ignored)
		delete(m.up, node) // its nodedown then is none
		m.do(disconnect{node})
	}
	e.done(nodes)
}
