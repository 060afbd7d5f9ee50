package global_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/global"
	"github.com/truss-beam/truss/trusstest"
)

// cluster is some Truss nodes with global, by the name before the @.
type cluster struct {
	*trusstest.Cluster
	t      *testing.T
	nodes  map[string]*truss.Node
	global map[string]*global.Global
}

func newCluster(t *testing.T, names ...string) *cluster {
	c := &cluster{Cluster: trusstest.New(t), t: t, nodes: make(map[string]*truss.Node), global: make(map[string]*global.Global)}
	for _, name := range names {
		c.start(name, global.Config{})
	}
	return c
}

func (c *cluster) start(name string, config global.Config, configure ...func(*truss.Config)) {
	c.t.Helper()
	n := c.Start(name, configure...)
	g, err := global.Start(n, config)
	if err != nil {
		c.t.Fatal(err)
	}
	c.nodes[name], c.global[name] = n, g
}

func (c *cluster) connect(a, b string) {
	c.t.Helper()
	if err := c.nodes[a].Connect(c.t.Context(), c.nodes[b].Name()); err != nil {
		c.t.Fatal(err)
	}
}

// process starts one that lives until it is sent something, or killed.
func (c *cluster) process(node string) *truss.Process {
	c.t.Helper()
	p, err := c.nodes[node].Spawn(func(ctx context.Context, p *truss.Process) error {
		_, err := p.Receive(ctx)
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

func (c *cluster) sync(name string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Minute)
	defer cancel()
	if err := c.global[name].Sync(ctx); err != nil {
		c.t.Fatalf("%s: %v", name, err)
	}
}

// view is what a node sees: its peers and the names.
func (c *cluster) view(name string) string {
	var names []string
	for _, r := range c.global[name].RegisteredNames() {
		names = append(names, fmt.Sprintf("%s=%d@%s", etf.Format(r.Name), r.PID.ID, r.PID.Node))
	}
	return strings.Join(names, " ")
}

// TestMesh: nodes that are connected in a chain end as a full mesh with one set
// of names, and a name ends with its process.
func TestMesh(t *testing.T) {
	for n := 2; n <= 8; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				names := strings.Split("abcdefgh", "")[:n]
				c := newCluster(t, names...)
				var first *truss.Process
				for i, name := range names {
					p := c.process(name)
					if i == 0 {
						first = p
					}
					if err := c.global[name].RegisterName(t.Context(), etf.Atom("of_"+name), p.PID()); err != nil {
						t.Fatal(err)
					}
				}
				for i := range names[1:] {
					c.connect(names[i], names[i+1])
				}
				time.Sleep(2 * time.Minute)
				for _, name := range names {
					c.sync(name)
					if got := len(c.nodes[name].Nodes()); got != n-1 {
						t.Errorf("%s has %d nodes, want %d", name, got, n-1)
					}
					if got := c.view(name); got != c.view(names[0]) || strings.Count(got, "=") != n {
						t.Errorf("%s sees %s, %s sees %s", name, got, names[0], c.view(names[0]))
					}
				}
				last := names[n-1]
				if err := c.global[last].RegisterName(t.Context(), etf.Atom("of_a"), c.process(last).PID()); !errors.Is(err, truss.ErrNameTaken) {
					t.Errorf("of_a can be registered again: %v", err)
				}
				if _, err := c.global[last].Send(t.Context(), etf.Atom("of_a"), "end"); err != nil {
					t.Error(err)
				}
				<-first.Context().Done()
				time.Sleep(time.Second)
				for _, name := range names {
					if _, ok := c.global[name].WhereisName(etf.Atom("of_a")); ok {
						t.Errorf("%s still has of_a", name)
					}
				}
			})
		})
	}
}

// TestLate: global that starts after its node is connected is joined all the same.
func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "a")
		n := c.Start("b")
		c.nodes["b"] = n
		c.connect("a", "b")
		time.Sleep(time.Minute)
		g, err := global.Start(n, global.Config{})
		if err != nil {
			t.Fatal(err)
		}
		c.global["b"] = g
		if err := c.global["a"].RegisterName(t.Context(), etf.Atom("x"), c.process("a").PID()); err != nil {
			t.Fatal(err)
		}
		c.sync("b")
		c.sync("a")
		if _, ok := g.WhereisName(etf.Atom("x")); !ok {
			t.Error("b does not know x")
		}
		if _, err := global.Start(n, global.Config{}); !errors.Is(err, truss.ErrNameTaken) {
			t.Errorf("a second Start: %v", err)
		}
	})
}

// TestConflict: each method, when two partitions have the name.
func TestConflict(t *testing.T) {
	for _, test := range []struct {
		name   string
		method global.Method
		keep   string // whose process has the name afterwards
	}{
		{"exit", global.RandomExitName(), "a"},
		{"notify", global.RandomNotifyName(), "a"},
		{"all", global.NotifyAllName(), ""},
		{"custom", global.Custom(func(_ etf.Term, a, b etf.Pid) (etf.Pid, bool) {
			if strings.HasPrefix(string(a.Node), "b") {
				return a, true
			}
			return b, true
		}), "b"},
		{"none", global.Custom(func(etf.Term, etf.Pid, etf.Pid) (etf.Pid, bool) { return etf.Pid{}, false }), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, "a", "b")
				got := make(chan string, 2)
				processes := map[string]*truss.Process{}
				for _, name := range []string{"a", "b"} {
					p, err := c.nodes[name].Spawn(func(ctx context.Context, p *truss.Process) error {
						m, err := p.Receive(ctx)
						if err == nil {
							term, _ := m.Term()
							got <- name + " " + etf.Format(term.(etf.Tuple)[:2])
						}
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
					processes[name] = p
					if err := c.global[name].RegisterName(t.Context(), etf.Atom("x"), p.PID(), test.method); err != nil {
						t.Fatal(err)
					}
				}
				c.connect("a", "b")
				time.Sleep(time.Minute)
				for _, name := range []string{"a", "b"} {
					c.sync(name)
					pid, ok := c.global[name].WhereisName(etf.Atom("x"))
					if ok != (test.keep != "") || ok && pid != processes[test.keep].PID() {
						t.Errorf("%s: x is %v, %v; want that of %q", name, pid, ok, test.keep)
					}
				}
				switch test.name {
				case "exit":
					if context.Cause(processes["b"].Context()) == nil {
						t.Error("the loser lives")
					}
				case "notify":
					if m := <-got; m != "b {global_name_conflict,x}" {
						t.Error(m)
					}
				case "all":
					all := []string{<-got, <-got}
					slices.Sort(all)
					if want := []string{"a {global_name_conflict,x}", "b {global_name_conflict,x}"}; !slices.Equal(all, want) {
						t.Errorf("got %q, want %q", all, want)
					}
				}
			})
		})
	}
}

// TestLocks: a lock is set for one only, all over the cluster.
func TestLocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "a", "b", "c")
		c.connect("a", "b")
		c.connect("b", "c")
		for _, name := range []string{"a", "b", "c"} {
			time.Sleep(10 * time.Second)
			c.sync(name)
		}
		inside, most, done := 0, 0, make(chan error)
		for i := range 12 {
			g := c.global[strings.Split("abc", "")[i%3]]
			go func() {
				done <- g.Trans(t.Context(), global.LockID{Resource: "r"}, global.LockOptions{}, func(context.Context) error {
					inside++
					most = max(most, inside)
					time.Sleep(time.Second)
					inside--
					return nil
				})
			}()
		}
		for range 12 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if most != 1 {
			t.Errorf("%d had the lock at once", most)
		}
		never := global.LockOptions{Retries: -1}
		lock, err := c.global["a"].SetLock(t.Context(), global.LockID{Resource: "r", Requester: 1}, never)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.global["b"].SetLock(t.Context(), global.LockID{Resource: "r", Requester: 2}, never); !errors.Is(err, global.ErrLocked) {
			t.Errorf("locked twice: %v", err)
		}
		shared, err := c.global["b"].SetLock(t.Context(), global.LockID{Resource: "r", Requester: 1}, never)
		if err != nil {
			t.Errorf("the same requester cannot share: %v", err)
		}
		if err := shared.Unlock(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := c.global["c"].SetLock(t.Context(), global.LockID{Resource: "r", Requester: 2}, never); !errors.Is(err, global.ErrLocked) {
			t.Errorf("locked though a has it: %v", err)
		}
		c.Crash("a") // and with it the holder
		time.Sleep(time.Second)
		if _, err := c.global["c"].SetLock(t.Context(), global.LockID{Resource: "r", Requester: 2}, never); err != nil {
			t.Errorf("the lock of a node that is gone: %v", err)
		}
		_ = lock
	})
}

// TestLeave: a node that leaves does not make the others fall apart, and one
// that is lost is left by all.
func TestLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "a", "b", "c")
		c.connect("a", "b")
		c.connect("b", "c")
		time.Sleep(time.Minute)
		if _, err := c.global["a"].Disconnect(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := c.nodes["b"].Nodes(); !slices.Equal(got, []string{c.nodes["c"].Name()}) {
			t.Errorf("b has %v", got)
		}
		c.connect("a", "b")
		time.Sleep(time.Minute)
		c.sync("a")
		// The loss of one connection: by its report c leaves them both, or one of them.
		if err := c.nodes["a"].Disconnect(t.Context(), c.nodes["b"].Name()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		for name, n := range c.nodes {
			for _, peer := range n.Nodes() {
				other := c.nodes[peer[:1]]
				if !slices.Contains(other.Nodes(), n.Name()) || len(other.Nodes()) != len(n.Nodes()) {
					t.Errorf("partitions overlap: %s has %v, %s has %v", name, n.Nodes(), peer, other.Nodes())
				}
			}
		}
		if err := c.global["b"].Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := c.global["b"].RegisterName(t.Context(), "late", c.process("b").PID()); !errors.Is(err, truss.ErrClosed) {
			t.Errorf("register after Close: %v", err)
		}
	})
}

// TestNoConnectAll: such a node is in nobody's partition.
func TestNoConnectAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "a", "b")
		c.start("x", global.Config{NoConnectAll: true})
		c.connect("a", "b")
		c.connect("a", "x")
		if err := c.global["a"].RegisterName(t.Context(), etf.Atom("n"), c.process("a").PID()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := c.view("x"); got != "" || len(c.nodes["x"].Nodes()) != 1 {
			t.Errorf("x has %q and %v", got, c.nodes["x"].Nodes())
		}
		if got := c.view("b"); got == "" {
			t.Error("b has nothing")
		}
	})
}

// TestAutoConnectNever: nodes that connect to nobody by themselves do not for a mesh
// either. Of two that were not brought together one then leaves the third (both do, if
// their reports cross), as partitions must not overlap; who is connected to all is
// joined. So it is with OTP.
func TestAutoConnectNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		for _, name := range []string{"a", "b", "c"} {
			c.start(name, global.Config{}, func(config *truss.Config) { config.AutoConnect = truss.AutoConnectNever })
		}
		c.connect("b", "c")
		time.Sleep(time.Minute)
		c.connect("a", "b")
		time.Sleep(time.Minute)
		if got := c.nodes["b"].Nodes(); len(got) > 1 {
			t.Errorf("b has %v", got)
		}
		if got := c.nodes["a"].Nodes(); slices.Contains(got, c.nodes["c"].Name()) {
			t.Errorf("a has %v", got)
		}
		c.connect("a", "b")
		c.connect("a", "c")
		c.connect("b", "c")
		time.Sleep(time.Minute)
		if err := c.global["a"].RegisterName(t.Context(), etf.Atom("n"), c.process("a").PID()); err != nil {
			t.Fatal(err)
		}
		for name, n := range c.nodes {
			c.sync(name)
			if got := c.view(name); len(n.Nodes()) != 2 || got != c.view("a") || got == "" {
				t.Errorf("%s has %v and %q", name, n.Nodes(), got)
			}
		}
	})
}

// TestChurn cuts, heals, crashes, registers and locks at random, and then wants
// all to agree. A failure prints the seed.
func TestChurn(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { churn(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func churn(t *testing.T, random *rand.Rand) {
	names := strings.Split("abcdefgh", "")[:3+random.IntN(6)]
	c := newCluster(t, names...)
	pick := func() string { return names[random.IntN(len(names))] }
	for range 40 {
		a, b := pick(), pick()
		switch random.IntN(8) {
		case 0:
			c.Partition(a, b)
		case 1:
			c.Heal()
		case 2:
			c.Crash(a)
			c.start(a, global.Config{})
		case 3, 4:
			pid, name := c.process(a).PID(), etf.Atom(fmt.Sprintf("name%d", random.IntN(5)))
			register := c.global[a].RegisterName
			if random.IntN(3) == 0 {
				register = c.global[a].ReRegisterName
			}
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_ = register(ctx, name, pid) // may fail: nodes come and go
			}()
		case 5:
			_ = c.nodes[a].Disconnect(t.Context(), c.nodes[b].Name()) // if connected
		default:
			from, to := c.nodes[a], c.nodes[b].Name()
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_ = from.Connect(ctx, to) // if it can be reached, and is not itself
			}()
		}
		time.Sleep(time.Duration(random.IntN(8000)) * time.Millisecond)
	}
	c.Heal()
	time.Sleep(5 * time.Minute) // the ticks find out what was cut
	for round := 0; ; round++ {
		for i := range names {
			for _, b := range names[i+1:] {
				c.connect(names[i], b)
			}
		}
		time.Sleep(3 * time.Minute)
		whole := true
		for _, name := range names {
			whole = whole && len(c.nodes[name].Nodes()) == len(names)-1
		}
		if whole {
			break
		}
		if round == 5 {
			t.Fatal("the nodes do not stay connected")
		}
	}
	for _, name := range names {
		c.sync(name)
		if got, want := c.view(name), c.view(names[0]); got != want {
			t.Errorf("%s sees %s\n%s sees %s", name, got, names[0], want)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		if err := c.global[name].ReRegisterName(ctx, etf.Atom("last"), c.process(name).PID()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}
