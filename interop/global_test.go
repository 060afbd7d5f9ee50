package interop

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/global"
	"github.com/truss-beam/truss/internal/beam"
)

// member is a Truss node with global in a cluster of BEAMs.
type member struct {
	*truss.Node
	*global.Global
}

func startMember(t *testing.T, epmd int, name string) member {
	t.Helper()
	n := start(t, truss.Config{Name: name, Epmd: fmt.Sprintf("127.0.0.1:%d", epmd)})
	g, err := global.Start(n, global.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return member{n, g}
}

// idle is a Go process that waits to be ended.
func idle(t *testing.T, n *truss.Node) *truss.Process {
	t.Helper()
	return spawn(t, n, endsWith)
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// oneOfEach starts a BEAM of every release, all with one epmd.
func oneOfEach(t *testing.T, options beam.Options) (beams []*beam.Node, epmd int) {
	t.Helper()
	for i, release := range beam.Releases(t) {
		if i == 0 {
			epmd = release.StartEPMD(t)
		}
		options.Name, options.EPMD = release.String()+"@127.0.0.1", epmd
		beams = append(beams, release.Start(t, options))
	}
	return beams, epmd
}

// joined waits until every node has all others, and global:sync returns.
func joined(t *testing.T, members []member, beams []*beam.Node) {
	t.Helper()
	total := len(members) + len(beams)
	for _, b := range beams {
		b.Await(t, "length(nodes())", fmt.Sprint(total-1))
	}
	for _, m := range members {
		eventually(t, m.Name()+" has all nodes", func() bool { return len(m.Nodes()) == total-1 })
	}
	for _, b := range beams {
		if got := b.MustEval(t, "global:sync()"); got != "ok" {
			t.Fatalf("%s: global:sync() returns %s", b.Name, got)
		}
	}
	for _, m := range members {
		if err := m.Sync(within(t)); err != nil {
			t.Fatalf("%s: %v", m.Name(), err)
		}
	}
}

// sees waits until a name is registered for pid, or for nobody, at a Truss node.
func sees(t *testing.T, m member, name, node string) etf.Pid {
	t.Helper()
	var pid etf.Pid
	eventually(t, fmt.Sprintf("%s has %s at %q", m.Name(), name, node), func() bool {
		pid, _ = m.WhereisName(etf.Atom(name))
		return string(pid.Node) == node
	})
	return pid
}

const registerIdle = "P = spawn(fun() -> receive {From, M} -> From ! {self(), M} end end), global:register_name(%s, P)"

// TestGlobalNames: names registered on either side, seen and used on the other.
func TestGlobalNames(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		epmd := release.StartEPMD(t)
		b := release.Start(t, beam.Options{Name: "beam@127.0.0.1", EPMD: epmd})
		m := startMember(t, epmd, "go@127.0.0.1")
		if got := b.MustEval(t, fmt.Sprintf(registerIdle, "before")); got != "yes" {
			t.Fatal(got)
		}
		connect(t, m.Node, b.Name)
		joined(t, []member{m}, []*beam.Node{b})
		sees(t, m, "before", b.Name)

		p := idle(t, m.Node)
		if err := m.RegisterName(within(t), etf.Atom("ours"), p.PID()); err != nil {
			t.Fatal(err)
		}
		if got := b.MustEval(t, "node(global:whereis_name(ours))"); got != "'go@127.0.0.1'" {
			t.Errorf("ours is at %s", got)
		}
		if got := b.MustEval(t, "global:register_name(ours, self())"); got != "no" {
			t.Errorf("ours can be registered twice: %s", got)
		}
		if err := m.RegisterName(within(t), etf.Atom("before"), p.PID()); !errors.Is(err, truss.ErrNameTaken) {
			t.Errorf("before can be registered twice: %v", err)
		}
		if got := b.MustEval(t, fmt.Sprintf(registerIdle, "{any, <<\"term\">>}")); got != "yes" {
			t.Fatal(got)
		}
		if _, ok := m.WhereisName(etf.Tuple{etf.Atom("any"), "term"}); !ok {
			t.Error("a name is no term like any other")
		}
		// The pid is usable, both ways.
		got := make(chan etf.Term, 1)
		spawn(t, m.Node, func(ctx context.Context, self *truss.Process) error {
			pid, _ := m.WhereisName(etf.Atom("before"))
			if err := self.Send(ctx, pid, etf.Tuple{self.PID(), 1}); err != nil {
				return err
			}
			reply, err := self.Receive(ctx)
			if err != nil {
				return err
			}
			term, err := reply.Term()
			got <- term
			return err
		})
		if reply, ok := (<-got).(etf.Tuple); !ok || reply[1] != etf.Term(int64(1)) {
			t.Errorf("before answers %v", reply)
		}
		b.Await(t, "global:whereis_name(before)", "undefined")
		sees(t, m, "before", "")
		b.MustEval(t, "global:send(ours, normal)")
		<-p.Context().Done()
		b.Await(t, "global:whereis_name(ours)", "undefined")
		sees(t, m, "ours", "")

		// Re- and unregister.
		p = idle(t, m.Node)
		if err := m.ReRegisterName(within(t), etf.Tuple{etf.Atom("any"), "term"}, p.PID()); err != nil {
			t.Fatal(err)
		}
		b.Await(t, "node(global:whereis_name({any, <<\"term\">>}))", "'go@127.0.0.1'")
		if got := b.MustEval(t, "global:unregister_name({any, <<\"term\">>}), global:registered_names()"); got != "[]" {
			t.Errorf("names: %s", got)
		}
		if names := m.RegisteredNames(); len(names) != 0 {
			t.Errorf("names: %v", names)
		}
		// What a BEAM asks of global elsewhere.
		for expr, want := range map[string]string{
			"gen_server:call({global_name_server, 'go@127.0.0.1'}, get_known)":                                                     "['beam@127.0.0.1']",
			"gen_server:call({global_name_server, 'go@127.0.0.1'}, get_synced)":                                                    "['beam@127.0.0.1']",
			"gen_server:call({global_name_server, 'go@127.0.0.1'}, get_protocol_version)":                                          "8",
			"gen_server:call({global_name_server, 'go@127.0.0.1'}, get_names_ext)":                                                 "[]",
			"gen_server:call({global_name_server, 'go@127.0.0.1'}, {sync, [node()]})":                                              "ok",
			"gen_server:call({global_name_server, 'go@127.0.0.1'}, nonsense)":                                                      "{error,notsup}",
			"Tag = make_ref(), {global_name_server, 'go@127.0.0.1'} ! {whereis, nobody, {self(), Tag}}, receive {Tag, X} -> X end": "undefined",
		} {
			if got := b.MustEval(t, expr); got != want {
				t.Errorf("%s gives %s, want %s", expr, got, want)
			}
		}
	})
}

// TestGlobalLocks: locks both ways, and fights for one.
func TestGlobalLocks(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		epmd := release.StartEPMD(t)
		b := release.Start(t, beam.Options{Name: "beam@127.0.0.1", EPMD: epmd})
		m := startMember(t, epmd, "go@127.0.0.1")
		connect(t, m.Node, b.Name)
		joined(t, []member{m}, []*beam.Node{b})

		never := global.LockOptions{Retries: -1}
		lock, err := m.SetLock(within(t), global.LockID{Resource: etf.Atom("r")}, never)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.MustEval(t, "global:set_lock({r, self()}, [node()|nodes()], 0)"); got != "false" {
			t.Errorf("set_lock is %s though we have it", got)
		}
		if err := lock.Unlock(within(t)); err != nil {
			t.Fatal(err)
		}
		holder := b.Spawn()
		if got := holder.MustEval(t, "global:set_lock({r, self()}, [node()|nodes()], 0)"); got != "true" {
			t.Errorf("set_lock is %s though we freed it", got)
		}
		if _, err := m.SetLock(within(t), global.LockID{Resource: etf.Atom("r")}, never); !errors.Is(err, global.ErrLocked) {
			t.Errorf("SetLock: %v though the BEAM has it", err)
		}
		holder.MustEval(t, "global:del_lock({r, self()})")

		// Ten each, all at once: the counter would lose some were two inside at once.
		b.MustEval(t, "Self = self(), spawn(fun() -> ets:new(count, [named_table, public]), ets:insert(count, {n, 0}), Self ! made, receive never -> ok end end), receive made -> ok end")
		const add = "[{n, N}] = ets:lookup(count, n), timer:sleep(5), ets:insert(count, {n, N + 1})"
		theirs := b.Go("Self = self(), Pids = [spawn(fun() -> global:trans({c, self()}, fun() -> " + add + " end), Self ! {done, self()} end) || _ <- lists:seq(1, 10)], [receive {done, P} -> ok end || P <- Pids], ok")
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				err := m.Trans(within(t), global.LockID{Resource: etf.Atom("c")}, global.LockOptions{}, func(ctx context.Context) error {
					_, err := b.Eval(ctx, add)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		theirs.MustWait(t)
		if got := b.MustEval(t, "ets:lookup(count, n)"); got != "[{n,20}]" {
			t.Errorf("after 20 transactions %s", got)
		}
	})
}

// TestGlobalMixed: Truss nodes that join a cluster of all releases, names
// forwarded to who joins later, churn, and a death on each side.
func TestGlobalMixed(t *testing.T) {
	t.Parallel()
	beams, epmd := oneOfEach(t, beam.Options{})
	first := startMember(t, epmd, "go1@127.0.0.1")
	connect(t, first.Node, beams[0].Name)
	joined(t, []member{first}, beams[:1])
	if got := beams[0].MustEval(t, fmt.Sprintf(registerIdle, "old")); got != "yes" {
		t.Fatal(got)
	}
	if err := first.RegisterName(within(t), etf.Atom("go_old"), idle(t, first.Node).PID()); err != nil {
		t.Fatal(err)
	}
	for i, b := range beams[1:] {
		connect(t, first.Node, b.Name) // they get all names, the BEAM's with its fun too, by way of us
		joined(t, []member{first}, beams[:i+2])
		b.Await(t, "[node(global:whereis_name(N)) || N <- [old, go_old]]", atoms(beams[0].Name, first.Name()))
	}
	second := startMember(t, epmd, "go2@127.0.0.1")
	if got := beams[len(beams)-1].MustEval(t, "net_adm:ping('go2@127.0.0.1')"); got != "pong" {
		t.Fatal(got)
	}
	members := []member{first, second}
	joined(t, members, beams)
	sees(t, second, "old", beams[0].Name)

	// Everybody registers and unregisters; each name is had by one of them.
	var futures []*beam.Future
	for _, b := range beams {
		futures = append(futures, b.Go("[begin P = spawn(fun() -> receive stop -> ok end end), "+
			"case global:register_name({churn, I rem 3}, P) of yes -> global:unregister_name({churn, I rem 3}); no -> ok end, exit(P, kill) end || I <- lists:seq(1, 8)], ok"))
	}
	var all sync.WaitGroup
	for _, m := range members {
		all.Go(func() {
			for i := range 8 {
				p, name := idle(t, m.Node), etf.Tuple{etf.Atom("churn"), i % 3}
				err := m.RegisterName(within(t), name, p.PID())
				if err != nil && !errors.Is(err, truss.ErrNameTaken) {
					t.Error(err)
				}
				if err == nil {
					if err := m.UnregisterName(within(t), name); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	for _, f := range futures {
		if got := f.MustWait(t); got != "ok" {
			t.Error(got)
		}
	}
	for _, b := range beams {
		b.Await(t, "lists:sort(global:registered_names())", "[go_old,old]")
	}

	// A BEAM dies, then a Truss node.
	beams[0].Kill()
	beams = beams[1:]
	joined(t, members, beams)
	sees(t, second, "old", "")
	first.Node.Close()
	joined(t, []member{second}, beams)
	sees(t, second, "go_old", "")
	for _, b := range beams {
		if got := b.MustEval(t, fmt.Sprintf(registerIdle, "new"+strings.Split(b.Name, "@")[0])); got != "yes" {
			t.Errorf("%s: register_name is %s after the deaths", b.Name, got)
		}
	}
	if err := second.RegisterName(within(t), etf.Atom("new"), idle(t, second.Node).PID()); err != nil {
		t.Error(err)
	}
}

// TestGlobalConflict: both sides of a split have registered a name when they are
// joined. Each order of names, so that either side resolves.
func TestGlobalConflict(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		for _, name := range []string{"a@127.0.0.1", "z@127.0.0.1"} {
			t.Run(name, func(t *testing.T) {
				epmd := release.StartEPMD(t)
				b := release.Start(t, beam.Options{Name: "m@127.0.0.1", EPMD: epmd})
				b.MustEval(t, "register(names, spawn(fun L() -> receive {From, I, M} -> "+
					"P = spawn(fun() -> receive X -> M ! X end end), From ! global:register_name(I, P, case I of all -> fun global:notify_all_name/3; notify -> fun global:random_notify_name/3; _ -> fun global:random_exit_name/3 end), L() end end))")
				m := startMember(t, epmd, name)
				got := make(chan string, 10)
				methods := map[string]global.Method{"exit": global.RandomExitName(), "notify": global.RandomNotifyName(), "all": global.NotifyAllName()}
				processes := map[string]*truss.Process{}
				for id, method := range methods {
					processes[id] = spawn(t, m.Node, func(ctx context.Context, p *truss.Process) error {
						message, err := p.Receive(ctx)
						if err == nil {
							got <- id + " " + string(message.Tag())
						}
						return err
					})
					if err := m.RegisterName(within(t), etf.Atom(id), processes[id].PID(), method); err != nil {
						t.Fatal(err)
					}
					if got := b.MustEval(t, "names ! {self(), "+id+", self()}, receive X -> X end"); got != "yes" {
						t.Fatal(got)
					}
				}
				connect(t, m.Node, b.Name)
				joined(t, []member{m}, []*beam.Node{b})
				for _, id := range []string{"exit", "notify", "all"} {
					pid, ok := m.WhereisName(etf.Atom(id))
					want := "undefined"
					if ok {
						want = etf.Format(pid.Node)
					}
					if theirs := b.MustEval(t, "case global:whereis_name("+id+") of undefined -> undefined; P -> node(P) end"); theirs != want {
						t.Errorf("%s is at %s for us, at %s for the BEAM", id, want, theirs)
					}
				}
				if name < b.Name { // we resolve
					if pid, _ := m.WhereisName(etf.Atom("exit")); pid != processes["exit"].PID() {
						t.Errorf("exit is %v", pid)
					}
					if _, ok := m.WhereisName(etf.Atom("all")); ok {
						t.Error("all is still registered")
					}
					if s := <-got; s != "all global_name_conflict" {
						t.Error(s)
					}
				}
			})
		}
	})
}

// TestGlobalHeal: a name is registered on both sides of a cut, on one by a process of
// ours, and the cut heals. A BEAM of our side resolves the conflict: it runs the method
// here, by erpc, for which global alone suffices.
func TestGlobalHeal(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		// The method spares the process of the node with the smaller name, theirs or ours.
		for name, oursDies := range map[string]bool{"b@127.0.0.1": true, "z@127.0.0.1": false} {
			t.Run(name, func(t *testing.T) {
				epmd := release.StartEPMD(t)
				resolver := release.Start(t, beam.Options{Name: "a@127.0.0.1", EPMD: epmd})
				away := release.Start(t, beam.Options{Name: name, EPMD: epmd})
				m := startMember(t, epmd, "m@127.0.0.1")
				connect(t, m.Node, resolver.Name)
				connect(t, m.Node, away.Name)
				joined(t, []member{m}, []*beam.Node{resolver, away})
				if got := away.MustEval(t, "length(global:disconnect())"); got != "2" {
					t.Fatalf("global:disconnect() of %s nodes", got)
				}
				joined(t, []member{m}, []*beam.Node{resolver})

				got := make(chan etf.Term, 1)
				one := idle(t, m.Node)
				all := spawn(t, m.Node, func(ctx context.Context, p *truss.Process) error {
					message, err := p.Receive(ctx)
					if err != nil {
						return err
					}
					term, err := message.Term()
					got <- term
					return err
				})
				if err := m.RegisterName(within(t), etf.Atom("one"), one.PID(), global.RandomExitName()); err != nil {
					t.Fatal(err)
				}
				if err := m.RegisterName(within(t), etf.Atom("all"), all.PID(), global.NotifyAllName()); err != nil {
					t.Fatal(err)
				}
				if got := away.MustEval(t, "Self = self(), Idle = spawn(fun() -> receive never -> ok end end), Tells = spawn(fun() -> receive X -> receive {From, what} -> From ! X end end end), "+
					"register(tells, Tells), [global:register_name(one, Idle), global:register_name(all, Tells, fun global:notify_all_name/3)]"); got != "[yes,yes]" {
					t.Fatal(got)
				}

				if got := away.MustEval(t, "net_kernel:connect_node('"+resolver.Name+"')"); got != "true" {
					t.Fatal(got)
				}
				joined(t, []member{m}, []*beam.Node{resolver, away})
				winner := m.Name()
				if oursDies {
					winner = away.Name
					<-one.Context().Done()
				}
				sees(t, m, "one", winner)
				sees(t, m, "all", "")
				for _, b := range []*beam.Node{resolver, away} {
					b.Await(t, "[node(P) || P <- [global:whereis_name(one)], is_pid(P)]", atoms(winner))
					b.Await(t, "global:whereis_name(all)", "undefined")
				}
				if err := context.Cause(one.Context()); err != nil && !oursDies {
					t.Errorf("our process is dead: %v", err)
				}
				conflict, ok := (<-got).(etf.Tuple)
				if !ok || len(conflict) != 3 || conflict[0] != etf.Term(etf.Atom("global_name_conflict")) || conflict[1] != etf.Term(etf.Atom("all")) || string(conflict[2].(etf.Pid).Node) != away.Name {
					t.Errorf("our process got %v", conflict)
				}
				if got := away.MustEval(t, "tells ! {self(), what}, receive {global_name_conflict, all, P} -> node(P) end"); got != "'m@127.0.0.1'" {
					t.Errorf("theirs got one about a process of %s", got)
				}
			})
		}
	})
}

// TestGlobalPartitions: prevent_overlapping_partitions, when a connection between
// two BEAMs is lost, and when one of ours is.
func TestGlobalPartitions(t *testing.T) {
	t.Parallel()
	for _, cut := range []string{"beams", "ours"} {
		t.Run(cut, func(t *testing.T) {
			t.Parallel()
			beams, epmd := oneOfEach(t, beam.Options{})
			if len(beams) < 2 {
				t.Skip("needs two BEAMs")
			}
			m := startMember(t, epmd, "go@127.0.0.1")
			for _, b := range beams {
				connect(t, m.Node, b.Name)
			}
			joined(t, []member{m}, beams)
			if cut == "beams" {
				beams[0].MustEval(t, fmt.Sprintf("erlang:disconnect_node('%s')", beams[1].Name))
			} else if err := m.Node.Disconnect(within(t), beams[0].Name); err != nil {
				t.Fatal(err)
			}
			// Until all is quiet: whoever has somebody has the same as that one.
			view := func() map[string][]string {
				nodes := map[string][]string{m.Name(): append(m.Nodes(), m.Name())}
				for _, b := range beams {
					all := strings.Split(strings.Trim(b.MustEval(t, "lists:sort([node()|nodes()])"), "[]"), ",")
					for i := range all {
						all[i] = strings.Trim(all[i], "'")
					}
					nodes[b.Name] = all
				}
				for _, l := range nodes {
					slices.Sort(l)
				}
				return nodes
			}
			eventually(t, "partitions do not overlap", func() bool {
				v := view()
				if len(v[m.Name()]) == len(v) {
					return false // nobody has noticed yet
				}
				for _, l := range v {
					for _, peer := range l {
						if !slices.Equal(v[peer], l) {
							return false
						}
					}
				}
				return true
			})
			// And they can be joined again.
			for range 10 {
				for _, b := range beams {
					connect(t, m.Node, b.Name)
				}
				time.Sleep(200 * time.Millisecond)
				if len(m.Nodes()) == len(beams) {
					break
				}
			}
			joined(t, []member{m}, beams)
		})
	}
}

// TestGlobalNeverConnects: a node that connects to nobody by itself
// (dist_auto_connect never, AutoConnectNever) does not for the mesh of global either.
// Of two that were not brought together one then leaves the third (both do, if their
// reports cross): with a node of ours in the place of one of OTP's just as without.
func TestGlobalNeverConnects(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		for _, who := range []string{"theirs", "ours"} {
			t.Run(who, func(t *testing.T) {
				epmd := release.StartEPMD(t)
				never := map[string]string{"dist_auto_connect": "never"}
				middle := release.Start(t, beam.Options{Name: "middle@127.0.0.1", EPMD: epmd})
				late := release.Start(t, beam.Options{Name: "late@127.0.0.1", EPMD: epmd, Kernel: never})
				var early func() string
				switch who {
				case "theirs":
					b := release.Start(t, beam.Options{Name: "early@127.0.0.1", EPMD: epmd, Kernel: never})
					if got := b.MustEval(t, "net_kernel:connect_node('"+middle.Name+"')"); got != "true" {
						t.Fatal(got)
					}
					early = func() string { return b.MustEval(t, "nodes()") }
					joined(t, nil, []*beam.Node{middle, b})
				case "ours":
					n := start(t, truss.Config{Name: "early@127.0.0.1", Epmd: fmt.Sprintf("127.0.0.1:%d", epmd), AutoConnect: truss.AutoConnectNever})
					g, err := global.Start(n, global.Config{})
					if err != nil {
						t.Fatal(err)
					}
					connect(t, n, middle.Name)
					early = func() string { return atoms(n.Nodes()...) }
					joined(t, []member{{n, g}}, []*beam.Node{middle})
				}
				if got := late.MustEval(t, "net_kernel:connect_node('"+middle.Name+"')"); got != "true" {
					t.Fatal(got)
				}
				eventually(t, "early or late is alone", func() bool {
					return (early() == "[]" || late.MustEval(t, "nodes()") == "[]") && middle.MustEval(t, "length(nodes())") != "2"
				})
			})
		}
	})
}

// TestGlobalLeave: a Truss node that leaves is left in peace, and so are those
// who stay; and a BEAM that does.
func TestGlobalLeave(t *testing.T) {
	t.Parallel()
	beams, epmd := oneOfEach(t, beam.Options{})
	m := startMember(t, epmd, "go@127.0.0.1")
	for _, b := range beams {
		connect(t, m.Node, b.Name)
	}
	joined(t, []member{m}, beams)
	left, err := m.Global.Disconnect(within(t))
	if err != nil || len(left) != len(beams) {
		t.Fatalf("left %v, %v", left, err)
	}
	joined(t, nil, beams)
	connect(t, m.Node, beams[0].Name)
	joined(t, []member{m}, beams)
	if got := beams[0].MustEval(t, "length(global:disconnect())"); got != fmt.Sprint(len(beams)) {
		t.Errorf("global:disconnect() of %s nodes", got)
	}
	joined(t, []member{m}, beams[1:])
}

// TestGlobalKilled: a BEAM, and a Truss node, that die while they join: the others
// can register and sync all the same.
func TestGlobalKilled(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		epmd := release.StartEPMD(t)
		b := release.Start(t, beam.Options{Name: "m@127.0.0.1", EPMD: epmd})
		m := startMember(t, epmd, "go@127.0.0.1")
		connect(t, m.Node, b.Name)
		joined(t, []member{m}, []*beam.Node{b})
		check := func(round int) {
			t.Helper()
			b.Await(t, "nodes()", atoms(m.Name()))
			awaitNodes(t, m.Node, []string{b.Name}, []string{})
			joined(t, []member{m}, []*beam.Node{b})
			if got := b.MustEval(t, fmt.Sprintf(registerIdle, fmt.Sprintf("{theirs, %d}", round))); got != "yes" {
				t.Fatalf("round %d: %s", round, got)
			}
			if err := m.RegisterName(within(t), etf.Tuple{etf.Atom("ours"), round}, idle(t, m.Node).PID()); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		// The greatest and the smallest name: who resolves, and who is locked first.
		for i, victim := range []string{"a@127.0.0.1", "z@127.0.0.1"} {
			other := release.Start(t, beam.Options{Name: victim, EPMD: epmd})
			other.MustEval(t, fmt.Sprintf(registerIdle, "victims"))
			connect(t, m.Node, victim)
			time.Sleep(time.Duration(i) * 205 * time.Millisecond)
			other.Kill()
			check(i)
		}
		for i := range 8 {
			victim := startMember(t, epmd, "azazazaz"[i:i+1]+fmt.Sprint(i)+"@127.0.0.1")
			to := b.Name
			if i%4 > 1 {
				to = m.Name()
			}
			connect(t, victim.Node, to)
			time.Sleep(time.Duration(i) * 40 * time.Millisecond)
			victim.Node.Close()
			check(10 + i)
		}
		// A BEAM that stands still in the middle holds up names, but not for ever.
		frozen := release.Start(t, beam.Options{Name: "y@127.0.0.1", EPMD: epmd})
		connect(t, m.Node, frozen.Name)
		frozen.Pause(t)
		time.Sleep(300 * time.Millisecond)
		frozen.Kill()
		check(20)
	})
}

// TestGlobalChurn cuts connections, registers, and ends nodes at random in a
// cluster of all releases and two Truss nodes, and then wants all to agree.
func TestGlobalChurn(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("TRUSS_GLOBAL_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("TRUSS_GLOBAL_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	beams, epmd := oneOfEach(t, beam.Options{})
	names := []string{"a@127.0.0.1", "z@127.0.0.1"} // one that resolves, one that is the boss
	members := []member{startMember(t, epmd, names[0]), startMember(t, epmd, names[1])}
	all := slices.Clone(names)
	for _, b := range beams {
		all = append(all, b.Name)
	}
	mesh := func() {
		for round := 0; ; round++ {
			for _, m := range members {
				for _, peer := range all {
					if peer != m.Name() {
						connect(t, m.Node, peer)
					}
				}
			}
			for _, b := range beams {
				b.MustEval(t, "[net_adm:ping(N) || N <- "+atoms(all...)+"]")
			}
			time.Sleep(500 * time.Millisecond) // who was to be left for overlap's sake is left by now
			whole := true
			for _, m := range members {
				whole = whole && len(m.Nodes()) == len(all)-1
			}
			for _, b := range beams {
				whole = whole && b.MustEval(t, "length(nodes())") == fmt.Sprint(len(all)-1)
			}
			if whole {
				return
			}
			if round == 20 {
				t.Fatal("the nodes do not stay connected")
			}
		}
	}
	for range 3 {
		mesh()
		var futures []*beam.Future
		var tasks sync.WaitGroup
		for range 12 {
			b, i, peer := beams[random.IntN(len(beams))], random.IntN(2), all[random.IntN(len(all))]
			m, name := members[i], fmt.Sprintf("n%d", random.IntN(4))
			switch random.IntN(6) {
			case 0:
				futures = append(futures, b.Go("erlang:disconnect_node('"+peer+"')"))
			case 1:
				_ = m.Node.Disconnect(within(t), peer) // if connected
			case 2:
				futures = append(futures, b.Go(fmt.Sprintf(registerIdle, name)))
			case 3:
				p := idle(t, m.Node)
				tasks.Go(func() { _ = m.RegisterName(within(t), etf.Atom(name), p.PID()) }) // or another has it, or the node ends
			case 4:
				tasks.Go(func() { _ = m.Connect(within(t), peer) }) // if it is not itself
			case 5:
				if random.IntN(2) == 0 {
					m.Node.Close()
					members[i] = startMember(t, epmd, names[i])
				}
			}
			time.Sleep(time.Duration(random.IntN(150)) * time.Millisecond)
		}
		tasks.Wait()
		for _, f := range futures {
			f.MustWait(t)
		}
		mesh()
		joined(t, members, beams)
		const view = "lists:sort([{N, node(global:whereis_name(N))} || N <- global:registered_names()])"
		for _, b := range beams {
			for _, m := range members {
				eventually(t, b.Name+" and "+m.Name()+" have the same names", func() bool {
					ours := etf.List{}
					for _, r := range m.RegisteredNames() {
						ours = append(ours, etf.Tuple{r.Name, r.PID.Node})
					}
					return b.MustEval(t, view) == etf.Format(ours)
				})
			}
		}
	}
}
