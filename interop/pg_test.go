package interop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
	"github.com/truss-beam/truss/pg"
)

const crew = etf.Atom("crew")

// withPG is kernel's own scope pg, whose end is that of a BEAM of OTP 25.
func withPG() beam.Options { return beam.Options{Kernel: map[string]string{"start_pg": "true"}} }

func startScope(t *testing.T, n *truss.Node, scope string) *pg.Scope {
	t.Helper()
	s, err := pg.Start(n, scope)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// groupMember is a process that does nothing.
func groupMember(t *testing.T, n *truss.Node) *truss.Process {
	t.Helper()
	return spawn(t, n, func(ctx context.Context, _ *truss.Process) error {
		<-ctx.Done()
		return nil
	})
}

// beamMember starts a process of the BEAM that does nothing, under a name.
func beamMember(t *testing.T, b *beam.Node, name string) {
	t.Helper()
	b.MustEval(t, "register("+name+", spawn(fun() -> receive stop -> ok end end))")
}

// counts prints how many members of a group each node has: "beam@127.0.0.1:2 go@127.0.0.1:1".
func counts(pids []etf.Pid) string {
	by := make(map[string]int)
	for _, pid := range pids {
		by[string(pid.Node)]++
	}
	var all []string
	for node, n := range by {
		all = append(all, fmt.Sprintf("%s:%d", node, n))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// agree waits until our scope and the BEAMs see the same members of a group.
func agree(t *testing.T, s *pg.Scope, scope string, group etf.Atom, want string, beams ...*beam.Node) {
	t.Helper()
	eventually(t, fmt.Sprintf("members of %s are %s, not %s", group, want, counts(s.Members(group))), func() bool {
		return counts(s.Members(group)) == want
	})
	const theirs = `Count = fun(Node) -> length([P || P <- Members, node(P) =:= Node]) end,
		lists:flatten(lists:join(" ", [lists:flatten(io_lib:format("~s:~p", [N, Count(N)])) || N <- lists:usort([node(P) || P <- Members])]))`
	printed := `"` + want + `"`
	if want == "" {
		printed = "[]"
	}
	for _, b := range beams {
		b.Await(t, fmt.Sprintf("Members = pg:get_members(%s, %s), %s", scope, group, theirs), printed)
	}
}

// TestPG walks through the life of a scope that a BEAM and Truss share.
func TestPG(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, withPG(), truss.Config{})
		beamMember(t, p.beam, "m1")
		beamMember(t, p.beam, "m2")
		p.beam.MustEval(t, "ok = pg:join(crew, [whereis(m1), whereis(m1), whereis(m2)])")
		scopePid := p.beam.MustEval(t, "whereis(pg)")

		// Both are there when the nodes meet; then everything that can change.
		s := startScope(t, p.node, "")
		g1, g2 := groupMember(t, p.node), groupMember(t, p.node)
		join := func(pids ...etf.Pid) {
			t.Helper()
			if err := s.Join(crew, pids...); err != nil {
				t.Fatal(err)
			}
		}
		join(g1.PID())
		connect(t, p.node, p.beam.Name)
		agree(t, s, "pg", crew, "beam@127.0.0.1:3 go@127.0.0.1:1", p.beam)
		join(g1.PID(), g2.PID())
		agree(t, s, "pg", crew, "beam@127.0.0.1:3 go@127.0.0.1:3", p.beam)
		p.beam.MustEval(t, "ok = pg:leave(crew, whereis(m1))")
		if err := s.Leave(crew, g2.PID()); err != nil {
			t.Fatal(err)
		}
		agree(t, s, "pg", crew, "beam@127.0.0.1:2 go@127.0.0.1:2", p.beam)
		p.beam.MustEval(t, "m2 ! stop, ok")
		endProcess(t, g1) // which was in it twice
		agree(t, s, "pg", crew, "beam@127.0.0.1:1", p.beam)
		p.beam.MustEval(t, "ok = pg:leave(crew, whereis(m1))")
		agree(t, s, "pg", crew, "", p.beam)
		p.beam.Await(t, "pg:which_groups()", "[]")
		if groups := s.WhichGroups(); len(groups) != 0 {
			t.Errorf("groups are left: %v", groups)
		}

		// The link is lost and comes back: by either side.
		join(g2.PID())
		p.beam.MustEval(t, "ok = pg:join(crew, whereis(m1))")
		agree(t, s, "pg", crew, "beam@127.0.0.1:1 go@127.0.0.1:1", p.beam)
		if err := p.node.Disconnect(t.Context(), p.beam.Name); err != nil {
			t.Fatal(err)
		}
		agree(t, s, "pg", crew, "go@127.0.0.1:1")
		p.beam.Await(t, "length(pg:get_members(crew))", "1")
		join(g2.PID())
		p.beam.MustEval(t, "pong = net_adm:ping('go@127.0.0.1')")
		agree(t, s, "pg", crew, "beam@127.0.0.1:1 go@127.0.0.1:2", p.beam)
		p.beam.MustEval(t, "true = erlang:disconnect_node('go@127.0.0.1')")
		agree(t, s, "pg", crew, "go@127.0.0.1:2")
		p.beam.Await(t, "length(pg:get_members(crew))", "1")
		connect(t, p.node, p.beam.Name)
		agree(t, s, "pg", crew, "beam@127.0.0.1:1 go@127.0.0.1:2", p.beam)

		// Our scope ends, and starts late.
		s.Close()
		p.beam.Await(t, "length(pg:get_members(crew))", "1")
		s = startScope(t, p.node, "")
		agree(t, s, "pg", crew, "beam@127.0.0.1:1", p.beam)
		join(g2.PID())
		agree(t, s, "pg", crew, "beam@127.0.0.1:1 go@127.0.0.1:1", p.beam)
		if now := p.beam.MustEval(t, "whereis(pg)"); now != scopePid {
			t.Errorf("the BEAM's scope has crashed: it was %s and is %s", scopePid, now)
		}
		p.beam.Kill()
		agree(t, s, "pg", crew, "go@127.0.0.1:1")
	})
}

// endProcess kills a process of ours.
func endProcess(t *testing.T, p *truss.Process) {
	t.Helper()
	if err := p.Exit(t.Context(), p.PID(), etf.Atom("kill")); err != nil {
		t.Fatal(err)
	}
	<-p.Context().Done()
}

// TestPGScopeDies: the BEAM's scope ends, is started late, and ends again.
func TestPGScopeDies(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		s := startScope(t, p.node, "own")
		if err := s.Join(crew, groupMember(t, p.node).PID()); err != nil {
			t.Fatal(err)
		}
		beamMember(t, p.beam, "m")
		for range 3 {
			p.beam.MustEval(t, "{ok, _} = pg:start(own), ok = pg:join(own, crew, whereis(m))")
			agree(t, s, "own", crew, "beam@127.0.0.1:1 go@127.0.0.1:1", p.beam)
			p.beam.MustEval(t, "exit(whereis(own), kill)")
			agree(t, s, "own", crew, "go@127.0.0.1:1")
			p.beam.Await(t, "whereis(own)", "undefined")
		}
	})
}

// TestPGHidden: a hidden node that asks for it is a member on both sides.
func TestPGHidden(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, withPG(), truss.Config{Hidden: true})
		s := startScope(t, p.node, "")
		if err := s.Join(crew, groupMember(t, p.node).PID()); err != nil {
			t.Fatal(err)
		}
		if err := s.Discover(p.beam.Name); err != nil {
			t.Fatal(err)
		}
		beamMember(t, p.beam, "m")
		p.beam.MustEval(t, "ok = pg:join(crew, whereis(m))")
		scope := p.beam.MustEval(t, "whereis(pg)")
		for range 2 {
			connect(t, p.node, p.beam.Name)
			agree(t, s, "pg", crew, "beam@127.0.0.1:1 go@127.0.0.1:1", p.beam)
			if err := s.Discover(p.beam.Name); err != nil { // again, which changes nothing
				t.Fatal(err)
			}
			p.beam.MustEval(t, "R = monitor(process, m), m ! stop, receive {'DOWN', R, _, _, _} -> ok end")
			agree(t, s, "pg", crew, "go@127.0.0.1:1", p.beam)
			beamMember(t, p.beam, "m")
			p.beam.MustEval(t, "ok = pg:join(crew, whereis(m))")
			if err := p.node.Disconnect(t.Context(), p.beam.Name); err != nil {
				t.Fatal(err)
			}
			agree(t, s, "pg", crew, "go@127.0.0.1:1")
		}
		if now := p.beam.MustEval(t, "whereis(pg)"); now != scope {
			t.Errorf("the BEAM's scope has crashed: it was %s and is %s", scope, now)
		}
	})
}

// TestPGMonitors: either side's monitors see the other's processes.
func TestPGMonitors(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, withPG(), truss.Config{})
		connect(t, p.node, p.beam.Name)
		s := startScope(t, p.node, "")
		_, events, err := s.Monitor(t.Context(), crew)
		if err != nil {
			t.Fatal(err)
		}
		watcher := p.beam.Spawn()
		watcher.MustEval(t, "{Ref, []} = pg:monitor(crew), ok")
		beamMember(t, p.beam, "m")
		p.beam.MustEval(t, "ok = pg:join(crew, whereis(m)), m ! stop, ok")
		for _, want := range []string{"+1 -0", "+0 -1"} {
			select {
			case e := <-events:
				if got := fmt.Sprintf("+%d -%d", len(e.Joined), len(e.Left)); got != want {
					t.Errorf("event %s, want %s", got, want)
				}
			case <-time.After(limit):
				t.Fatalf("no event %s", want)
			}
		}
		g := groupMember(t, p.node)
		if err := s.Join(crew, g.PID()); err != nil {
			t.Fatal(err)
		}
		endProcess(t, g)
		got := watcher.MustEval(t, `Next = fun() -> receive {Ref, What, crew, [Pid]} -> {What, node(Pid)} after 10000 -> nothing end end,
			Of = node(), [E || {_, N} = E <- [Next(), Next(), Next(), Next()], N =/= Of]`)
		if want := "[{join,'go@127.0.0.1'},{leave,'go@127.0.0.1'}]"; got != want {
			t.Errorf("the BEAM's monitor saw %s, want %s", got, want)
		}
	})
}

// TestPGChurn: two BEAMs of neighbouring releases and two of ours, which all do
// at random what can be done, links lost and found included. No scope ends, and
// all agree afterwards.
func TestPGChurn(t *testing.T) {
	t.Parallel()
	releases := beam.Releases(t)
	for i := range len(releases) - 1 { // 25 and 29 cannot share a scope: 29's first message ends 25's
		t.Run(releases[i].String()+"+"+releases[i+1].String(), func(t *testing.T) {
			t.Parallel()
			testPGChurn(t, releases[i:i+2])
		})
	}
}

func testPGChurn(t *testing.T, releases []beam.Release) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	epmd := releases[0].StartEPMD(t)
	var beams []*beam.Node
	var scopes []string
	for i, r := range releases {
		b := r.Start(t, beam.Options{Name: fmt.Sprintf("b%d@127.0.0.1", i), EPMD: epmd, Kernel: map[string]string{"start_pg": "true", "prevent_overlapping_partitions": "false"}})
		for m := range 3 {
			beamMember(t, b, fmt.Sprint("m", m))
		}
		beams, scopes = append(beams, b), append(scopes, b.MustEval(t, "whereis(pg)"))
	}
	var ours []*truss.Node
	var s []*pg.Scope
	var members [][]*truss.Process
	for i := range 2 {
		n := start(t, truss.Config{Name: fmt.Sprintf("g%d@127.0.0.1", i), Epmd: fmt.Sprintf("127.0.0.1:%d", epmd)})
		ours, s = append(ours, n), append(s, startScope(t, n, ""))
		members = append(members, []*truss.Process{groupMember(t, n), groupMember(t, n), groupMember(t, n)})
	}
	meet := func() {
		for i, n := range ours {
			for _, b := range beams {
				connect(t, n, b.Name)
			}
			for _, other := range ours[i+1:] {
				connect(t, n, other.Name())
			}
		}
		beams[0].MustEval(t, "pong = net_adm:ping('"+beams[1].Name+"')")
	}
	meet()
	for range 300 {
		group := etf.Atom(fmt.Sprint("g", random.IntN(3)))
		i, m := random.IntN(2), random.IntN(3)
		switch random.IntN(12) {
		case 0:
			endProcess(t, members[i][m])
			members[i][m] = groupMember(t, ours[i])
		case 1:
			_ = ours[i].Disconnect(t.Context(), beams[random.IntN(2)].Name) // it may not be connected
		case 2:
			connect(t, ours[i], beams[random.IntN(2)].Name)
		case 3, 4:
			beams[i].MustEval(t, fmt.Sprintf("ok = pg:join(%s, [whereis(m%d), whereis(m0)])", group, m))
		case 5:
			beams[i].MustEval(t, fmt.Sprintf("pg:leave(%s, whereis(m%d))", group, m))
		case 6, 7, 8:
			_ = s[i].Leave(group, members[i][m].PID(), members[i][0].PID()) // they may not be in it
		default:
			if err := s[i].Join(group, members[i][m].PID(), members[i][0].PID()); err != nil {
				t.Fatal(err)
			}
		}
	}
	meet()
	for g := range 3 {
		group := etf.Atom(fmt.Sprint("g", g))
		var want []etf.Pid
		for _, scope := range s {
			want = append(want, scope.LocalMembers(group)...)
		}
		text := counts(want)
		for _, b := range beams {
			if n := b.MustEval(t, "length(pg:get_local_members("+string(group)+"))"); n != "0" {
				text = strings.TrimSpace(b.Name + ":" + n + " " + text)
			}
		}
		parts := strings.Fields(text)
		slices.Sort(parts)
		for i := range s {
			agree(t, s[i], "pg", group, strings.Join(parts, " "), beams...)
		}
	}
	for i, b := range beams {
		if now := b.MustEval(t, "whereis(pg)"); now != scopes[i] {
			t.Errorf("the scope of %s has crashed: it was %s and is %s", b.Name, scopes[i], now)
		}
	}
}
