package pubsub_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/pubsub"
	"github.com/truss-beam/truss/trusstest"
)

// counter is the least a subscriber can do.
type counter struct{ n int }

func (c *counter) Deliver(pubsub.Message) bool {
	c.n++
	return true
}

func fanOut(b testing.TB, subscribers int, subscriber func(i int) pubsub.Subscriber) *pubsub.PubSub {
	ps := open(b, trusstest.New(b).Start("a"), pubsub.Config{})
	for i := range subscribers {
		if _, err := ps.Subscribe("t", subscriber(i)); err != nil {
			b.Fatal(err)
		}
	}
	return ps
}

// TestFanOutDoesNotAllocate: what a broadcast allocates does not depend on how
// many get it.
func TestFanOutDoesNotAllocate(t *testing.T) {
	message := map[string]any{"id": 1, "text": "hello"}
	allocs := func(subscribers int, subscriber func(int) pubsub.Subscriber) float64 {
		ps := fanOut(t, subscribers, subscriber)
		return testing.AllocsPerRun(10, func() {
			if err := ps.LocalBroadcast("t", message); err != nil {
				t.Fatal(err)
			}
		})
	}
	count := func(int) pubsub.Subscriber { return new(counter) }
	full := func(int) pubsub.Subscriber { return make(pubsub.Chan) }
	one := allocs(1, count)
	if many := allocs(10_000, count); many > one+1 {
		t.Errorf("%v allocations for 10,000 subscribers, %v for one", many, one)
	}
	if many := allocs(10_000, full); many > one+1 {
		t.Errorf("%v allocations for 10,000 channels, %v for one", many, one)
	}
}

// TestProcessesDoNotAllocate: nor does it matter that subscribers are processes.
func TestProcessesDoNotAllocate(t *testing.T) {
	n := trusstest.New(t).Start("a")
	ps := open(t, n, pubsub.Config{})
	received := make(chan struct{}, 1)
	p, err := n.Spawn(func(ctx context.Context, p *truss.Process) error {
		for {
			if _, err := p.Receive(ctx); err != nil {
				return err
			}
			received <- struct{}{}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ps.Subscribe("process", pubsub.Process(p)); err != nil {
		t.Fatal(err)
	}
	if _, err := ps.Subscribe("counter", new(counter)); err != nil {
		t.Fatal(err)
	}
	allocs := func(topic string, arrived func()) float64 {
		return testing.AllocsPerRun(1000, func() {
			if err := ps.LocalBroadcast(topic, 1); err != nil {
				t.Fatal(err)
			}
			arrived()
		})
	}
	process := allocs("process", func() { <-received })
	if least := allocs("counter", func() {}); process > least {
		t.Errorf("%v allocations for a process, %v for a subscriber that does nothing", process, least)
	}
}

// BenchmarkFanOut is one broadcast to a million subscriptions of this node.
func BenchmarkFanOut(b *testing.B) {
	message, err := truss.NewMessage(map[string]any{"id": 1, "text": "hello"})
	if err != nil {
		b.Fatal(err)
	}
	const many = 1_000_000
	for _, kind := range []struct {
		name string
		make func(int) pubsub.Subscriber
	}{
		{"func", func(int) pubsub.Subscriber { return new(counter) }},
		{"full channel", func(int) pubsub.Subscriber { return make(pubsub.Chan) }},
	} {
		b.Run(fmt.Sprint(kind.name, " ", many), func(b *testing.B) {
			ps := fanOut(b, many, kind.make)
			b.ReportAllocs()
			for b.Loop() {
				if err := ps.LocalBroadcast("t", message); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/subscriber")
		})
	}
}

// BenchmarkSubscribe is a subscription and its end beside a million others.
func BenchmarkSubscribe(b *testing.B) {
	ps := fanOut(b, 1_000_000, func(int) pubsub.Subscriber { return new(counter) })
	c := new(counter)
	b.ReportAllocs()
	for b.Loop() {
		s, err := ps.Subscribe("t", c)
		if err != nil {
			b.Fatal(err)
		}
		s.Unsubscribe()
	}
}

// BenchmarkWakeFloor is the floor for subscribers that are processes: what it takes to
// wake 100,000 goroutines that wait at channels, and nothing else.
func BenchmarkWakeFloor(b *testing.B) {
	const goroutines = 100_000
	var woken sync.WaitGroup
	channels := make([]chan struct{}, goroutines)
	for i := range channels {
		c := make(chan struct{}, 1)
		channels[i] = c
		go func() {
			for range c {
				woken.Done()
			}
		}()
	}
	for b.Loop() {
		woken.Add(goroutines)
		for _, c := range channels {
			c <- struct{}{}
		}
		woken.Wait()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/goroutines, "ns/wake")
	for _, c := range channels {
		close(c)
	}
}
