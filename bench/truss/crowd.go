package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/pubsub"
)

// topic is what is broadcast on, and subscribed to.
const topic = "bench"

// Kinds of subscribers that a driver can ask a server for. In OTP both are
// processes.
const (
	functions = "functions"
	processes = "processes"
)

func startPubSub(node *truss.Node) (*pubsub.PubSub, error) {
	return pubsub.Start(node, pubsub.Config{Name: "Bench.PubSub"})
}

// crowd is the subscribers of one node. Each adds what it has got when it has got
// everything; the last one ends the run.
type crowd struct {
	each       uint64
	missing    atomic.Int64 // subscribers that have not confirmed
	count, sum atomic.Uint64
	complete   chan struct{}
	over       chan struct{} // ends the processes
}

// startCrowd starts a process that has receivers subscribe, says it is ready, then
// what they got, and after a message more that they are gone.
func startCrowd(node *truss.Node, ps *pubsub.PubSub, request startReceivers) error {
	c := &crowd{each: uint64(request.Each), complete: make(chan struct{}), over: make(chan struct{})}
	c.missing.Store(int64(request.Receivers))
	_, err := node.Spawn(func(ctx context.Context, p *truss.Process) error {
		subscriptions, err := c.subscribe(node, ps, request)
		if err != nil {
			return err
		}
		if err := p.Send(ctx, request.From, ready{Pids: []etf.Pid{p.PID()}}); err != nil {
			return err
		}
		select {
		case <-c.complete:
		case <-time.After(4 * contender.IdleLimit): // who has not got everything does not count
		}
		if err := p.Send(ctx, request.From, done{Count: c.count.Load(), Sum: c.sum.Load()}); err != nil {
			return err
		}
		if _, err := p.Receive(ctx); err != nil {
			return err
		}
		for _, s := range subscriptions {
			s.Unsubscribe()
		}
		close(c.over)
		return p.Send(ctx, request.From, done{})
	})
	return err
}

func (c *crowd) subscribe(node *truss.Node, ps *pubsub.PubSub, request startReceivers) ([]*pubsub.Subscription, error) {
	all := make([]*pubsub.Subscription, request.Receivers)
	for i := range all {
		subscriber := c.function()
		if request.Kind == processes {
			p, err := node.Spawn(c.process)
			if err != nil {
				return nil, err
			}
			subscriber = pubsub.Process(p)
		}
		var err error
		if all[i], err = ps.Subscribe(topic, subscriber); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// tally is what one subscriber has got.
type tally struct {
	crowd      *crowd
	count, sum uint64
	last       reading
}

func (t *tally) add(m truss.Message) (complete bool) {
	if m.Unmarshal(&t.last) != nil {
		t.sum += 1 << 40 // none of ours: the checksum will tell
	}
	t.sum += t.last.N
	t.count++
	if t.count != t.crowd.each {
		return false
	}
	t.crowd.count.Add(t.count)
	t.crowd.sum.Add(t.sum)
	if t.crowd.missing.Add(-1) == 0 {
		close(t.crowd.complete)
	}
	return true
}

func (c *crowd) function() pubsub.Subscriber {
	t := &tally{crowd: c}
	return pubsub.Func(func(m pubsub.Message) { t.add(m.Message) })
}

func (c *crowd) process(ctx context.Context, p *truss.Process) error {
	t := &tally{crowd: c}
	for {
		m, err := p.Receive(ctx)
		if err != nil {
			return err
		}
		if t.add(m) {
			<-c.over // ending takes time that is not the broadcast's
			return nil
		}
	}
}
