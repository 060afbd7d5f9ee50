package truss_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/trusstest"
)

// jobs are what the nodes of these tests export as module jobs.
type jobs struct{ leaders chan etf.Pid }

// Wait lives until it is ended.
func (jobs) Wait(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// Tell sends what it is given back, and ends.
func (jobs) Tell(ctx context.Context, p *truss.Process, to etf.Pid, what truss.Message) error {
	return p.Send(ctx, to, what)
}

func (jobs) Add(a, b int) int { return a + b }

func (jobs) Fail(text string) error { return errors.New(text) }

func (jobs) Leave(reason etf.Term) error { return &truss.ExitError{Reason: reason} }

func (j jobs) Leader(p *truss.Process) { j.leaders <- p.GroupLeader() }

func (jobs) Crash() { panic("crashed") }

func exportJobs(t *testing.T, nodes ...*truss.Node) chan etf.Pid {
	t.Helper()
	leaders := make(chan etf.Pid, 10)
	for _, n := range nodes {
		if err := n.Export("jobs", jobs{leaders}); err != nil {
			t.Fatal(err)
		}
	}
	return leaders
}

// asProcess runs a test in a process that traps exits, and waits for it.
func asProcess(t *testing.T, ctx context.Context, n *truss.Node, test func(ctx context.Context, p *truss.Process)) {
	t.Helper()
	done := make(chan struct{})
	_, err := n.Spawn(func(ctx context.Context, p *truss.Process) error {
		defer close(done)
		p.TrapExit(true)
		test(ctx, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	await(t, ctx, done)
}

// next is the next message within a minute of fake time; nothing if there is none.
func next(t *testing.T, ctx context.Context, p *truss.Process) etf.Term {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	m, err := p.Receive(ctx)
	if err != nil {
		return etf.Atom("nothing")
	}
	term, err := m.Term()
	if err != nil {
		t.Error(err)
	}
	return term
}

// TestSpawnRemote starts functions on another node and on the own one: it makes no
// difference to who watches them.
func TestSpawnRemote(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		exportJobs(t, a, b)
		for _, on := range []string{b.Name(), a.Name(), ""} { // the first connects
			asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
				for _, test := range []struct {
					function string
					args     []any
					reason   string
				}{
					{"add", []any{1, 2}, "normal"},
					{"fail", []any{"why"}, `{<<"why">>,[{jobs,fail,1,[]}]}`},
					{"leave", []any{etf.Tuple{etf.Atom("a"), 1}}, "{a,1}"},
					{"leave", []any{etf.Atom("kill")}, "kill"},
					{"subtract", []any{1, 2}, "{undef,[{jobs,subtract,[1,2],[]}]}"},
					{"add", nil, "{undef,[{jobs,add,[],[]}]}"},
					{"add", []any{1, "2"}, `{function_clause,[{jobs,add,[1,<<"2">>],[]}]}`},
				} {
					child, err := p.SpawnRemote(ctx, truss.SpawnRequest{
						Node: on, Module: "jobs", Function: test.function, Args: test.args, Link: true, Monitor: true,
						Options: etf.List{etf.Tuple{etf.Atom("priority"), etf.Atom("high")}},
					})
					if err != nil {
						t.Errorf("%s on %q: %v", test.function, on, err)
						continue
					}
					var exit truss.Exit
					var down truss.Down
					for range 2 {
						switch signal := next(t, ctx, p).(type) {
						case truss.Exit:
							exit = signal
						case truss.Down:
							down = signal
						}
					}
					if exit.From != child.PID || etf.Format(exit.Reason) != test.reason {
						t.Errorf("%s on %q: exit of %v is %s, want %s", test.function, on, exit.From, etf.Format(exit.Reason), test.reason)
					}
					if down.Ref != child.Ref || down.Object != child.PID || etf.Format(down.Reason) != test.reason {
						t.Errorf("%s on %q: down of %v is %s, want %s", test.function, on, down.Object, etf.Format(down.Reason), test.reason)
					}
				}
			})
		}
	})
}

// TestSpawnRemotePanic: a panic ends one process.
func TestSpawnRemotePanic(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		exportJobs(t, b)
		asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
			if _, err := p.SpawnRemote(ctx, truss.SpawnRequest{Node: b.Name(), Module: "jobs", Function: "crash", Monitor: true}); err != nil {
				t.Error(err)
			}
			down, _ := next(t, ctx, p).(truss.Down)
			reason := etf.Format(down.Reason)
			if !strings.HasPrefix(reason, `{{go_panic,<<"crashed">>},[{'github.com/truss-beam/truss_test','jobs.Crash',0,[{file,`) || !strings.Contains(reason, "spawn_test.go") {
				t.Error(reason)
			}
		})
		if err := a.Ping(ctx, b.Name()); err != nil {
			t.Error(err)
		}
	})
}

// TestSpawnOrder: a child's signals come after it has been spawned, however quick
// it is: each message finds its sender known, each end is noticed.
func TestSpawnOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		exportJobs(t, b)
		asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
			for i := range 500 {
				child, err := p.SpawnRemote(ctx, truss.SpawnRequest{
					Node: b.Name(), Module: "jobs", Function: "tell", Args: []any{p.PID(), i}, Monitor: true,
				})
				if err != nil {
					t.Error(err)
					return
				}
				told, down := next(t, ctx, p), next(t, ctx, p)
				if told != etf.Term(int64(i)) || down != (etf.Term)(truss.Down{Ref: child.Ref, Object: child.PID, Reason: etf.Atom("normal")}) {
					t.Errorf("%d: %v, %v", i, told, down)
					return
				}
			}
		})
	})
}

// TestSpawnLinked: links hold in the other direction too, and children without a
// link or monitor survive who spawned them.
func TestSpawnLinked(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		exportJobs(t, a, b)
		for _, on := range []*truss.Node{a, b} {
			var linked, free truss.Child
			asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
				r := truss.SpawnRequest{Node: on.Name(), Module: "jobs", Function: "wait"}
				var err, err2 error
				free, err = p.SpawnRemote(ctx, r)
				r.Link = true
				linked, err2 = p.SpawnRemote(ctx, r)
				if err := errors.Join(err, err2); err != nil {
					t.Error(err)
				}
				if free.Ref != (etf.Ref{}) || linked.Ref != (etf.Ref{}) {
					t.Error("a monitor nobody asked for")
				}
				_ = p.Exit(ctx, p.PID(), etf.Atom("kill")) // so that the link carries killed
			})
			asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
				gone, err := p.Monitor(ctx, linked.PID)
				alive, err2 := p.Monitor(ctx, free.PID)
				if err := errors.Join(err, err2); err != nil {
					t.Error(err)
				}
				if down, _ := next(t, ctx, p).(truss.Down); down.Ref != gone {
					t.Errorf("on %s: %v is down", on.Name(), down.Object)
				}
				if err := p.Exit(ctx, free.PID, etf.Atom("done")); err != nil {
					t.Error(err)
				}
				if down, _ := next(t, ctx, p).(truss.Down); down.Ref != alive || down.Reason != etf.Term(etf.Atom("done")) {
					t.Errorf("on %s: %v is down with %v", on.Name(), down.Object, down.Reason)
				}
			})
		}
	})
}

// TestSpawnErrors: each reason why there is no process can be told from the others.
func TestSpawnErrors(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		exportJobs(t, a, b)
		asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
			for _, test := range []struct {
				name string
				r    truss.SpawnRequest
				is   error
				says string
			}{
				{"nobody there", truss.SpawnRequest{Node: "x@10.0.0.9", Module: "jobs", Function: "wait"}, truss.ErrNoConnection, "spawn jobs:wait/0"},
				{"bad option", truss.SpawnRequest{Node: b.Name(), Module: "jobs", Function: "wait", Options: etf.List{etf.Atom("reply_tag")}}, nil, b.Name() + " refuses to spawn: it does not know one of the options (badopt)"},
				{"bad option here", truss.SpawnRequest{Module: "jobs", Function: "wait", Options: etf.List{int64(1)}}, nil, "badopt"},
				{"no term", truss.SpawnRequest{Node: b.Name(), Module: "jobs", Function: "wait", Args: []any{make(chan int)}}, etf.ErrUnsupported, "chan int"},
				{"no term here", truss.SpawnRequest{Module: "jobs", Function: "wait", Args: []any{make(chan int)}}, etf.ErrUnsupported, "chan int"},
			} {
				_, err := p.SpawnRemote(ctx, test.r)
				var refused *truss.SpawnError
				if err == nil || test.is != nil && !errors.Is(err, test.is) || test.is == nil && !errors.As(err, &refused) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%s: %v", test.name, err)
				}
			}
			_ = p.Exit(ctx, p.PID(), etf.Atom("kill"))
			for _, on := range []string{"", b.Name()} {
				var exit *truss.ExitError
				if _, err := p.SpawnRemote(ctx, truss.SpawnRequest{Node: on, Module: "jobs", Function: "wait", Link: true}); !errors.As(err, &exit) {
					t.Errorf("a dead process spawns on %q: %v", on, err)
				}
			}
		})
		if _, err := a.SpawnRemote(ctx, truss.SpawnRequest{Node: b.Name(), Module: "jobs", Function: "wait", Link: true}); err == nil {
			t.Error("a node was linked")
		}
		pid, err := a.SpawnRemote(ctx, truss.SpawnRequest{Node: b.Name(), Module: "jobs", Function: "wait"})
		if err != nil || string(pid.Node) != b.Name() {
			t.Errorf("a node spawns %v, %v", pid, err)
		}
	})
}

// TestSpawnConnectionLost: a request that is not answered when the connection goes
// fails with it; a linked child that runs is ended, and its parent told.
func TestSpawnConnectionLost(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		exportJobs(t, b)
		asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
			r := truss.SpawnRequest{Node: b.Name(), Module: "jobs", Function: "wait", Link: true, Monitor: true}
			child, err := p.SpawnRemote(ctx, r)
			if err != nil {
				t.Error(err)
			}
			c.Partition("b")
			_, err = p.SpawnRemote(ctx, r) // waits for the net tick
			if !errors.Is(err, truss.ErrNoConnection) || !errors.Is(err, truss.ErrTickTimeout) {
				t.Errorf("spawn while the connection goes: %v", err)
			}
			exits, downs := 0, 0
			for range 2 {
				switch signal := next(t, ctx, p).(type) {
				case truss.Exit:
					exits++
					if signal.From != child.PID || signal.Reason != etf.Term(etf.Atom("noconnection")) {
						t.Error(signal)
					}
				case truss.Down:
					downs++
					if signal.Ref != child.Ref || signal.Reason != etf.Term(etf.Atom("noconnection")) {
						t.Error(signal)
					}
				}
			}
			if exits != 1 || downs != 1 {
				t.Errorf("%d exits and %d downs of the first child", exits, downs)
			}
			if more := next(t, ctx, p); more != etf.Term(etf.Atom("nothing")) {
				t.Errorf("and of the second, that never was: %v", more)
			}
		})
	})
}

// TestSpawnGroupLeader: a child has its parent's group leader, and so have its own.
func TestSpawnGroupLeader(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		leaders := exportJobs(t, a, b)
		grandchild := func(ctx context.Context, p *truss.Process, on string) error {
			_, err := p.SpawnRemote(ctx, truss.SpawnRequest{Node: on, Module: "jobs", Function: "leader"})
			return err
		}
		if err := b.Export("more", truss.Funcs{"grandchild": grandchild}); err != nil {
			t.Fatal(err)
		}
		user := a.Whereis("user")
		asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
			if p.GroupLeader() != (etf.Pid{}) {
				t.Error("a process of our own has a group leader")
			}
			for _, r := range []truss.SpawnRequest{
				{Node: b.Name(), Module: "jobs", Function: "leader"},
				{Module: "jobs", Function: "leader"},
				{Node: b.Name(), Module: "more", Function: "grandchild", Args: []any{a.Name()}},
				{Node: b.Name(), Module: "more", Function: "grandchild", Args: []any{b.Name()}},
			} {
				if _, err := p.SpawnRemote(ctx, r); err != nil {
					t.Error(err)
				}
				if leader := await(t, ctx, leaders); leader != user.PID() {
					t.Errorf("%s on %q has group leader %v, not %v", r.Function, r.Node, leader, user.PID())
				}
			}
		})
	})
}

// TestSpawnClose: a node that closes ends the children others have started on it.
func TestSpawnClose(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		exportJobs(t, b)
		asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
			refs := map[etf.Ref]bool{}
			for range 100 {
				child, err := p.SpawnRemote(ctx, truss.SpawnRequest{Node: b.Name(), Module: "jobs", Function: "wait", Monitor: true})
				if err != nil {
					t.Error(err)
				}
				refs[child.Ref] = true
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			for range 100 {
				down, _ := next(t, ctx, p).(truss.Down)
				if !refs[down.Ref] || fmt.Sprint(down.Reason) != "shutdown" {
					t.Errorf("%v", down)
				}
				delete(refs, down.Ref)
			}
		})
	})
}
