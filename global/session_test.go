package global

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/truss-beam/truss/etf"
)

// TestCrossing has two nodes begin their session anew at the same time, so that what
// one says of a session reaches the other in its next one. They have to find each
// other all the same, and soon: with an OTP that took 8000 sessions a second, for
// seconds.
func TestCrossing(t *testing.T) {
	s := newSim()
	s.boot("a")
	s.boot("b")
	a, b := s.nodes["a"], s.nodes["b"]
	s.link("a", "b")
	s.run(1500 * time.Microsecond)
	s.feed(a, cancelConnect{node: "b", tag: a.sessions["b"].tag})
	s.feed(b, cancelConnect{node: "a", tag: b.sessions["a"].tag})
	s.trace = true
	s.run(time.Minute)
	if _, ok := a.known["b"]; !ok {
		t.Error("a does not know b")
	}
	if _, ok := b.known["a"]; !ok {
		t.Error("b does not know a")
	}
	if n := strings.Count(s.out.String(), " init_connect\n"); n > 4 {
		t.Errorf("%d times a session was begun:\n%.2000s", n, s.out.String())
	}
}

// TestKnownIsNotAlarmed: a node that has become known while its session was on gets
// nothing that makes an OTP begin another one, for that forgets our names.
func TestKnownIsNotAlarmed(t *testing.T) {
	for name, e := range map[string]func(tag int64) event{
		"init_connect of its next session": func(int64) event {
			return initConnect{vsn: version, tag: 2, node: "b", locker: etf.Pid{Node: "b", ID: 1, Creation: 1}}
		},
		"init_connect_ack of another session": func(int64) event { return initConnectAck{node: "b", yours: 99, mine: 98} },
		"cancel_connect":                      func(tag int64) event { return cancelConnect{node: "b", tag: tag} },
	} {
		t.Run(name, func(t *testing.T) {
			for _, greeted := range []bool{false, true} {
				s := newSim()
				s.boot("a")
				m := s.nodes["a"].machine
				m.step(s.now, nodeUp{"b"})
				if greeted {
					m.step(s.now, initConnect{vsn: version, tag: 1, node: "b", locker: etf.Pid{Node: "b", ID: 1, Creation: 1}})
				}
				tag := m.sessions["b"].tag
				m.step(s.now, newNodes{node: "c", nodes: []member{{"b", version}}})
				for _, action := range m.step(s.now, e(tag)) {
					if sent, ok := action.(send); ok {
						t.Errorf("greeted %v: sends %s", greeted, etf.Format(sent.msg))
					}
				}
			}
		})
	}
}

// TestWinnerIsToldToBothPartitions: that a name stays with our process is news for
// such nodes of our own partition as have dropped it.
func TestWinnerIsToldToBothPartitions(t *testing.T) {
	for winner, keeps := range map[winner]etf.Atom{winnerOurs: "a", winnerHis: "b"} {
		s := newSim()
		s.boot("a")
		m := s.nodes["a"].machine
		m.step(s.now, nodeUp{"b"})
		c := conflict{name: etf.Atom("n"), winner: winner,
			ours: entry{name: etf.Atom("n"), pid: etf.Pid{Node: "a", ID: 9, Creation: 1}},
			his:  entry{name: etf.Atom("n"), pid: etf.Pid{Node: "b", ID: 9, Creation: 1}}}
		m.resolvedHere("b", m.sessions["b"], []conflict{c})
		ops := m.sessions["b"].ops
		if len(ops) != 1 || !ops[0].insert || ops[0].entry.pid.Node != keeps {
			t.Errorf("winner %v: our partition is told %v, want that %s keeps the name", winner, ops, keeps)
		}
	}
}

// threeNodes are a cluster at rest.
func threeNodes() (s *sim, a, b, c *simNode) {
	s = newSim()
	for _, name := range []string{"a", "b", "c"} {
		s.boot(name)
	}
	s.link("a", "b")
	s.link("b", "c")
	s.run(time.Minute)
	return s, s.nodes["a"], s.nodes["b"], s.nodes["c"]
}

// TestDroppedIsAskedFor: an OTP's registrar whose locks were lost with a connection
// registers a name all the same. Who drops it asks its owner, and then all have it.
func TestDroppedIsAskedFor(t *testing.T) {
	s, a, b, c := threeNodes()
	e := entry{etf.Atom("foo"), b.newPid(), etf.Export{Module: "global", Function: "random_exit_name", Arity: 3}}
	b.insert(e, true)
	for _, n := range []*simNode{a, c} {
		n.lockLost = true
		s.feed(n, called{caller{b.registrar, etf.Tuple{int64(0), etf.Atom("b")}}, register{e}})
		if _, ok := n.names.find(e.name); ok {
			t.Fatalf("%s takes a name without its lock", n.name)
		}
	}
	s.run(time.Minute)
	for _, n := range []*simNode{a, b, c} {
		if got, ok := n.names.find(e.name); !ok || got.pid != e.pid {
			t.Errorf("%s has %v", n.name, got)
		}
	}
	// What its owner has not is not asked for in vain, and not there.
	stale := entry{etf.Atom("bar"), b.newPid(), e.method}
	a.lockLost = true
	s.feed(a, called{caller{b.registrar, etf.Tuple{int64(0), etf.Atom("b")}}, register{stale}})
	s.run(time.Minute)
	if got, ok := a.names.find(stale.name); ok {
		t.Errorf("a has %v", got)
	}
}

// TestGreetedAfterInSync: a node that we have forgotten meanwhile says in_sync, which
// ends our session with it. When the acknowledgement that was under way has it begin
// another, we have to as well: there is no nodeup to wait for, and it ignores
// remove_connection, as it does not know us any more either.
func TestGreetedAfterInSync(t *testing.T) {
	s := newSim()
	s.boot("a")
	m := s.nodes["a"].machine
	greeting := func(tag int64) initConnect {
		return initConnect{vsn: version, tag: tag, node: "b", locker: etf.Pid{Node: "b", ID: 1, Creation: 1}}
	}
	m.step(s.now, nodeUp{"b"})
	first := m.sessions["b"].tag
	m.step(s.now, greeting(1))
	m.step(s.now, inSync{node: "b"})
	m.step(s.now, initConnectAck{node: "b", yours: first, mine: 1})
	var sent []string
	for _, action := range m.step(s.now, greeting(2)) {
		if a, ok := action.(send); ok {
			msg := a.msg.(etf.Tuple)
			if msg[0] == etf.Term(etf.Atom("$gen_cast")) {
				msg = msg[1].(etf.Tuple)
			}
			sent = append(sent, string(msg[0].(etf.Atom)))
		}
	}
	if want := []string{"init_connect"}; !slices.Equal(sent, want) {
		t.Errorf("sent %q, want %q", sent, want)
	}
}

// TestMissedIsAskedForWhenInSyncFirst: a node says in_sync before new_nodes, which comes
// from another one, tells of it. Names missed are asked for all the same.
func TestMissedIsAskedForWhenInSyncFirst(t *testing.T) {
	for _, order := range [][]event{
		{inSync{node: "d"}, newNodes{node: "b", nodes: []member{{"d", version}}}},
		{newNodes{node: "b", nodes: []member{{"d", version}}}, inSync{node: "d"}},
	} {
		s := newSim()
		s.boot("a")
		m := s.nodes["a"].machine
		e := entry{name: etf.Atom("foo"), pid: etf.Pid{Node: "d", ID: 9, Creation: 1}}
		m.insert(e, true)
		m.step(s.now, down{pid: e.pid, unreachable: true})
		m.step(s.now, nodeUp{"d"})
		asked := false
		for _, happens := range order {
			for _, action := range m.step(s.now, happens) {
				timer, ok := action.(startTimer)
				if !ok || timer.after != missedAfter {
					continue
				}
				for _, action := range m.step(s.now, fired{timer.id}) {
					c, ok := action.(call)
					asked = asked || ok && c.node == "d" && etf.Format(c.request) == "{whereis,foo}"
				}
			}
		}
		if !asked {
			t.Errorf("%T first: d is not asked for foo", order[0])
		}
	}
}

// TestUnlockedRegisterIsNotTaken: a lock that went with its node, and that another has
// had since, protects nothing any more. An OTP takes the name then, if nobody has the
// lock just now, and has another process for it than its partition.
func TestUnlockedRegisterIsNotTaken(t *testing.T) {
	s := newSim()
	s.boot("a")
	s.boot("b")
	s.link("a", "b")
	s.run(time.Minute)
	a, b := s.nodes["a"], s.nodes["b"]
	ours, his := entry{name: etf.Atom("foo"), pid: a.newPid()}, entry{name: etf.Atom("foo"), pid: b.newPid()}
	a.insert(ours, true)
	s.feed(a, called{caller{b.registrar, etf.Tuple{int64(0), etf.Atom("b")}}, register{his}})
	if e, _ := a.names.find(ours.name); e.pid != ours.pid {
		t.Errorf("a has %v", e)
	}
}

// TestUnlockedUnregisterIsFinished: a registrar whose locks were lost with a connection
// unregisters a name on some nodes only. One of ours that is told has it go everywhere.
func TestUnlockedUnregisterIsFinished(t *testing.T) {
	s, a, b, c := threeNodes()
	e := entry{etf.Atom("foo"), b.newPid(), etf.Export{Module: "global", Function: "random_exit_name", Arity: 3}}
	for _, n := range []*simNode{a, b, c} {
		n.insert(e, true)
	}
	s.feed(a, called{caller{c.registrar, etf.Tuple{int64(0), etf.Atom("c")}}, unregister{e.name}})
	s.run(time.Minute)
	for _, n := range []*simNode{a, b, c} {
		if got, ok := n.names.find(e.name); ok {
			t.Errorf("%s has %v", n.name, got)
		}
	}
}

// TestApartBeforeNodeUp: sync does not wait for a node that has said that it is in a
// group of its own, even if it said so before it was known to be up.
func TestApartBeforeNodeUp(t *testing.T) {
	s := newSim()
	s.boot("a")
	m := s.nodes["a"].machine
	m.step(s.now, apart{"b"})
	m.step(s.now, nodeUp{"b"})
	done := false
	m.step(s.now, syncWith{&syncing{done: func() { done = true }}, nil})
	if !done {
		t.Error("it waits")
	}
}

// TestUnlockedRegisterIsSettled: a register that was not taken, for its registrar's lock
// was lost, may have been by nodes that join its partition for us. Then both have that
// process, so that nobody tells us, who have another.
func TestUnlockedRegisterIsSettled(t *testing.T) {
	s, a, b, c := threeNodes()
	method := etf.Export{Module: "global", Function: "random_exit_name", Arity: 3}
	ours, his := entry{etf.Atom("foo"), c.newPid(), method}, entry{etf.Atom("foo"), b.newPid(), method}
	a.insert(ours, true)
	b.insert(his, true)
	c.insert(his, true)
	s.feed(a, called{caller{b.registrar, etf.Tuple{int64(0), etf.Atom("b")}}, register{his}})
	s.run(time.Minute)
	for _, n := range []*simNode{a, b, c} {
		if got, _ := n.names.find(his.name); got.pid != his.pid {
			t.Errorf("%s has %v, want %v", n.name, got.pid, his.pid)
		}
	}
}
