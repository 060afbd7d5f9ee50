package pubsub_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/pubsub"
	"github.com/truss-beam/truss/trusstest"
)

// TestSlowPeer: a peer that does not read costs a broadcast its context's time
// and is named in the error; the others get everything.
func TestSlowPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, b, slow := c.Start("a"), c.Start("b"), c.Start("slow")
		c.Connect(a, b, slow)
		pa, pb := open(t, a, pubsub.Config{}), open(t, b, pubsub.Config{})
		open(t, slow, pubsub.Config{})
		synctest.Wait()
		channel := make(pubsub.Chan, 100)
		_, err := pb.Subscribe("t", channel)
		ok(t, err)
		c.Partition("slow")
		large := make([]byte, 50_000) // not in fragments: those of one sender wait for each other
		failed := 0
		const rounds = 60
		for range rounds {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			err := pa.Broadcast(ctx, "t", large)
			cancel()
			if err == nil {
				continue
			}
			failed++
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), slow.Name()) || strings.Contains(err.Error(), b.Name()) {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if failed == 0 || len(channel) != rounds {
			t.Errorf("%d broadcasts say that a peer is slow; the other got %d of %d", failed, len(channel), rounds)
		}
	})
}

// TestNodeEndsFirst: a node that is closed takes its PubSub along, also one that
// nobody closes.
func TestNodeEndsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		for _, config := range []pubsub.Config{{}, {PoolSize: 3}, {PublishOnly: true}} {
			n := c.Start("a")
			config.Name = "MyApp.PubSub"
			ps, err := pubsub.Start(n, config)
			ok(t, err)
			listen(t, ps, "t")
			ok(t, n.Close())
			synctest.Wait()
			if _, err := pubsub.Start(n, config); err == nil {
				t.Error("starts on a closed node")
			}
		}
	})
}

// TestConcurrently subscribes, unsubscribes and broadcasts all at once: who stays
// subscribed gets everything, each sender's messages in order.
func TestConcurrently(t *testing.T) {
	ps := open(t, trusstest.New(t).Start("a"), pubsub.Config{})
	const senders, each = 4, 200
	var mu sync.Mutex
	last := make(map[int]int)
	_, err := ps.Subscribe("t", pubsub.Func(func(m pubsub.Message) {
		var v struct {
			_       struct{} `etf:",tuple"`
			From, N int
		}
		if err := m.Unmarshal(&v); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if last[v.From] != v.N {
			t.Errorf("message %d of sender %d, want %d", v.N, v.From, last[v.From])
		}
		last[v.From]++
	}))
	ok(t, err)
	var all sync.WaitGroup
	for from := range senders {
		all.Go(func() {
			for n := range each {
				if err := ps.LocalBroadcast("t", etf.Tuple{from, n}); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for range each {
				s, err := ps.Subscribe("t", make(pubsub.Chan, 1))
				if err != nil {
					t.Error(err)
					return
				}
				s.Unsubscribe()
			}
		})
	}
	all.Wait()
	for from := range senders {
		if last[from] != each {
			t.Errorf("%d of %d messages of sender %d", last[from], each, from)
		}
	}
}
