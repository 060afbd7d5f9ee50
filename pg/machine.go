package pg

import (
	"slices"

	"github.com/truss-beam/truss/etf"
)

// machine is the protocol without the process: what happens goes in through its
// methods, what is to be done about it comes out of take. It follows pg.erl of
// OTP 25, and is stricter in what it sends: see peers.
type machine struct {
	members
	self *source
	// peers are the scopes that have been sent a sync and everything since, so
	// that a leave never names a group they do not know. (In OTP a scope that is
	// known by its own sync may be sent a leave before any sync; if a process
	// leaves in just that moment, the peer's scope ends with a badkey.)
	peers map[etf.Pid]*source
	// joined is what each process of this node is in, and how often.
	joined map[etf.Pid]map[*group]int
	all    etf.List // what sync says; nil if it has to be made anew
	made   bool
	due    []effect
}

// effect is one thing for the runtime to do: a send, watch, unwatch or Event.
type effect any

type (
	// send sends a message to a peer's scope, if it is connected.
	send struct {
		to      etf.Pid  // by pid, or
		node    etf.Atom // by the scope's name there
		message etf.Term
	}
	watch   struct{ pid etf.Pid } // monitor: its end comes back as down
	unwatch struct{ pid etf.Pid }
)

func newMachine(self etf.Pid) *machine {
	return &machine{
		members: members{groups: make(map[string]*group)},
		self:    newSource(self),
		peers:   make(map[etf.Pid]*source),
		joined:  make(map[etf.Pid]map[*group]int),
	}
}

// take returns what is to be done, in order.
func (m *machine) take() []effect {
	due := m.due
	m.due = nil
	return due
}

func (m *machine) do(e effect) { m.due = append(m.due, e) }

func (m *machine) changed(n name, joined, left []etf.Pid) {
	if len(joined)+len(left) > 0 {
		m.do(Event{Group: n.term, Joined: joined, Left: left, key: n.key})
	}
}

// nodeUp: a node has come up, and may run the scope. For peers of it that are
// known already, as only Discover finds any, see discover.
func (m *machine) nodeUp(node etf.Atom) {
	m.do(send{node: node, message: discoverMessage(m.self.scope)})
	for pid := range m.peers {
		if pid.Node == node {
			m.do(send{to: pid, message: m.syncMessage()})
		}
	}
}

// knows tells whether a node's scope is known.
func (m *machine) knows(node etf.Atom) bool {
	for pid := range m.peers {
		if pid.Node == node {
			return true
		}
	}
	return false
}

// nodeDown: its scopes are gone. Their monitors have said so already, except of
// one that was not placed yet when the connection broke.
func (m *machine) nodeDown(node etf.Atom) {
	for pid := range m.peers {
		if pid.Node == node {
			m.down(pid)
		}
	}
}

// discover: a peer asks who is there. It hears so, and one that is new is asked
// back.
//
// That question is always followed by a sync, where OTP has the sync first. What
// is sent can be late: if the link breaks and comes back before it is written,
// the peer gets only the end of it. After a question alone it would know us, as
// having nothing, and the next leave would end it (TestNeverCrashesOTP25 found
// this). Whatever end it gets now: it does not know us and ignores it, until the
// sync.
func (m *machine) discover(peer etf.Pid) {
	if peer.Node == m.self.scope.Node {
		return // nobody but us has this scope here
	}
	if m.peers[peer] == nil {
		m.do(send{to: peer, message: discoverMessage(m.self.scope)})
		m.meet(peer)
		return
	}
	m.do(send{to: peer, message: m.syncMessage()})
}

// meet makes a peer known. It is told at once what is here: whatever is sent to
// it later changes that.
func (m *machine) meet(peer etf.Pid) {
	if m.peers[peer] != nil {
		return
	}
	m.do(send{to: peer, message: m.syncMessage()})
	m.do(watch{peer})
	m.peers[peer] = newSource(peer)
}

// sync: a peer says all it has. It replaces what was known of it.
func (m *machine) sync(peer etf.Pid, groups []membership) {
	if peer.Node == m.self.scope.Node {
		return
	}
	m.meet(peer)
	from := m.peers[peer]
	now := make(map[string]bag, len(groups))
	for _, g := range groups {
		b := now[g.key]
		if b == nil {
			b = make(bag, len(g.pids))
			now[g.key] = b
		}
		for _, pid := range g.pids {
			b.add(pid)
		}
	}
	for g := range from.groups {
		if now[g.key] == nil {
			m.replace(from, g.name, nil)
		}
	}
	for _, g := range groups {
		m.replace(from, g.name, now[g.key])
	}
}

func (m *machine) replace(from *source, n name, with bag) {
	added, removed := m.of(from, n).difference(with)
	m.join(from, n, added)
	m.leave(from, n, removed)
	m.changed(n, added, removed)
}

// update: members of a peer have joined and left. What an unknown scope says is
// ignored: it is of a peer whose loss has been dealt with, and a sync will come.
func (m *machine) update(peer etf.Pid, changes []change) {
	from := m.peers[peer]
	if from == nil {
		return
	}
	for _, c := range changes {
		left := m.leave(from, c.name, c.left)
		m.join(from, c.name, c.joined)
		m.changed(c.name, c.joined, left)
	}
}

// down: a process that is watched has ended, or its node is gone.
func (m *machine) down(pid etf.Pid) {
	if from := m.peers[pid]; from != nil {
		delete(m.peers, pid)
		for g, b := range from.groups {
			m.forget(from, g)
			m.changed(g.name, nil, b.appendTo(nil))
		}
	}
	if in := m.joined[pid]; in != nil {
		delete(m.joined, pid)
		m.ended(pid, in)
	}
}

// ended takes a process of this node out of everything it is in.
func (m *machine) ended(pid etf.Pid, in map[*group]int) {
	var groups etf.List // each as often as the process was in it, for every one takes out one
	for g, n := range in {
		left := m.leave(m.self, g.name, slices.Repeat([]etf.Pid{pid}, n))
		m.changed(g.name, nil, left)
		for range n {
			groups = append(groups, g.term)
		}
	}
	m.tell(leaveMessage(m.self.scope, []etf.Pid{pid}, groups))
}

// joinLocal adds processes of this node to a group.
func (m *machine) joinLocal(n name, pids []etf.Pid) {
	if len(pids) == 0 {
		return
	}
	m.join(m.self, n, pids)
	g := m.groups[n.key]
	for _, pid := range pids {
		if m.joined[pid] == nil {
			m.joined[pid] = make(map[*group]int)
			m.do(watch{pid})
		}
		m.joined[pid][g]++
	}
	m.changed(n, pids, nil)
	m.tell(joinMessage(m.self.scope, n.term, pids))
}

// leaveLocal takes one occurrence of each process out, and tells whether any was
// there.
func (m *machine) leaveLocal(n name, pids []etf.Pid) bool {
	g := m.groups[n.key]
	left := m.leave(m.self, n, pids)
	if len(left) == 0 {
		return false
	}
	for _, pid := range left {
		in := m.joined[pid]
		if in[g]--; in[g] == 0 {
			delete(in, g)
		}
		if len(in) == 0 {
			delete(m.joined, pid)
			m.do(unwatch{pid})
		}
	}
	m.changed(n, nil, left)
	m.tell(leaveMessage(m.self.scope, left, etf.List{n.term}))
	return true
}

// tell sends a change of our own members to every peer.
func (m *machine) tell(message etf.Term) {
	m.all, m.made = nil, false
	for pid := range m.peers {
		m.do(send{to: pid, message: message})
	}
}

// syncMessage says all that is here. The list is kept until something changes:
// when a node joins a large cluster, hundreds ask for the same.
func (m *machine) syncMessage() etf.Term {
	if !m.made {
		for g, b := range m.self.groups {
			m.all = append(m.all, etf.Tuple{g.term, pidList(b.appendTo(nil))})
		}
		m.made = true
	}
	return syncMessage(m.self.scope, m.all)
}
