package global

import (
	"maps"
	"slices"
	"time"

	"github.com/truss-beam/truss/etf"
)

// session is one attempt of two nodes to become known to each other, from
// nodeup until the names of their partitions are one. (In OTP it is what the
// process dictionary of global_name_server has about a node.)
//
//	init_connect both ways, each with a new tag     greet, initConnect
//	init_connect_ack                                initConnectAck
//	both lockers have their partition locked        locker.go, locked
//	exchange of all names                           exchange
//	conflicts resolved by the smaller node
//	resolved both ways                              resolved
//	new_nodes to the rest of each partition, del_lock
//
// Whatever does not fit cancels the session and starts another one.
type session struct {
	active bool  // there is a tag of ours: we have greeted
	tag    int64 // ours: what the peer's messages must carry

	greeted bool  // the peer has
	hisTag  int64 // what ours must carry
	vsn     int64 // the lower of both versions
	early   *initConnect

	locked    bool        // our locker has the lock, and the peer's
	lock      etf.Term    // its requester
	exchanged []entry     // the peer's names, come before we were locked
	waiting   bool        // exchanged is there
	ops       []operation // for our partition; from when conflicts are resolved
	ready     bool        // ops is there
	his       *resolved   // come before ops was there
}

// session returns the state kept for a node.
func (m *machine) session(node string) *session {
	s := m.sessions[node]
	if s == nil {
		s = new(session)
		m.sessions[node] = s
	}
	return s
}

// greet makes us known to a node that has come up, as OTP's handle_nodeup.
func (m *machine) greet(node string) {
	s := m.session(node)
	if _, known := m.known[node]; known || s.active {
		return
	}
	m.serial++
	early := s.early
	s.active, s.tag, s.early = true, m.serial, nil
	locker := etf.Tuple{etf.Atom("locker"), etf.Atom("no_longer_a_pid"), etf.List{}, m.locker}
	m.cast(node, etf.Tuple{etf.Atom("init_connect"), etf.Tuple{version, s.tag}, etf.Atom(m.self), locker})
	if early != nil {
		m.soon(func() { early.happen(m) })
	}
}

func (e initConnect) happen(m *machine) {
	if _, ongoing := m.pending[e.node]; ongoing {
		// He has begun anew: so must we. What he began with this is cancelled, so that
		// it must not be acknowledged.
		m.sendCancel(e.node, e.tag)
		m.restart(e.node)
		return
	}
	delete(m.apart, e.node) // its groups are gone
	s := m.session(e.node)
	s.greeted, s.hisTag, s.vsn = true, e.tag, min(e.vsn, version)
	if !s.active {
		s.early = &e
		if m.connectAll && m.up[e.node] && !m.restarts[e.node].pausing {
			// Its nodeup has been: our session has ended since, by an in_sync, and he begins
			// another. In OTP both then wait for each other.
			m.greet(e.node)
		}
		return
	}
	m.pending[e.node] = e.vsn
	m.toLocker(hisLocker{peer{node: e.node, locker: e.locker, vsn: s.vsn, tag: s.tag, hisTag: e.tag}})
	if e.vsn >= versionVerify {
		m.after(ackAfter, func() { m.acknowledge(e.node, s) })
	}
}

// ackAfter is when an init_connect is acknowledged. OTP does it at once. But all that
// an acknowledgement does is to end a session that is not the one acknowledged. If two
// nodes get connected just while another node's join tells each of the other, an OTP
// gets it too late, and forgets all our names: see sendCancel.
const ackAfter = 100 * time.Millisecond

// acknowledge tells the peer which session this is, if it is on still.
func (m *machine) acknowledge(node string, s *session) {
	if _, known := m.known[node]; known || m.sessions[node] != s {
		return
	}
	m.tell(node, etf.Tuple{etf.Atom("init_connect_ack"), etf.Atom(m.self), s.hisTag, s.tag})
}

func (e initConnectAck) happen(m *machine) {
	s := m.sessions[e.node]
	if s != nil && s.active && s.tag == e.yours && s.greeted && s.hisTag == e.mine {
		return
	}
	if s != nil && s.active && e.yours < s.tag {
		// Of a session that we have begun anew since, which he has yet to hear. OTP
		// begins once more here. When both sides do, each of their init_connects crosses
		// an acknowledgement of the last, and they can go on so for seconds.
		return
	}
	m.sendCancel(e.node, e.mine)
	m.restart(e.node)
}

func (e cancelConnect) happen(m *machine) {
	if m.current(e.node, e.tag) {
		m.restart(e.node)
	}
}

// current tells whether a message with this tag is of the session that is on.
func (m *machine) current(node string, tag int64) bool {
	s := m.sessions[node]
	return s != nil && s.active && s.tag == tag
}

// check is current; if it is not, the locker gives up what it had of that session.
func (m *machine) check(node string, tag int64) (*session, bool) {
	if m.current(node, tag) {
		return m.sessions[node], true
	}
	m.toLocker(cancelLock{node: node, tag: tag})
	return nil, false
}

// sendCancel has the peer begin anew, unless it has become known by another node's
// new_nodes: then our in_sync ends its session. When an OTP cancels one, be it by
// cancel_connect or because of an init_connect_ack that comes after in_sync, it
// deletes all names of the node that sent that, and a node that it knows it does not
// ask for them again.
func (m *machine) sendCancel(node string, tag int64) {
	if _, known := m.known[node]; known {
		return
	}
	m.tell(node, etf.Tuple{etf.Atom("cancel_connect"), etf.Atom(m.self), tag})
}

// restart gives a session up and, if the node is still up, begins another.
func (m *machine) restart(node string) {
	s := m.sessions[node]
	again := s != nil && s.active
	m.endSession(node, nil)
	if !again || !m.up[node] {
		return
	}
	last := m.restarts[node]
	if m.now.Sub(last.when) > restartCalm {
		last.times = 0
	}
	m.restarts[node] = restarted{when: m.now, times: last.times + 1, pausing: last.times > 0}
	if last.times == 0 {
		m.greet(node)
		return
	}
	m.after(m.pause(min(last.times, 3)), func() {
		if r, ok := m.restarts[node]; ok {
			r.pausing = false
			m.restarts[node] = r
		}
		if m.up[node] {
			m.greet(node)
		}
	})
}

// restarted counts the sessions with a node that were given up one soon after the
// other. Two nodes that each answer the other's new session with a cancel and a
// newer one would do so for ever; OTP has no remedy. From the second on we are
// silent for a moment, in which the other's last session stays the last.
type restarted struct {
	when    time.Time
	times   int
	pausing bool
}

const restartCalm = 5 * time.Second

// endSession forgets a session, telling the peer if it was not about to end
// well. The locker runs last before it lets go of its lock, if it has one.
func (m *machine) endSession(node string, last func()) {
	s := m.sessions[node]
	if s != nil && s.active {
		m.toLocker(cancelLock{node: node, tag: s.tag, last: last})
		if v, ok := m.pending[node]; ok && v >= versionVerify && m.up[node] {
			m.sendCancel(node, s.hisTag)
		}
	}
	delete(m.sessions, node)
	delete(m.pending, node)
}

// locked: our locker has set the lock in our partition, and so has the peer's.
func (m *machine) locked(node string, tag int64, lock etf.Term) {
	s, ok := m.check(node, tag)
	if !ok {
		return
	}
	s.locked, s.lock = true, lock
	m.cast(node, etf.Tuple{etf.Atom("exchange"), etf.Atom(m.self), m.names.wire(), etf.List{}, s.hisTag})
	if s.waiting {
		m.compare(node, s)
	}
}

func (e exchange) happen(m *machine) {
	s, ok := m.check(e.node, e.tag)
	if !ok || s.waiting {
		return
	}
	s.exchanged, s.waiting = e.names, true
	if s.locked {
		m.compare(e.node, s)
	}
}

// compare finds what the peer's names mean for ours. Of two nodes the smaller
// one resolves conflicts, so that each is resolved once.
func (m *machine) compare(node string, s *session) {
	var conflicts []conflict
	for _, his := range s.exchanged {
		ours, ok := m.names.find(his.name)
		switch {
		case !ok, ours.pid == his.pid:
			// What we have too is told to our partition all the same, unlike in OTP: not
			// all of its nodes may have it, if some could not reach the process before.
			s.ops = append(s.ops, operation{insert: true, entry: his})
		case m.self < node:
			conflicts = append(conflicts, conflict{name: his.name, his: his, ours: ours})
		}
	}
	if len(conflicts) == 0 {
		m.resolvedHere(node, s, nil)
		return
	}
	m.do(resolve{node: node, tag: s.tag, conflicts: conflicts})
}

// resolvedHere: what our partition has to do is known, and what the peer's.
func (m *machine) resolvedHere(node string, s *session, conflicts []conflict) {
	var his []operation
	for _, c := range conflicts {
		switch c.winner {
		case winnerHis, winnerLost:
			s.ops = append(s.ops, operation{insert: true, entry: c.his})
		case winnerOurs:
			// Ours too are told: an OTP drops the name when another partition's registrar,
			// not knowing yet of the split, registers it there.
			keep := operation{insert: true, entry: c.ours}
			s.ops, his = append(s.ops, keep), append(his, keep)
		default:
			remove := operation{entry: entry{name: c.name}}
			s.ops, his = append(s.ops, remove), append(his, remove)
		}
	}
	s.ready = true
	m.cast(node, etf.Tuple{etf.Atom("resolved"), etf.Atom(m.self), wireOps(his), m.wireKnown(m.versionOf(node)),
		etf.Atom("unused"), m.names.wireExt(), s.hisTag})
	if s.his != nil {
		m.join2(node, s, s.his)
	}
}

func (e resolved) happen(m *machine) {
	s, ok := m.check(e.node, e.tag)
	if !ok || s.his != nil {
		return
	}
	s.his = &e
	if s.ready {
		m.join2(e.node, s, s.his)
	}
}

// join2 joins the two partitions, as OTP's resolved.
func (m *machine) join2(node string, s *session, e *resolved) {
	ops := append(s.ops, e.ops...)
	before := maps.Clone(m.known)
	news := []member{{node, m.versionOf(node)}}
	for _, n := range e.known {
		if n.vsn == 0 {
			n.vsn = m.versionOf(n.node)
		}
		news = append(news, n)
	}
	for _, n := range e.known {
		m.connect(n.node)
	}
	m.apply(ops, e.ext, s.lock)
	m.nowSynced(node)
	for _, n := range e.known {
		delete(m.pending, n.node) // no cancel_connect: we know each other by this
		m.endSession(n.node, nil)
	}
	vsn, lock := s.vsn, s.lock
	delete(m.pending, node)
	m.endSession(node, func() { m.announce(before, ops, e.ext, news, vsn, lock) })
	m.addKnown(news)
	m.synced[node] = true
	delete(m.missed, node) // it has told all its names
}

// announce tells our partition of the other one. The locker sends it, so that it
// arrives before its del_lock.
func (m *machine) announce(partition map[string]int64, ops []operation, ext []external, news []member, vsn int64, lock etf.Term) {
	extra := etf.List{etf.Tuple{etf.Atom("vsn"), vsn}, etf.Tuple{etf.Atom("lock"), etf.Tuple{globalResource, lock}}}
	for _, n := range slices.Sorted(maps.Keys(partition)) {
		msg := etf.Tuple{etf.Atom("new_nodes"), etf.Atom(m.self), wireOps(ops), wireExternals(ext), wireMembers(news, partition[n]), extra}
		m.do(send{as: m.locker, node: n, msg: etf.Tuple{etf.Atom("$gen_cast"), msg}, connect: true})
	}
}

func (e newNodes) happen(m *machine) {
	for _, node := range m.addKnown(e.nodes) {
		m.connect(node)
	}
	m.apply(e.ops, e.ext, e.lock)
}

func (e inSync) happen(m *machine) {
	m.nowSynced(e.node)
	m.synced[e.node] = true
	delete(m.pending, e.node) // no cancel_connect
	m.endSession(e.node, nil)
	_, known := m.known[e.node]
	switch {
	case known:
		m.regain(e.node)
	case m.up[e.node]:
		m.after(rejoinAfter, func() { m.rejoin(e.node) })
	}
}

// rejoin joins a node anew that knows us and that we do not know, though it said
// long ago that we are in sync. It happens when a node is back, and known to
// another, before we have noticed that it was gone: then our nodedown is about the
// old one, but takes what new_nodes said of the new one. OTP stays so. Here the
// node is asked to disconnect, in a way that does not alarm the others.
func (m *machine) rejoin(node string) {
	if _, known := m.known[node]; known || !m.up[node] || m.removing[node] {
		return
	}
	if s := m.sessions[node]; s != nil && s.active {
		return
	}
	m.do(note{text: "joining a node anew that takes itself for joined", args: []any{"peer", node}})
	m.tell(node, etf.Tuple{etf.Atom("remove_connection"), etf.Atom(m.self)})
	m.forget(node, requested)
	m.again[node] = true
}

// connect connects to a node we have learnt of and then tells it that we are in
// sync; its global:sync waits for that.
func (m *machine) connect(node string) {
	if node != m.self {
		m.do(connect{node: node, say: m.inSync()})
	}
}

// inSync says that we are in sync with a node.
func (m *machine) inSync() etf.Term {
	return etf.Tuple{etf.Atom("$gen_cast"), etf.Tuple{etf.Atom("in_sync"), etf.Atom(m.self), etf.Atom("true")}}
}

// addKnown adds to the known nodes, and returns which are new.
func (m *machine) addKnown(news []member) (added []string) {
	for _, n := range news {
		if n.node == m.self {
			continue
		}
		if old, ok := m.known[n.node]; !ok {
			added = append(added, n.node)
		} else if old > 0 {
			continue
		}
		m.known[n.node] = n.vsn
		if m.synced[n.node] {
			m.regain(n.node) // its in_sync was faster than what tells of it
		}
	}
	return added
}

// loss says why a node is forgotten.
type loss int

const (
	disconnected loss = iota // the connection was lost: others may have to be told
	requested                // it is to disconnect from us, or we from it
	ignored
)

// forget is OTP's handle_nodedown. Locks and names of the node's processes go
// when their monitors fire.
func (m *machine) forget(node string, why loss) {
	m.endSession(node, nil)
	switch {
	case why == requested:
		m.removing[node] = true
	case why == disconnected && !m.removing[node]:
		m.reportLoss(node)
		fallthrough
	default:
		delete(m.removing, node)
	}
	delete(m.known, node)
	delete(m.synced, node)
	m.syncedOrGone(node)
}
