package global

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/truss-beam/truss/etf"
)

// version is the protocol global speaks: that of OTP 25 to 29. Nodes of version
// 7 (OTP 24) lack init_connect_ack and cancel_connect, older ones cannot be
// connected to at all.
const (
	version       = 8
	versionVerify = 8 // from here a session is verified and can be cancelled
	versionPOP    = 7 // from here partitions are kept from overlapping, and versions are told
)

const (
	// callTimeout is how long a global_name_server may take to answer a call; it
	// answers at once, so this is a node whose connection is about to be given up.
	// OTP waits for the net tick.
	callTimeout = 10 * time.Second
	// answerTimeout is how long the peer's locker may take to lock its partition.
	// It tries once, or is held up by a join with a third node.
	answerTimeout = 30 * time.Second
	// joinTimeout is how long names may take to be exchanged and resolved while
	// both partitions are locked. OTP knows neither limit.
	joinTimeout = 60 * time.Second
	// rejoinAfter is how long in_sync may come before new_nodes tells of the node.
	rejoinAfter = 5 * time.Second
)

// machine is global's state and rules without the node around them: an event
// goes in, actions come out, and nothing else happens. What OTP does in
// global_name_server, the locker and the registrar are parts of it: session.go,
// locker.go, registrar.go.
//
// It is owned by whoever calls step, one at a time.
type machine struct {
	self       string
	locker     etf.Pid // these two make calls and hold locks
	registrar  etf.Pid
	connectAll bool // mesh with every node that comes up
	prevent    bool // prevent_overlapping_partitions
	multiName  bool // a process may have several names
	creation   int64
	random     *rand.Rand

	now time.Time // of the current step

	up       map[string]bool  // visible nodes connected
	known    map[string]int64 // nodes whose names are ours too, and their protocol version
	pending  map[string]int64 // nodes that have answered our init_connect
	removing map[string]bool  // nodes that are to disconnect, or be disconnected
	again    map[string]bool  // of those, who are to be connected to anew
	apart    map[string]bool  // nodes connected that share no names with us
	synced   map[string]bool
	sessions map[string]*session

	names    nameTable
	locks    lockTable
	lockLost bool            // the last lock of the names ended with its holder
	monitors map[etf.Pid]int // how many names and locks each pid has

	restarts map[string]restarted
	missed   map[string]map[string]entry // by node: names lost with it, see missed.go
	join     joiner
	writes   writes
	lost     map[lostKey]lostInfo

	syncs  []*syncing
	calls  map[int64]*multiCall
	timers map[int64]func()
	serial int64

	later []func()
	out   []action
}

func newMachine(self string, locker, registrar etf.Pid, random *rand.Rand) *machine {
	return &machine{
		self: self, locker: locker, registrar: registrar, random: random,
		connectAll: true, prevent: true, creation: random.Int64N(1 << 59),
		up: make(map[string]bool), known: make(map[string]int64), pending: make(map[string]int64),
		removing: make(map[string]bool), again: make(map[string]bool), apart: make(map[string]bool), restarts: make(map[string]restarted), missed: make(map[string]map[string]entry), synced: make(map[string]bool), sessions: make(map[string]*session),
		names: newNameTable(), locks: make(lockTable), monitors: make(map[etf.Pid]int),
		lost: make(map[lostKey]lostInfo), calls: make(map[int64]*multiCall), timers: make(map[int64]func()),
	}
}

// event is something that happened: see event.go.
type event interface{ happen(m *machine) }

// step acts on one event and returns what is to be done now, in this order.
func (m *machine) step(now time.Time, e event) []action {
	m.now, m.out = now, nil
	e.happen(m)
	for len(m.later) > 0 {
		next := m.later[0]
		m.later = m.later[1:]
		next()
	}
	return m.out
}

// do adds an action.
func (m *machine) do(a action) { m.out = append(m.out, a) }

// soon has something done in this step once what is being done is: OTP would
// send the process itself, or its locker, a message.
func (m *machine) soon(f func()) { m.later = append(m.later, f) }

// after calls f in a later step. Zero is no timer's id.
func (m *machine) after(d time.Duration, f func()) (timer int64) {
	m.serial++
	m.timers[m.serial] = f
	m.do(startTimer{id: m.serial, after: d})
	return m.serial
}

// stop stops a timer, if it has not fired.
func (m *machine) stop(timer int64) {
	if _, ok := m.timers[timer]; ok {
		delete(m.timers, timer)
		m.do(stopTimer{id: timer})
	}
}

// pause is OTP's random_sleep, between attempts to get a lock: up to a quarter
// of a second at first, then doubling up to 8 s.
func (m *machine) pause(times int) time.Duration {
	limit := 8 * time.Second
	if times <= 5 {
		limit = time.Second << times / 8
	}
	return time.Duration(m.random.Int64N(int64(limit/time.Millisecond))+1) * time.Millisecond
}

// knownNodes are the nodes of our partition but this one, sorted.
func (m *machine) knownNodes() []string { return slices.Sorted(maps.Keys(m.known)) }

// boss is the node of a partition that is locked first, so that of many that
// want the lock one gets it soon.
func (m *machine) boss(known []string) string {
	return max(m.self, slices.Max(append(known, m.self)))
}

// versionOf is a node's protocol version, 0 if it is not known.
func (m *machine) versionOf(node string) int64 {
	if node == m.self {
		return version
	}
	if v, ok := m.known[node]; ok {
		return v
	}
	return m.pending[node]
}

// potentiallyKnown: known, or about to be.
func (m *machine) potentiallyKnown(node string) bool {
	_, known := m.known[node]
	_, pending := m.pending[node]
	return known || pending
}

// cast sends to the global_name_server of a node, connecting to it if need be.
func (m *machine) cast(to string, msg etf.Term) {
	m.do(send{as: etf.Pid{}, node: to, msg: etf.Tuple{etf.Atom("$gen_cast"), msg}, connect: true})
}

// tell sends what is of no use to a node that is not connected any more.
func (m *machine) tell(to string, msg etf.Term) {
	m.do(send{node: to, msg: msg})
}

// watch monitors a pid that got a name or lock.
func (m *machine) watch(pid etf.Pid) {
	if m.monitors[pid]++; m.monitors[pid] == 1 {
		m.do(monitor{pid})
	}
}

// unwatch is the opposite of watch.
func (m *machine) unwatch(pid etf.Pid) {
	if m.monitors[pid] == 0 {
		return // its down was what took its names and locks
	}
	if m.monitors[pid]--; m.monitors[pid] == 0 {
		delete(m.monitors, pid)
		m.do(demonitor{pid})
	}
}

// key makes any term a key of a Go map: equal terms have equal keys, except for
// maps that were written in different orders.
func key(t etf.Term) string {
	e := etf.Encoder{Records: true}
	b, err := e.Append(nil, t)
	if err != nil {
		return "" // not a term: nothing is registered under it
	}
	return string(b)
}
