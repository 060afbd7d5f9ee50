package pubsub_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/pg"
	"github.com/truss-beam/truss/pubsub"
	"github.com/truss-beam/truss/trusstest"
)

func open(t testing.TB, n *truss.Node, config pubsub.Config) *pubsub.PubSub {
	t.Helper()
	if config.Name == "" {
		config.Name = "MyApp.PubSub"
	}
	ps, err := pubsub.Start(n, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ps.Close() })
	return ps
}

func listen(t testing.TB, ps *pubsub.PubSub, topic string, metadata ...any) (pubsub.Chan, *pubsub.Subscription) {
	t.Helper()
	c := make(pubsub.Chan, 8)
	s, err := ps.Subscribe(topic, c, metadata...)
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

// want checks what has arrived, once the cluster has come to rest.
func want(t *testing.T, c pubsub.Chan, messages ...string) {
	t.Helper()
	synctest.Wait()
	var got []string
	for len(c) > 0 {
		m := <-c
		got = append(got, m.Topic+" "+m.String())
	}
	if !slices.Equal(got, messages) {
		t.Errorf("got %q, want %q", got, messages)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func TestBroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, b := c.Start("a"), c.Start("b")
		c.Connect(a, b)
		pa, pb := open(t, a, pubsub.Config{}), open(t, b, pubsub.Config{})
		synctest.Wait()
		if nodes := pa.Nodes(); !slices.Equal(nodes, []string{b.Name()}) {
			t.Errorf("broadcasts go to %v", nodes)
		}
		ca, sa := listen(t, pa, "t")
		cb, sb := listen(t, pb, "t")
		other, _ := listen(t, pb, "other")
		for i := range 3 {
			ok(t, pa.Broadcast(t.Context(), "t", i))
		}
		want(t, ca, "t 0", "t 1", "t 2")
		want(t, cb, "t 0", "t 1", "t 2")
		ok(t, pa.BroadcastFrom(t.Context(), sa, "t", etf.Atom("from")))
		want(t, ca)
		want(t, cb, "t from")
		ok(t, pa.LocalBroadcast("t", etf.Atom("local")))
		ok(t, pa.DirectBroadcast(t.Context(), b.Name(), "t", etf.Atom("direct")))
		synctest.Wait()
		ok(t, pb.DirectBroadcast(t.Context(), b.Name(), "t", etf.Atom("self")))
		ok(t, pb.LocalBroadcastFrom(sb, "t", etf.Atom("nobody")))
		want(t, ca, "t local")
		want(t, cb, "t direct", "t self")
		sb.Unsubscribe()
		sb.Unsubscribe()
		ok(t, pa.Broadcast(t.Context(), "t", 4))
		want(t, cb)
		want(t, other)
		ok(t, pb.Close())
		synctest.Wait()
		if _, err := pb.Subscribe("t", cb); !errors.Is(err, pubsub.ErrClosed) {
			t.Errorf("subscribe to a closed one: %v", err)
		}
		if err := pb.Broadcast(t.Context(), "t", 1); !errors.Is(err, pubsub.ErrClosed) {
			t.Errorf("broadcast by a closed one: %v", err)
		}
		if nodes := pa.Nodes(); len(nodes) != 0 {
			t.Errorf("broadcasts go to %v", nodes)
		}
		ok(t, pa.Broadcast(t.Context(), "t", 5))
		want(t, ca, "t 4", "t 5")
	})
}

func TestSubscribers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := trusstest.New(t).Start("a")
		ps := open(t, n, pubsub.Config{})
		// A full channel loses messages, which are counted.
		full := make(pubsub.Chan, 1)
		slow, err := ps.Subscribe("t", full)
		ok(t, err)
		// A function gets each.
		var called int
		_, err = ps.Subscribe("t", pubsub.Func(func(m pubsub.Message) { called++ }))
		ok(t, err)
		// A process gets the bare message, and leaves when it ends.
		received := make(chan string, 2)
		p, err := n.Spawn(func(ctx context.Context, p *truss.Process) error {
			for range 2 {
				m, err := p.Receive(ctx)
				if err != nil {
					return err
				}
				received <- m.String()
			}
			return nil
		})
		ok(t, err)
		own, err := ps.Subscribe("t", pubsub.Process(p))
		ok(t, err)
		ok(t, ps.Broadcast(t.Context(), "t", etf.Tuple{1, "x"}))
		ok(t, ps.LocalBroadcastFrom(own, "t", 2))
		ok(t, ps.Broadcast(t.Context(), "t", 3))
		synctest.Wait()
		ok(t, ps.Broadcast(t.Context(), "t", 4))
		if got := <-received + " " + <-received; got != `{1,<<"x">>} 3` {
			t.Errorf("the process received %s", got)
		}
		if called != 4 {
			t.Errorf("the function was called %d times, want 4", called)
		}
		if slow.Dropped() != 3 || own.Dropped() != 0 {
			t.Errorf("dropped %d and %d, want 3 by the channel and 0 by the process, which left", slow.Dropped(), own.Dropped())
		}
		want(t, full, `t {1,<<"x">>}`)
	})
}

func TestDispatchers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, b := c.Start("a"), c.Start("b")
		c.Connect(a, b)
		admins := func(all iter.Seq[*pubsub.Subscription], from *pubsub.Subscription, m pubsub.Message) {
			for s := range all {
				if s.Metadata() == "admin" && s != from {
					s.Deliver(m)
				}
			}
		}
		config := pubsub.Config{Dispatchers: map[string]pubsub.Dispatcher{"Elixir.Admins": admins, "Elixir.Plain": nil}}
		pa, pb := open(t, a, config), open(t, b, config)
		stranger := c.Start("stranger")
		c.Connect(a, b, stranger)
		ps := open(t, stranger, pubsub.Config{})
		synctest.Wait()
		user, _ := listen(t, pb, "t")
		admin, subscription := listen(t, pb, "t", "admin")
		unknowing, _ := listen(t, ps, "t")
		ok(t, pa.Broadcast(t.Context(), "t", 1, pubsub.Via("Elixir.Admins")))
		ok(t, pa.Broadcast(t.Context(), "t", 2, pubsub.Via("Elixir.Plain")))
		ok(t, pb.BroadcastFrom(t.Context(), subscription, "t", 3, pubsub.Via("Elixir.Admins")))
		want(t, user, "t 2")
		want(t, admin, "t 1", "t 2")
		want(t, unknowing) // lost where nobody knows what to do with it, and the worker lives
		ok(t, pa.Broadcast(t.Context(), "t", 4))
		want(t, unknowing, "t 4")
		if err := pa.Broadcast(t.Context(), "t", 5, pubsub.Via("Elixir.Unknown")); !errors.Is(err, pubsub.ErrDispatcher) {
			t.Errorf("unknown dispatcher: %v", err)
		}
	})
}

// TestDispatcherReplaces: a dispatcher may deliver something else, to a process too.
func TestDispatcherReplaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := trusstest.New(t).Start("a")
		other, err := truss.NewMessage(etf.Atom("other"))
		ok(t, err)
		ps := open(t, n, pubsub.Config{Dispatchers: map[string]pubsub.Dispatcher{
			"replace": func(all iter.Seq[*pubsub.Subscription], _ *pubsub.Subscription, m pubsub.Message) {
				for s := range all {
					s.Deliver(m)
					m.Message = other
					s.Deliver(m)
				}
			},
		}})
		received := make(chan string, 2)
		p, err := n.Spawn(func(ctx context.Context, p *truss.Process) error {
			for {
				m, err := p.Receive(ctx)
				if err != nil {
					return err
				}
				received <- m.String()
			}
		})
		ok(t, err)
		_, err = ps.Subscribe("t", pubsub.Process(p))
		ok(t, err)
		ok(t, ps.LocalBroadcast("t", 1, pubsub.Via("replace")))
		if got := <-received + " " + <-received; got != "1 other" {
			t.Errorf("received %s", got)
		}
	})
}

// TestPoolSizes: every mixture of pools loses nothing, as long as nobody
// broadcasts to more than the others have without knowing.
func TestPoolSizes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		var all []*pubsub.PubSub
		var nodes []*truss.Node
		for i, config := range []pubsub.Config{{}, {PoolSize: 4, BroadcastPoolSize: 1}, {PoolSize: 4}, {PublishOnly: true, PoolSize: 8}} {
			n := c.Start(fmt.Sprint("n", i))
			nodes = append(nodes, n)
			all = append(all, open(t, n, config))
		}
		c.Connect(nodes...)
		synctest.Wait()
		const topics = 20 // all pools are used
		var channels []pubsub.Chan
		for _, ps := range all[:3] {
			channel := make(pubsub.Chan, topics)
			for i := range topics {
				_, err := ps.Subscribe(fmt.Sprint("t", i), channel)
				ok(t, err)
			}
			channels = append(channels, channel)
		}
		for _, from := range all {
			for i := range topics {
				ok(t, from.Broadcast(t.Context(), fmt.Sprint("t", i), i))
			}
			synctest.Wait()
			for i, channel := range channels {
				if len(channel) != topics {
					t.Errorf("%d of %d messages reached subscriber %d", len(channel), topics, i)
				}
				for len(channel) > 0 {
					<-channel
				}
			}
		}
		// A peer that already has a larger pool broadcasts by it: who has less takes part.
		if nodes[0].Whereis("Elixir.MyApp.PubSub.Adapter_4") == nil {
			t.Error("the node with a pool of one did not follow its peers to four")
		}
		if nodes[3].Whereis("Elixir.MyApp.PubSub.Adapter") != nil {
			t.Error("the publisher has a worker")
		}
	})
}

// TestStrangeMessages: a worker that gets nonsense lives on, and so does one whose
// subscriber panics; one that is killed comes back.
func TestStrangeMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, b := c.Start("a"), c.Start("b")
		c.Connect(a, b)
		pa, pb := open(t, a, pubsub.Config{}), open(t, b, pubsub.Config{})
		_, err := pa.Subscribe("panic", pubsub.Func(func(pubsub.Message) { panic("on purpose") }))
		ok(t, err)
		channel, _ := listen(t, pa, "t")
		synctest.Wait()
		worker := a.Whereis("Elixir.MyApp.PubSub.Adapter")
		f := etf.Atom("forward_to_local")
		for _, m := range []etf.Term{
			f, etf.Tuple{f}, etf.Tuple{f, 1, 2, 3}, etf.Tuple{f, "t", 1, "no atom"}, etf.Tuple{f, "t", 1, etf.Atom("x"), 5}, etf.Atom("x"), 1,
			etf.Tuple{f, "panic", 1, etf.Atom("Elixir.Phoenix.PubSub")},
		} {
			ok(t, b.Send(t.Context(), truss.Name{Name: "Elixir.MyApp.PubSub.Adapter", Node: a.Name()}, m))
		}
		ok(t, pb.Broadcast(t.Context(), "t", 1))
		want(t, channel, "t 1")
		if a.Whereis("Elixir.MyApp.PubSub.Adapter") != worker {
			t.Error("the worker did not survive")
		}
		ok(t, worker.Exit(t.Context(), worker.PID(), etf.Atom("kill")))
		synctest.Wait()
		ok(t, pb.Broadcast(t.Context(), "t", 2))
		want(t, channel, "t 2")
	})
}

func TestTwoOnOneNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := trusstest.New(t).Start("a")
		first := open(t, n, pubsub.Config{})
		if _, err := pubsub.Start(n, pubsub.Config{Name: "Other"}); !errors.Is(err, truss.ErrNameTaken) {
			t.Errorf("a second scope: %v", err)
		}
		ok(t, first.Close())
		scope, err := pg.Start(n, pubsub.Scope)
		ok(t, err)
		one, two := open(t, n, pubsub.Config{Scope: scope}), open(t, n, pubsub.Config{Name: "Other", Scope: scope})
		c1, _ := listen(t, one, "t")
		c2, _ := listen(t, two, "t")
		ok(t, one.Broadcast(t.Context(), "t", 1))
		ok(t, two.Broadcast(t.Context(), "t", 2))
		want(t, c1, "t 1")
		want(t, c2, "t 2")
		if _, err := pubsub.Start(n, pubsub.Config{Name: "Other", Scope: scope}); !errors.Is(err, truss.ErrNameTaken) {
			t.Errorf("the same name twice: %v", err)
		}
		for _, bad := range []pubsub.Config{{}, {Name: "x", PoolSize: -1}, {Name: "x", BroadcastPoolSize: 2}, {Name: "x", PoolSize: 1 << 20}} {
			if _, err := pubsub.Start(n, bad); err == nil {
				t.Errorf("%+v starts", bad)
			}
		}
	})
}
