package pg

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/truss-beam/truss/etf"
)

// strict is the scope of OTP 25 as far as messages can end it: what it keeps of
// its one peer, and where pg.erl has a match or a maps:get that must not fail.
type strict struct {
	self  etf.Pid
	local map[string]bag
	peer  map[string]bag // nil: the peer is not known
	send  func(etf.Term)
	watch func()
}

func (s *strict) data() etf.List {
	var all etf.List
	for g, b := range s.local {
		if len(b) > 0 {
			all = append(all, etf.Tuple{etf.Atom(g), pidList(b.appendTo(nil))})
		}
	}
	return all
}

// receive acts on a message; an error is the end of the scope.
func (s *strict) receive(t etf.Tuple) error {
	switch t[0] {
	case etf.Term(etf.Atom("nodeup")):
		s.send(discoverMessage(s.self)) // to the name, which is the peer's
		return nil
	case etf.Term(etf.Atom("DOWN")):
		s.peer = nil
		return nil
	case etf.Term(etf.Atom("discover")):
		if len(t) != 2 {
			return fmt.Errorf("function_clause: %v", t)
		}
		s.send(syncMessage(s.self, s.data()))
		if s.peer == nil {
			s.peer = make(map[string]bag)
			s.watch()
			s.send(discoverMessage(s.self))
		}
		return nil
	case etf.Term(etf.Atom("$gen_cast")):
		return s.sync(t[1].(etf.Tuple))
	case etf.Term(etf.Atom("join")):
		if s.peer == nil {
			return nil
		}
		g := string(t[2].(etf.Atom))
		if s.peer[g] == nil {
			s.peer[g] = make(bag)
		}
		for _, pid := range t[3].(etf.List) {
			s.peer[g].add(pid.(etf.Pid))
		}
		return nil
	case etf.Term(etf.Atom("leave")):
		return s.leave(t)
	}
	return fmt.Errorf("badarg: %v", t)
}

func (s *strict) sync(t etf.Tuple) error {
	if len(t) != 3 || t[0] != etf.Term(etf.Atom("sync")) {
		return fmt.Errorf("badarg: %v", t)
	}
	if s.peer == nil {
		s.watch()
	}
	s.peer = make(map[string]bag)
	for _, e := range t[2].(etf.List) {
		pair := e.(etf.Tuple)
		pids := pair[1].(etf.List)
		if len(pids) == 0 {
			return fmt.Errorf("a group without members: %v", t)
		}
		b := make(bag)
		for _, pid := range pids {
			b.add(pid.(etf.Pid))
		}
		s.peer[string(pair[0].(etf.Atom))] = b
	}
	return nil
}

// leave is leave_remote: maps:get(Group, Acc) -- Pids, for one group after the other.
func (s *strict) leave(t etf.Tuple) error {
	if s.peer == nil {
		return nil
	}
	for _, g := range t[3].(etf.List) {
		b := s.peer[string(g.(etf.Atom))]
		if b == nil {
			return fmt.Errorf("badkey: %v", t)
		}
		for _, pid := range t[2].(etf.List) {
			b.remove(pid.(etf.Pid))
		}
		if len(b) == 0 {
			delete(s.peer, string(g.(etf.Atom)))
		}
	}
	return nil
}

// world is our machine and a strict scope, with a link that breaks.
type world struct {
	random *rand.Rand
	m      *machine
	s      *strict
	up     bool
	// What waits: our effects, in order, and both mailboxes. mWatched and sWatched
	// are monitors that stand.
	due                []effect // nil for the outbox's fresh
	broken             bool     // of the outbox
	toM, toS           []etf.Term
	mWatched, sWatched bool
}

func newWorld(random *rand.Rand) *world {
	w := &world{random: random, m: newMachine(pidOf("scope")), s: &strict{self: pidOf("scope@b"), local: make(map[string]bag)}}
	w.s.send = func(t etf.Term) {
		if w.up {
			w.toM = append(w.toM, t)
		}
	}
	w.s.watch = func() {
		if w.sWatched = w.up; !w.up {
			w.toS = append(w.toS, etf.Tuple{etf.Atom("DOWN")})
		}
	}
	return w
}

// act carries out the oldest of what our machine has asked for.
func (w *world) act() {
	e := w.due[0]
	w.due = w.due[1:]
	if e == nil {
		w.broken = false
	}
	if w.broken {
		return
	}
	switch e := e.(type) {
	case send:
		if w.broken = !w.up; w.up {
			w.toS = append(w.toS, e.message)
		}
	case watch:
		if e.pid.Node == "here" {
			break
		}
		if w.mWatched = w.up; !w.up {
			w.toM = append(w.toM, etf.Atom("down"))
		}
	}
}

// receiveM is one message from our mailbox.
func (w *world) receiveM() error {
	t := w.toM[0]
	w.toM = w.toM[1:]
	defer func() { w.due = append(w.due, w.m.take()...) }()
	switch t {
	case etf.Term(etf.Atom("nodeup")):
		w.due = append(w.due, nil)
		w.m.nodeUp("b")
	case etf.Term(etf.Atom("nodedown")):
		w.m.nodeDown("b")
	case etf.Term(etf.Atom("down")):
		w.m.down(w.s.self)
	default:
		return w.m.hear(t)
	}
	return nil
}

func (w *world) receiveS() error {
	t := w.toS[0]
	w.toS = w.toS[1:]
	return w.s.receive(t.(etf.Tuple))
}

// toggle breaks the link or makes it. What is in a mailbox has arrived.
func (w *world) toggle() {
	w.up = !w.up
	if w.up {
		w.toM = append(w.toM, etf.Atom("nodeup"))
		w.toS = append(w.toS, etf.Tuple{etf.Atom("nodeup")})
		return
	}
	if w.mWatched {
		w.toM = append(w.toM, etf.Atom("down"))
	}
	if w.sWatched {
		w.toS = append(w.toS, etf.Tuple{etf.Atom("DOWN")})
	}
	w.mWatched, w.sWatched = false, false
	w.toM = append(w.toM, etf.Atom("nodedown"))
}

// change does something at random to our side's or the other's members.
func (w *world) change() {
	group := string(rune('f' + w.random.IntN(3)))
	pid := pidOf(string(rune('p' + w.random.IntN(3))))
	n, _ := nameOf(etf.Atom(group))
	switch w.random.IntN(6) {
	case 0, 1:
		w.m.joinLocal(n, []etf.Pid{pid, pid}[:1+w.random.IntN(2)])
	case 2, 3:
		w.m.leaveLocal(n, []etf.Pid{pid, pid}[:1+w.random.IntN(2)])
	case 4:
		w.m.down(pid)
	case 5:
		pid.Node = "b"
		b := w.s.local[group]
		if b == nil {
			b = make(bag)
			w.s.local[group] = b
		}
		message := joinMessage(w.s.self, etf.Atom(group), []etf.Pid{pid})
		if b.remove(pid) {
			message = leaveMessage(w.s.self, []etf.Pid{pid}, etf.List{etf.Atom(group)})
		} else {
			b.add(pid)
		}
		if w.s.peer != nil {
			w.s.send(message)
		}
	}
	w.due = append(w.due, w.m.take()...)
}

// run takes steps at random, and then lets everything arrive.
func (w *world) run(steps int) error {
	for range steps {
		var err error
		switch n := w.random.IntN(10); {
		case n < 3:
			w.change()
		case n == 3 && w.random.IntN(3) == 0:
			w.toggle()
		case n < 6 && len(w.due) > 0:
			w.act()
		case n < 8 && len(w.toM) > 0:
			err = w.receiveM()
		case len(w.toS) > 0:
			err = w.receiveS()
		}
		if err != nil {
			return err
		}
	}
	if !w.up {
		w.toggle()
	}
	for len(w.due)+len(w.toM)+len(w.toS) > 0 {
		var err error
		switch {
		case len(w.due) > 0:
			w.act()
		case len(w.toM) > 0:
			err = w.receiveM()
		default:
			err = w.receiveS()
		}
		if err != nil {
			return err
		}
	}
	return w.agree()
}

func (w *world) agree() error {
	theirs := w.m.peers[w.s.self]
	if theirs == nil || w.s.peer == nil {
		return fmt.Errorf("they do not know each other")
	}
	for _, group := range []string{"f", "g", "h"} {
		n, _ := nameOf(etf.Atom(group))
		for _, pair := range [][2]bag{{w.m.of(w.m.self, n), w.s.peer[group]}, {w.s.local[group], w.m.of(theirs, n)}} {
			if added, removed := pair[0].difference(pair[1]); len(added)+len(removed) > 0 {
				return fmt.Errorf("group %s: the other side has %v too many and lacks %v", group, added, removed)
			}
		}
	}
	return nil
}

// TestNeverCrashesOTP25 plays random histories between our machine and the rules
// by which OTP 25's scope ends, and wants both to agree at the end. PG_SEED=N
// plays one again.
func TestNeverCrashesOTP25(t *testing.T) {
	first, rounds := uint64(time.Now().UnixNano()), uint64(1000)
	if seed, err := strconv.ParseUint(os.Getenv("PG_SEED"), 10, 64); err == nil {
		first, rounds = seed, 1
	}
	for seed := first; seed < first+rounds; seed++ {
		w := newWorld(rand.New(rand.NewPCG(seed, 1)))
		if err := w.run(300); err != nil {
			t.Fatalf("PG_SEED=%d: %v", seed, err)
		}
	}
}
