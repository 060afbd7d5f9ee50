package global

import (
	"slices"
	"time"

	"github.com/truss-beam/truss/etf"
)

// The locker gets the lock of the names in our partition and agrees with the
// peer's locker that both have theirs. It does one thing at a time, as in OTP,
// where it is a process: messages that it cannot act on yet stay in its mailbox.
//
//	idle       after a while without messages: locks for a random peer, and asks it   selectPeer
//	           asked by a peer: locks, and says whether it could                      asked
//	locking    waits for the answers of our partition's nodes                         lockPartition
//	answering  has the lock, waits for the peer to have it too
//	holding    both have it; waits until the names have been joined, and then lets go
//
// OTP waits without limit in answering and holding, and its partitions with it.
// Here both end after a while by starting the session anew.
type joiner struct {
	state   joinState
	peers   []peer // that have greeted us
	mailbox []lockerMessage

	with     peer // answering, holding
	lock     lockID
	nodes    []string // where the lock is set
	recently bool     // a join has just succeeded: no reason to wait before the next
	timer    int64
}

type joinState int

const (
	joinIdle joinState = iota
	joinLocking
	joinAnswering
	joinHolding
)

// peer is a node that has greeted us, as the locker knows it.
type peer struct {
	node   string
	locker etf.Pid
	vsn    int64
	tag    int64
	hisTag int64
}

type (
	lockerMessage interface{}
	hisLocker     struct{ peer }
	// cancelLock ends what has to do with a session; last is done before the lock
	// is given up.
	cancelLock struct {
		node string
		tag  int64
		last func()
	}
	// hisLock is a lock_set of the peer's.
	hisLock struct {
		node     string
		locker   etf.Pid
		set      bool
		tag      int64
		untagged bool // of a locker that does not know of our session
	}
)

func (m *machine) toLocker(msg lockerMessage) {
	m.join.mailbox = append(m.join.mailbox, msg)
	m.soon(m.runLocker)
}

// runLocker has the locker act on what it can.
func (m *machine) runLocker() {
	j := &m.join
	for {
		i := slices.IndexFunc(j.mailbox, m.lockerTakes)
		if i < 0 {
			break
		}
		msg := j.mailbox[i]
		j.mailbox = slices.Delete(j.mailbox, i, i+1)
		m.lockerGets(msg)
	}
	if j.state == joinIdle {
		m.waitToSelect()
	}
}

// lockerTakes tells whether the locker, in the state it is in, takes a message
// now: its selective receive.
func (m *machine) lockerTakes(msg lockerMessage) bool {
	j := &m.join
	switch j.state {
	case joinIdle:
		return true
	case joinAnswering, joinHolding:
		switch msg := msg.(type) {
		case hisLock:
			return j.state == joinAnswering && msg.node == j.with.node
		case cancelLock:
			return msg.node == j.with.node && msg.tag == j.with.tag
		}
	}
	return false
}

func (m *machine) lockerGets(msg lockerMessage) {
	j := &m.join
	switch msg := msg.(type) {
	case hisLocker:
		m.dropPeer(msg.node, 0)
		j.peers = append(j.peers, msg.peer)
	case cancelLock:
		m.lockerCancelled(msg)
	case hisLock:
		switch {
		case j.state == joinIdle && msg.set:
			m.asked(msg)
		case j.state == joinIdle || !msg.untagged && msg.tag != j.with.tag:
			// The answer to what has been cancelled.
		case msg.set:
			m.bothLocked()
		default:
			m.unlock()
		}
	}
}

func (m *machine) lockerCancelled(msg cancelLock) {
	if m.join.state == joinIdle {
		m.dropPeer(msg.node, msg.tag)
		return
	}
	if msg.last != nil {
		msg.last()
	}
	m.dropPeer(msg.node, msg.tag)
	m.join.recently = m.join.state == joinHolding
	m.unlock()
}

// dropPeer forgets a peer, of one session or, with tag 0, of any.
func (m *machine) dropPeer(node string, tag int64) {
	m.join.peers = slices.DeleteFunc(m.join.peers, func(p peer) bool {
		return p.node == node && (tag == 0 || p.tag == tag)
	})
}

// unlock gives the lock back and makes the locker idle.
func (m *machine) unlock() {
	j := &m.join
	m.stop(j.timer)
	m.delLockOn(m.locker, j.lock, j.nodes)
	j.state, j.with, j.nodes, j.timer = joinIdle, peer{}, nil, 0
}

// waitToSelect has the locker select a peer once nothing has come for a while.
// Were that no time, other nodes of our partition could hardly ever get the lock.
func (m *machine) waitToSelect() {
	j := &m.join
	m.stop(j.timer)
	j.timer = 0
	if len(j.peers) == 0 {
		j.recently = false
		return
	}
	wait := min(time.Second+time.Duration(len(m.known))*100*time.Millisecond, 3*time.Second)
	switch {
	case j.recently:
		wait = 0
	case len(m.known) == 0:
		wait = 200 * time.Millisecond
	}
	j.timer = m.after(wait, func() {
		j.timer, j.recently = 0, false
		if m.locks.isSet(globalResource) {
			m.waitToSelect()
			return
		}
		m.selectPeer()
	})
}

// selectPeer tries to join one of the peers.
func (m *machine) selectPeer() {
	j := &m.join
	j.peers = slices.DeleteFunc(j.peers, func(p peer) bool { _, known := m.known[p.node]; return known })
	if len(j.peers) == 0 {
		return
	}
	p := j.peers[m.random.IntN(len(j.peers))]
	id := m.joinLock(p.locker)
	// Locking the peer's node too prevents deadlock: its partition can then be
	// locked by nobody who does not negotiate with us.
	m.lockPartition(id, p.node, func(ok bool, nodes []string) {
		if !ok {
			j.state = joinIdle
			m.runLocker()
			return
		}
		m.sendLockSet(p, true)
		j.state, j.with, j.lock, j.nodes = joinAnswering, p, id, nodes
		j.timer = m.after(answerTimeout, func() { m.lockerGivesUp("its locker does not answer") })
		m.runLocker()
	})
}

// asked: a peer has locked its partition and waits for us to lock ours.
func (m *machine) asked(msg hisLock) {
	j := &m.join
	i := slices.IndexFunc(j.peers, func(p peer) bool { return p.node == msg.node && (msg.untagged || p.tag == msg.tag) })
	if i < 0 {
		// We have not been greeted: an answer in the form that needs no session.
		m.do(send{as: m.locker, node: msg.node, to: msg.locker,
			msg: etf.Tuple{etf.Atom("lock_set"), m.locker, etf.Atom("false"), atoms(m.knownNodes())}})
		return
	}
	p := j.peers[i]
	id := m.joinLock(p.locker)
	m.lockPartition(id, "", func(ok bool, nodes []string) {
		m.sendLockSet(p, ok)
		j.state = joinIdle
		if ok {
			j.with, j.lock, j.nodes = p, id, nodes
			m.bothLocked()
		}
		m.runLocker()
	})
}

// bothLocked holds the lock while the names are joined.
func (m *machine) bothLocked() {
	j := &m.join
	m.stop(j.timer)
	j.state = joinHolding
	j.timer = m.after(joinTimeout, func() { m.lockerGivesUp("joining takes too long") })
	node, tag, lock := j.with.node, j.with.tag, j.lock.requester
	m.soon(func() { m.locked(node, tag, lock) })
}

// lockerGivesUp starts the session anew, which cancels this one.
func (m *machine) lockerGivesUp(why string) {
	node, tag := m.join.with.node, m.join.with.tag
	m.do(note{text: "joining a node starts over: " + why, args: []any{"peer", node}})
	if m.current(node, tag) {
		m.restart(node)
		return
	}
	m.toLocker(cancelLock{node: node, tag: tag})
}

// joinLock is the lock of two lockers: both sides ask for the same one, so that
// nodes both know are locked by both, and stay so until the later has let go.
func (m *machine) joinLock(his etf.Pid) lockID {
	pids := etf.List{m.locker, his}
	slices.SortFunc(pids, etf.Compare)
	return lockID{globalResource, pids}
}

// lockPartition sets the lock on all known nodes, this one, and maybe extra: the
// boss first, for who has that will mostly get the others.
func (m *machine) lockPartition(id lockID, extra string, then func(ok bool, nodes []string)) {
	j := &m.join
	m.stop(j.timer)
	j.state, j.timer = joinLocking, 0
	boss := m.boss(m.knownNodes())
	fail := func(set ...string) { m.delLockOn(m.locker, id, set); then(false, nil) }
	// To lock this node first could stop one that has locked the boss.
	if boss != m.self && !m.locks.may(id) {
		m.soon(func() { fail() })
		return
	}
	second := without([]string{m.self, extra}, boss, "")
	m.setLockOn(m.locker, id, []string{boss}, func(ok bool) {
		if !ok {
			fail()
			return
		}
		m.setLockOn(m.locker, id, second, func(ok bool) {
			if !ok {
				fail(boss)
				return
			}
			known := m.knownNodes()
			m.setLockOn(m.locker, id, without(known, boss), func(ok bool) {
				all := slices.Concat([]string{boss}, second, known)
				if !ok {
					fail(all...)
					return
				}
				then(true, all)
			})
		})
	})
}

func (m *machine) sendLockSet(p peer, set bool) {
	msg := etf.Tuple{etf.Atom("lock_set"), m.locker, boolean(set), atoms(m.knownNodes())}
	if p.vsn >= versionVerify {
		msg = append(msg, p.hisTag)
	}
	m.do(send{as: m.locker, node: p.node, msg: etf.Tuple{etf.Atom("$gen_cast"), msg}, connect: true})
}

func (e lockSet) happen(m *machine) {
	node := string(e.locker.Node)
	if e.untagged || m.current(node, e.tag) {
		m.toLocker(hisLock{node: node, locker: e.locker, set: e.set, tag: e.tag, untagged: e.untagged})
	}
}
