package pg_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/pg"
	"github.com/truss-beam/truss/trusstest"
)

const workers = etf.Atom("workers")

func open(t *testing.T, n *truss.Node, scope string) *pg.Scope {
	t.Helper()
	s, err := pg.Start(n, scope)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// idle spawns a process that does nothing until it is killed.
func idle(t *testing.T, n *truss.Node) *truss.Process {
	t.Helper()
	p, err := n.Spawn(func(ctx context.Context, p *truss.Process) error {
		<-ctx.Done()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func join(t *testing.T, s *pg.Scope, group any, pids ...etf.Pid) {
	t.Helper()
	if err := s.Join(group, pids...); err != nil {
		t.Fatal(err)
	}
}

func sorted(pids []etf.Pid) []etf.Pid {
	return slices.SortedFunc(slices.Values(pids), func(a, b etf.Pid) int { return etf.Compare(a, b) })
}

// want checks a group, once the cluster has come to rest.
func want(t *testing.T, s *pg.Scope, group any, pids ...etf.Pid) {
	t.Helper()
	synctest.Wait()
	if got := sorted(s.Members(group)); !slices.Equal(got, sorted(pids)) {
		t.Errorf("members of %v: %v, want %v", group, got, pids)
	}
}

func TestJoinAndLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, b := c.Start("a"), c.Start("b")
		c.Connect(a, b)
		sa, sb := open(t, a, ""), open(t, b, "")
		p, q := idle(t, a).PID(), idle(t, b).PID()
		join(t, sa, workers, p, p)
		join(t, sb, workers, q)
		join(t, sb, "text", q)
		want(t, sa, workers, p, p, q)
		want(t, sb, workers, p, p, q)
		want(t, sa, []byte("text"), q)
		if got := sb.LocalMembers(workers); !slices.Equal(got, []etf.Pid{q}) {
			t.Errorf("local members %v", got)
		}
		if got := len(sa.WhichGroups()); got != 2 {
			t.Errorf("%d groups", got)
		}
		if got := sa.WhichLocalGroups(); len(got) != 1 || got[0] != etf.Term(workers) {
			t.Errorf("local groups %v", got)
		}
		if err := sa.Leave(workers, p); err != nil {
			t.Error(err)
		}
		want(t, sb, workers, p, q)
		if err := sa.Leave(workers, p, p); err != nil { // one of them was there
			t.Error(err)
		}
		want(t, sb, workers, q)
		if err := sa.Leave(workers, p); !errors.Is(err, pg.ErrNotJoined) {
			t.Errorf("leave twice: %v", err)
		}
		if err := sa.Join(workers, q); !errors.Is(err, pg.ErrNotLocal) {
			t.Errorf("join of another node's process: %v", err)
		}
		if err := sa.Join(make(chan int), p); !errors.Is(err, etf.ErrUnsupported) {
			t.Errorf("a group no term: %v", err)
		}
		if _, err := pg.Start(a, ""); !errors.Is(err, truss.ErrNameTaken) {
			t.Errorf("a second scope of the name: %v", err)
		}
	})
}

// TestEqualTermsAreOneGroup: also if their maps are written in different orders.
func TestEqualTermsAreOneGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := trusstest.New(t).Start("a")
		s := open(t, a, "")
		p := idle(t, a).PID()
		join(t, s, etf.Tuple{etf.Map{{Key: 1, Value: "a"}, {Key: etf.Atom("b"), Value: etf.List{2}}}}, p)
		want(t, s, etf.Tuple{etf.Map{{Key: etf.Atom("b"), Value: []int{2}}, {Key: int64(1), Value: []byte("a")}}}, p)
		want(t, s, etf.Tuple{etf.Map{{Key: 1.0, Value: "a"}, {Key: etf.Atom("b"), Value: etf.List{2}}}})
	})
}

// TestLifetimes: late scopes, ended processes, closed scopes, killed nodes.
func TestLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, b, d := c.Start("a"), c.Start("b"), c.Start("d")
		c.Connect(a, b, d)
		sa := open(t, a, "s")
		p, q := idle(t, a), idle(t, a)
		join(t, sa, workers, p.PID(), q.PID(), q.PID())
		sb := open(t, b, "s") // late
		want(t, sb, workers, p.PID(), q.PID(), q.PID())
		if err := p.Exit(t.Context(), q.PID(), etf.Atom("kill")); err != nil {
			t.Fatal(err)
		}
		want(t, sa, workers, p.PID())
		want(t, sb, workers, p.PID())

		other := open(t, d, "other") // another scope hears nothing
		want(t, other, workers)

		r := idle(t, b).PID()
		join(t, sb, workers, r)
		want(t, sa, workers, p.PID(), r)
		sb.Close()
		want(t, sa, workers, p.PID())
		if err := sb.Join(workers, r); !errors.Is(err, pg.ErrClosed) {
			t.Errorf("join a closed scope: %v", err)
		}
		sb = open(t, b, "s") // anew
		join(t, sb, workers, r)
		want(t, sa, workers, p.PID(), r)
		want(t, sb, workers, p.PID(), r)

		c.Crash("b")
		want(t, sa, workers, p.PID())
		b = c.Start("b")
		sb = open(t, b, "s")
		c.Connect(a, b)
		want(t, sb, workers, p.PID())
	})
}

func TestPartitionHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, b := c.Start("a"), c.Start("b")
		c.Connect(a, b)
		sa, sb := open(t, a, ""), open(t, b, "")
		p, q := idle(t, a).PID(), idle(t, b).PID()
		join(t, sa, workers, p)
		join(t, sb, workers, q)
		want(t, sa, workers, p, q)
		c.Partition("a")
		join(t, sb, "new", q)
		if err := sb.Leave(workers, q); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		want(t, sa, workers, p)
		want(t, sb, workers)
		c.Heal()
		c.Connect(a, b)
		want(t, sb, workers, p)
		want(t, sa, workers, p)
		want(t, sa, "new", q)
	})
}

// TestNobodyIsCalledBack: what is to be told to a node that has left does not
// connect to it.
func TestNobodyIsCalledBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, b := c.Start("a"), c.Start("b")
		c.Connect(a, b)
		sa := open(t, a, "")
		open(t, b, "")
		synctest.Wait()
		if err := a.Disconnect(t.Context(), b.Name()); err != nil {
			t.Fatal(err)
		}
		join(t, sa, workers, idle(t, a).PID())
		time.Sleep(time.Minute)
		if nodes := a.Nodes(); len(nodes) != 0 {
			t.Errorf("connected to %v", nodes)
		}
	})
}

func TestHiddenNodesDiscover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, tool := c.Start("a"), c.Start("tool", func(c *truss.Config) { c.Hidden = true })
		sa, st := open(t, a, ""), open(t, tool, "")
		p := idle(t, a).PID()
		join(t, sa, workers, p)
		c.Connect(a, tool)
		want(t, st, workers)
		if err := st.Discover(a.Name()); err != nil {
			t.Fatal(err)
		}
		want(t, st, workers, p)
		if err := tool.Disconnect(t.Context(), a.Name()); err != nil {
			t.Fatal(err)
		}
		want(t, st, workers)
		c.Connect(a, tool)
		want(t, st, workers, p)
	})
}

// TestHiddenNodesDiscoverLateScopes: one that starts after it was asked for, and
// again after its end.
func TestHiddenNodesDiscoverLateScopes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, tool := c.Start("a"), c.Start("tool", func(c *truss.Config) { c.Hidden = true })
		st := open(t, tool, "")
		mine := idle(t, tool).PID()
		join(t, st, workers, mine)
		if err := st.Discover(a.Name()); err != nil {
			t.Fatal(err)
		}
		c.Connect(a, tool)
		for range 2 {
			time.Sleep(time.Minute)
			sa := open(t, a, "")
			p := idle(t, a).PID()
			join(t, sa, workers, p)
			time.Sleep(10 * time.Second)
			want(t, st, workers, mine, p)
			want(t, sa, workers, mine, p)
			sa.Close()
			want(t, st, workers, mine)
		}
	})
}

func TestMonitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, b := c.Start("a"), c.Start("b")
		c.Connect(a, b)
		sa, sb := open(t, a, ""), open(t, b, "")
		p, q := idle(t, a).PID(), idle(t, b).PID()
		join(t, sa, workers, p)
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		members, events, err := sa.Monitor(ctx, workers)
		if err != nil || !slices.Equal(members, []etf.Pid{p}) {
			t.Fatalf("monitor: %v, %v", members, err)
		}
		groups, all, err := sa.MonitorScope(t.Context())
		if err != nil || len(groups) != 1 || groups[0].Name != etf.Term(workers) || !slices.Equal(groups[0].Members, []etf.Pid{p}) {
			t.Fatalf("monitor scope: %v, %v", groups, err)
		}
		join(t, sb, workers, q)
		join(t, sb, "other", q)
		synctest.Wait()
		sb.Close()
		synctest.Wait()
		show := func(e pg.Event) string {
			return fmt.Sprintf("%s +%d -%d", etf.Format(e.Group), len(e.Joined), len(e.Left))
		}
		for _, want := range []string{"workers +1 -0", "workers +0 -1"} {
			if got := show(<-events); got != want {
				t.Errorf("event %s, want %s", got, want)
			}
		}
		got := []string{show(<-all), show(<-all), show(<-all), show(<-all)}
		slices.Sort(got[2:]) // the groups of a scope that ends, in any order
		if s := strings.Join(got, "; "); s != `workers +1 -0; <<"other">> +1 -0; <<"other">> +0 -1; workers +0 -1` {
			t.Errorf("events %s", s)
		}
		cancel()
		if e, open := <-events; open {
			t.Errorf("event %v after the end", e)
		}
		sa.Close()
		if e, open := <-all; open {
			t.Errorf("event %v after the scope's end", e)
		}
	})
}

// TestStrangeMessages: none of them harms the scope.
func TestStrangeMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, b := c.Start("a"), c.Start("b")
		c.Connect(a, b)
		s := open(t, a, "")
		p := idle(t, b).PID()
		for _, m := range []etf.Term{
			etf.Atom("x"), etf.Tuple{}, etf.Tuple{etf.Atom("join")}, etf.Tuple{etf.Atom("discover"), 1},
			etf.Tuple{etf.Atom("join"), p, workers, p}, // of nobody known
			etf.Tuple{etf.Atom("leave"), p, p, etf.List{workers}},
			etf.Tuple{etf.Atom("join"), p, workers, etf.List{1}},
			etf.Tuple{etf.Atom("update"), p, etf.List{etf.Tuple{1}}},
			etf.Tuple{etf.Atom("sync"), p, etf.List{etf.Tuple{workers, 2}}},
			etf.Tuple{etf.Atom("$gen_cast"), etf.Atom("sync")},
			etf.Tuple{etf.Atom("$gen_call"), etf.Tuple{p, etf.Atom("tag")}, etf.Atom("monitor")},
		} {
			if err := b.Send(t.Context(), truss.Name{Name: "pg", Node: a.Name()}, m); err != nil {
				t.Fatal(err)
			}
		}
		want(t, s, workers)
		q := idle(t, a).PID()
		join(t, s, workers, q)
		want(t, s, workers, q)
	})
}

// TestSlowPeer: a peer that does not read holds up neither Join nor the others,
// and has everything once it reads again.
func TestSlowPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, b, slow := c.Start("a"), c.Start("b"), c.Start("slow")
		c.Connect(a, b, slow)
		sa, sb, ss := open(t, a, ""), open(t, b, ""), open(t, slow, "")
		p := idle(t, a).PID()
		synctest.Wait()
		c.Partition("slow")
		const groups = 100
		name := strings.Repeat("x", 50_000) // 5 MB in all: more than what may wait for a peer
		before := time.Now()
		for i := range groups {
			join(t, sa, fmt.Sprint(i, name), p)
		}
		synctest.Wait()
		if waited := time.Since(before); waited != 0 {
			t.Errorf("Join waited %v for a peer that does not read", waited)
		}
		if got := len(sb.WhichGroups()); got != groups {
			t.Errorf("the other peer knows %d groups, want %d", got, groups)
		}
		if got := len(ss.WhichGroups()); got == groups {
			t.Error("the slow peer knows everything: this tests nothing")
		}
		c.Heal()
		time.Sleep(time.Second)
		if got := len(ss.WhichGroups()); got != groups {
			t.Errorf("the slow peer knows %d groups, want %d", got, groups)
		}
	})
}

// TestNodeEndsFirst: the scope ends with its node, and Close then is no harm.
func TestNodeEndsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := trusstest.New(t).Start("a")
		s := open(t, n, "")
		_, events, err := s.MonitorScope(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		if e, open := <-events; open {
			t.Errorf("event %v", e)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := pg.Start(n, "other"); !errors.Is(err, truss.ErrClosed) {
			t.Errorf("start on a closed node: %v", err)
		}
	})
}
