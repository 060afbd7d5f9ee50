package global

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/truss-beam/truss/etf"
)

// TestDeathAtEveryMessage has a node die in every state that global can be in: when any
// message is about to be sent, its sender dies, or its receiver, or another one that
// has to do with it. Who is left must come to agree, and go on.
func TestDeathAtEveryMessage(t *testing.T) {
	seen := make(map[string]bool)
	total := 0
	life(t, func(_, _, kind string) string {
		seen[kind] = true
		total++
		return ""
	})
	for _, kind := range []string{"init_connect", "init_connect_ack", "set_lock", "lock_set true", "lock_set false", "exchange", "resolved",
		"new_nodes", "in_sync", "del_lock", "register", "unregister", "lost_connection", "remove_connection"} {
		if !seen[kind] {
			t.Errorf("no %s in all that happens: %q", kind, slices.Sorted(maps.Keys(seen)))
		}
	}
	deaths := 0
	for at := range total {
		for _, who := range []string{"sender", "receiver", "a", "d"} {
			i, what := 0, ""
			survivors := life(t, func(from, to, kind string) string {
				i++
				if i != at+1 {
					return ""
				}
				deaths++
				what = fmt.Sprintf("%s dies at message %d, %s > %s %s", who, at, from, to, kind)
				switch who {
				case "sender":
					return from
				case "receiver":
					return to
				}
				return who
			})
			if err := survivors.agree(); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
	}
	t.Logf("%d messages, %d deaths", total, deaths)
}

// life is what happens in the test: two partitions that have registered the same name
// and others are joined, names come and go, locks are fought for, a connection is lost.
func life(t *testing.T, each func(from, to, kind string) string) *sim {
	t.Helper()
	s := newSim()
	for _, name := range []string{"a", "b", "c", "d"} {
		s.boot(name)
	}
	s.each = each
	do := func(commands ...string) {
		for _, line := range commands {
			f := strings.Fields(line)
			if len(f) > 1 && s.nodes[f[1]] != nil && s.nodes[f[1]].dead {
				continue
			}
			if err := s.command(f); err != nil && f[0] != "connect" { // to one that is dead
				t.Fatalf("%s: %v", line, err)
			}
		}
	}
	do("connect a c", "connect b d", "register a x", "register d x", "register c y", "run 10s")
	// The name server of d is locked for a while: b has to refuse when it is asked.
	taken := lockID{globalResource, etf.Atom("taken")}
	s.nodes["d"].setLock(taken, s.nodes["d"].registrar)
	do("connect a b", "run 3s")
	s.nodes["d"].delLock(taken, s.nodes["d"].registrar)
	do("run 20s")
	do("register a n", "register b n", "lock c r", "lock d r", "run 5s", "unlock c r", "unlock d r")
	do("unregister b n", "reregister d y", "run 5s")
	do("disconnect a d", "run 30s")
	s.each = nil
	return s
}

// agree connects all that live, and tells whether they know each other, have the same
// names and no locks, and can register another.
func (s *sim) agree() error {
	live := slices.DeleteFunc(s.sorted(), func(n *simNode) bool { return n.dead })
	for range 10 { // losses of connections may be under way
		for i, n := range live {
			for _, other := range live[i+1:] {
				s.link(n.name, other.name)
			}
		}
		s.run(time.Minute)
	}
	synced := 0
	for _, n := range live {
		s.feed(n, syncWith{&syncing{done: func() { synced++ }}, nil})
		s.feed(n, n.registering(entry{etf.Atom("of_" + n.name), n.newPid(), nil}, false, func(err error) {
			if err != nil {
				s.printf("%s: %v", n.name, err)
			}
		}))
	}
	s.out.Reset()
	s.run(time.Minute)
	if synced != len(live) {
		return fmt.Errorf("%d of %d are in sync", synced, len(live))
	}
	if said := s.out.String(); said != "" {
		return fmt.Errorf("cannot register: %s", said)
	}
	for _, n := range live {
		switch {
		case len(n.known) != len(live)-1:
			return fmt.Errorf("%s knows %v", n.name, n.knownNodes())
		case len(n.locks) > 0:
			return fmt.Errorf("%s has locks: %v", n.name, n.locks)
		case n.join.state != joinIdle:
			return fmt.Errorf("the locker of %s is not idle", n.name)
		}
		names := 0
		for _, e := range n.names.list() {
			first, ok := live[0].names.find(e.name)
			if !ok || first.pid != e.pid || s.nodes[string(e.pid.Node)].dead {
				return fmt.Errorf("%s has %v, %s has %v", n.name, e, live[0].name, first)
			}
			names++
		}
		if want := len(live[0].names.list()); names != want || want < len(live) {
			return fmt.Errorf("%s has %d names, %s has %d", n.name, names, live[0].name, want)
		}
	}
	return nil
}
