package truss_test

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
	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/trusstest"
)

// echo replies the request.
type echo struct{}

func (echo) HandleCall(_ context.Context, _ truss.From, request truss.Message) (any, error) {
	return request, nil
}

// await receives from a channel. Nothing waits for ever on fake time, where the
// ticks of a node keep the clock going.
func await[T any](t *testing.T, ctx context.Context, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-ctx.Done():
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

// inBubble runs a test with a fresh cluster on fake time.
func inBubble(t *testing.T, test func(t *testing.T, ctx context.Context, c *trusstest.Cluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Hour)
		defer cancel()
		test(t, ctx, trusstest.New(t))
	})
}

func TestConnect(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		h := c.Start("h", func(config *truss.Config) { config.Hidden = true })
		c.Connect(a, b, h)
		synctest.Wait()
		for _, test := range []struct {
			node            *truss.Node
			visible, hidden []string
		}{
			{a, []string{b.Name()}, []string{h.Name()}},
			{b, []string{a.Name()}, []string{h.Name()}},
			{h, nil, []string{a.Name(), b.Name()}},
		} {
			if got := test.node.Nodes(); !slices.Equal(got, test.visible) {
				t.Errorf("%s: Nodes() = %v, want %v", test.node.Name(), got, test.visible)
			}
			if got := test.node.HiddenNodes(); !slices.Equal(got, test.hidden) {
				t.Errorf("%s: HiddenNodes() = %v, want %v", test.node.Name(), got, test.hidden)
			}
		}
		if err := a.Disconnect(ctx, b.Name()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(a.Nodes()) != 0 || len(b.Nodes()) != 0 {
			t.Errorf("after Disconnect: a has %v, b has %v", a.Nodes(), b.Nodes())
		}
		if err := a.Disconnect(ctx, b.Name()); !errors.Is(err, truss.ErrNoConnection) {
			t.Errorf("second Disconnect: %v", err)
		}
	})
}

func TestConnectErrors(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a := c.Start("a")
		b := c.Start("b", func(config *truss.Config) { config.Cookie = "another" })
		for _, test := range []struct {
			name, peer string
			is         error
			says       string
		}{
			{"wrong cookie", b.Name(), dist.ErrCookie, "cookie mismatch with " + b.Name()},
			{"unknown name", "web@10.0.0.2", nil, "epmd at 10.0.0.2 knows no node named web; it has: b"},
			{"no such host", "web@10.9.9.9", truss.ErrNoConnection, "10.9.9.9"},
			{"itself", a.Name(), nil, "is this node"},
			{"short name", "b@host", nil, "short name"},
			{"no name", "b", dist.ErrName, "name@host"},
		} {
			err := a.Connect(ctx, test.peer)
			if err == nil || !strings.Contains(err.Error(), test.says) || test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%s: %v", test.name, err)
			}
		}
		if len(a.Nodes()) != 0 || len(b.Nodes()) != 0 {
			t.Error("nodes are connected:", a.Nodes(), b.Nodes())
		}
	})
}

// TestSimultaneousConnect has both sides dial at once, over and over: each time
// there must be one connection that both have.
func TestSimultaneousConnect(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		for round := range 100 {
			errs := make(chan error, 2)
			go func() { errs <- a.Connect(ctx, b.Name()) }()
			go func() { errs <- b.Connect(ctx, a.Name()) }()
			if err := errors.Join(await(t, ctx, errs), await(t, ctx, errs)); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			synctest.Wait()
			if n := c.Conns("a", "b"); n != 1 || len(a.Nodes()) != 1 || len(b.Nodes()) != 1 {
				t.Fatalf("round %d: %d connections; a has %v, b has %v", round, n, a.Nodes(), b.Nodes())
			}
			if err := a.Disconnect(ctx, b.Name()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
	})
}

// TestRestart has a node come back under its name before its peer noticed that
// it was gone (status "alive"): the peer must end up with the new incarnation.
func TestRestart(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a := c.Start("a")
		old := c.Start("b")
		c.Connect(a, old)
		events := a.Events(ctx)
		await(t, ctx, events)
		c.Partition("b")
		go old.Close()
		time.Sleep(20 * time.Second) // less than the tick time
		c.Heal()
		synctest.Wait()
		renewed := c.Start("b")
		if err := renewed.Ping(ctx, a.Name()); err != nil {
			t.Fatal(err)
		}
		if err := a.Ping(ctx, renewed.Name()); err != nil {
			t.Fatal(err)
		}
		if e := await(t, ctx, events); e.Up {
			t.Errorf("first event %+v, want down", e)
		}
		if e := await(t, ctx, events); !e.Up {
			t.Errorf("second event %+v, want up", e)
		}
	})
}

func TestAliveReplaced(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a := c.Start("a")
		c.Connect(a, c.Start("b"))
		events := a.Events(ctx)
		await(t, ctx, events)
		// The new b has the address of the old, whose connection to a hangs.
		c.Partition("b")
		c.Crash("b")
		renewed := c.Start("b")
		c.Heal()
		if err := renewed.Ping(ctx, a.Name()); err != nil {
			t.Fatal(err)
		}
		down, up := await(t, ctx, events), await(t, ctx, events)
		if down.Up || !up.Up {
			t.Errorf("events %+v, %+v; want down, up", down, up)
		}
		if err := a.Ping(ctx, renewed.Name()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestTickTimeout: both sides of a netsplit notice within the tick time.
func TestTickTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		c.Connect(a, b)
		aEvents, bEvents := a.Events(ctx), b.Events(ctx)
		await(t, ctx, aEvents)
		await(t, ctx, bEvents)
		time.Sleep(10 * time.Hour) // idle, but ticking
		if len(a.Nodes()) != 1 {
			t.Fatal("an idle connection was lost")
		}
		c.Partition("a")
		split := time.Now()
		for _, events := range []<-chan truss.NodeEvent{aEvents, bEvents} {
			e := await(t, ctx, events)
			if e.Up || !errors.Is(e.Reason, truss.ErrTickTimeout) {
				t.Errorf("event %+v, want down by tick timeout", e)
			}
		}
		if after := time.Since(split); after < 45*time.Second || after > 75*time.Second {
			t.Errorf("noticed after %v, tick time is 60s", after)
		}
		c.Heal()
		if err := a.Ping(ctx, b.Name()); err != nil {
			t.Error("after the split healed:", err)
		}
	})
}

func TestCall(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		if _, err := b.Serve("echo", echo{}); err != nil {
			t.Fatal(err)
		}
		request := etf.Tuple{etf.Atom("add"), int64(1), []byte("x"), etf.List{etf.Atom("a")}}
		for _, from := range []struct {
			node *truss.Node
			to   any
		}{
			{a, truss.Name{Name: "echo", Node: b.Name()}}, // connects by itself
			{b, "echo"},
			{a, b.Whereis("echo").PID()},
		} {
			reply, err := truss.Call[etf.Term](ctx, from.node, from.to, request)
			if err != nil || !etf.Equal(reply, request) {
				t.Errorf("call %v from %s: %v, %v", from.to, from.node.Name(), reply, err)
			}
		}
	})
}

func TestCallErrors(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		never := func(ctx context.Context, p *truss.Process) error {
			<-ctx.Done()
			return nil
		}
		silent, err := b.Spawn(never, truss.Registered("silent"))
		if err != nil {
			t.Fatal(err)
		}
		on := func(name string) truss.Name { return truss.Name{Name: name, Node: b.Name()} }

		if err := a.Call(ctx, on("nobody"), 1, nil); !errors.Is(err, truss.ErrNoProcess) {
			t.Errorf("unknown name: %v", err)
		}
		if err := b.Call(ctx, "nobody", 1, nil); !errors.Is(err, truss.ErrNoProcess) {
			t.Errorf("unknown name here: %v", err)
		}
		if err := a.Call(ctx, truss.Name{Name: "x", Node: "x@10.9.9.9"}, 1, nil); !errors.Is(err, truss.ErrNoConnection) {
			t.Errorf("unreachable node: %v", err)
		}
		short, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if err := a.Call(short, on("silent"), 1, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("timeout: %v", err)
		}
		time.AfterFunc(time.Second, func() { _ = a.Send(ctx, on("silent"), "not the reply") })
		time.AfterFunc(2*time.Second, func() {
			killer, _ := b.Spawn(func(ctx context.Context, p *truss.Process) error {
				return p.Exit(ctx, silent.PID(), etf.Atom("gone"))
			})
			_ = killer
		})
		var exit *truss.ExitError
		if err := a.Call(ctx, on("silent"), 1, nil); !errors.As(err, &exit) || exit.Reason != etf.Term(etf.Atom("gone")) {
			t.Errorf("server ends: %v", err)
		}
		if _, err := b.Spawn(never, truss.Registered("silent")); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, func() { c.Crash("b") })
		if err := a.Call(ctx, on("silent"), 1, nil); !errors.Is(err, truss.ErrNoConnection) {
			t.Errorf("node crashes: %v", err)
		}
	})
}

// TestOrder sends large and small messages from several processes at once: each
// sender's arrive in order, and a large one does not hold up the others'.
func TestOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		const senders, messages = 4, 30
		result := make(chan error, 1)
		receiver, err := b.Spawn(func(ctx context.Context, p *truss.Process) error {
			result <- receiveInOrder(ctx, p, senders, messages)
			return nil
		}, truss.Registered("receiver"))
		if err != nil {
			t.Fatal(err)
		}
		for sender := range senders {
			if _, err := a.Spawn(func(ctx context.Context, p *truss.Process) error {
				for i := range messages {
					size := 10
					if i%3 == 0 {
						size = 300_000 * sender // the first sender sends small ones only
					}
					if err := p.Send(ctx, receiver.PID(), etf.Tuple{sender, i, make([]byte, size)}); err != nil {
						return err
					}
				}
				<-ctx.Done()
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		if err := await(t, ctx, result); err != nil {
			t.Error(err)
		}
	})
}

func receiveInOrder(ctx context.Context, p *truss.Process, senders, messages int) error {
	next := make([]int, senders)
	for range senders * messages {
		m, err := p.Receive(ctx)
		if err != nil {
			return err
		}
		var got struct {
			_         struct{} `etf:",tuple"`
			Sender, I int
			Data      []byte
		}
		if err := m.Unmarshal(&got); err != nil {
			return err
		}
		if got.I != next[got.Sender] {
			return fmt.Errorf("sender %d: message %d arrived, want %d", got.Sender, got.I, next[got.Sender])
		}
		next[got.Sender]++
	}
	return nil
}

// TestBackPressure: a sender to a peer that reads nothing waits for its context
// once SendBuffer bytes are queued, and no more is kept.
func TestBackPressure(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a := c.Start("a", func(config *truss.Config) { config.SendBuffer = 100_000 })
		b := c.Start("b")
		c.Connect(a, b)
		c.Partition("b")
		short, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		to := truss.Name{Name: "nobody", Node: b.Name()}
		sent := 0
		var err error
		for ; err == nil && sent < 1000; sent++ {
			err = a.Send(short, to, make([]byte, 1000))
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("after %d messages: %v", sent, err)
		}
		if sent < 100 || sent > 300 { // 100 KB queued, and what the network holds
			t.Errorf("%d messages of 1 kB were taken", sent)
		}
		time.Sleep(time.Minute + 30*time.Second)
		if err := a.Send(ctx, to, 1); !errors.Is(err, truss.ErrNoConnection) {
			t.Errorf("Send to a peer that is lost and unreachable: %v", err)
		}
	})
}

func TestAutoConnectNever(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a := c.Start("a", func(config *truss.Config) { config.AutoConnect = truss.AutoConnectNever })
		b := c.Start("b")
		if err := a.Send(ctx, truss.Name{Name: "x", Node: b.Name()}, 1); !errors.Is(err, truss.ErrNoConnection) {
			t.Error("Send connected, or:", err)
		}
		if err := a.Ping(ctx, b.Name()); err != nil {
			t.Error("Ping asks for a connection:", err)
		}
	})
}

// TestClose: peers learn of it at once, processes get shutdown, and what was
// sent before arrives. synctest finds goroutines that are left.
func TestClose(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		worker, err := b.Serve("worker", echo{})
		if err != nil {
			t.Fatal(err)
		}
		downs := make(chan truss.Down, 1)
		got := make(chan int, 1)
		if _, err := a.Spawn(func(ctx context.Context, p *truss.Process) error {
			if _, err := p.Monitor(ctx, worker.PID()); err != nil {
				return err
			}
			// In either order: they come from different processes.
			for range 2 {
				m, err := p.Receive(ctx)
				if err != nil {
					return err
				}
				switch term, _ := m.Term(); term := term.(type) {
				case truss.Down:
					downs <- term
				case []byte:
					got <- len(term)
				}
			}
			return nil
		}, truss.Registered("sink")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := b.Send(ctx, truss.Name{Name: "sink", Node: a.Name()}, make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if n := await(t, ctx, got); n != 1<<20 {
			t.Errorf("%d bytes arrived", n)
		}
		if down := await(t, ctx, downs); down.Reason != etf.Term(etf.Atom("shutdown")) {
			t.Errorf("reason %v, want shutdown", down.Reason)
		}
		synctest.Wait()
		if len(a.Nodes()) != 0 {
			t.Errorf("a still has %v", a.Nodes())
		}
		if err := b.Send(ctx, truss.Name{Name: "sink", Node: a.Name()}, 1); !errors.Is(err, truss.ErrClosed) {
			t.Errorf("Send after Close: %v", err)
		}
		if _, err := b.Spawn(func(context.Context, *truss.Process) error { return nil }); !errors.Is(err, truss.ErrClosed) {
			t.Errorf("Spawn after Close: %v", err)
		}
	})
}

// TestNewLifeNewPids: a node that comes back at once, and took its epmd along when
// it went, is not mistaken for its earlier self.
func TestNewLifeNewPids(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a := c.Start("a")
		old, err := c.Start("b").Serve("echo", echo{})
		if err != nil {
			t.Fatal(err)
		}
		c.Crash("b")
		renewed := c.Start("b") // the fake clock has not moved
		if _, err := renewed.Serve("echo", echo{}); err != nil {
			t.Fatal(err)
		}
		if err := a.Call(ctx, truss.Name{Name: "echo", Node: renewed.Name()}, 1, nil); err != nil {
			t.Fatal(err)
		}
		if err := a.Call(ctx, old.PID(), 1, nil); !errors.Is(err, truss.ErrNoProcess) {
			t.Errorf("a pid of the earlier life: %v, want noproc", err)
		}
	})
}
