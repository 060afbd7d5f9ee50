package pubsub

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// table is all subscriptions, sharded by topic: subscribing on one topic does not
// wait for another, and never for a delivery.
type table struct {
	seed   maphash.Seed
	shards [64]shard
}

type shard struct {
	sync.RWMutex
	topics map[string]*topic
	_      [64]byte // a cache line: neighbours do not slow each other
}

// topic is the subscriptions to one topic. all is only ever appended to or
// replaced, so that who has loaded it can read it without a lock: a delivery to a
// million does not hold the others up. Those that have ended stay in it until
// they are half of it.
type topic struct {
	name  string
	all   []*Subscription
	ended int
}

// state of a Subscription
const (
	subscribed uint32 = iota
	unsubscribed
)

func newTable() *table { return &table{seed: maphash.MakeSeed()} }

func (t *table) shard(topic string) *shard {
	return &t.shards[maphash.String(t.seed, topic)%uint64(len(t.shards))]
}

func (t *table) add(name string, s *Subscription) {
	shard := t.shard(name)
	shard.Lock()
	defer shard.Unlock()
	if shard.topics == nil {
		shard.topics = make(map[string]*topic)
	}
	to := shard.topics[name]
	if to == nil {
		to = &topic{name: name}
		shard.topics[name] = to
	}
	s.topic = to
	to.all = append(to.all, s)
}

// remove ends a subscription, once.
func (t *table) remove(s *Subscription) {
	shard := t.shard(s.topic.name)
	shard.Lock()
	defer shard.Unlock()
	if !s.state.CompareAndSwap(subscribed, unsubscribed) {
		return
	}
	to := s.topic
	to.ended++
	switch {
	case to.ended == len(to.all):
		delete(shard.topics, to.name)
	case to.ended*2 > len(to.all):
		live := make([]*Subscription, 0, len(to.all)-to.ended)
		for _, s := range to.all {
			if s.live() {
				live = append(live, s)
			}
		}
		to.all, to.ended = live, 0
	}
}

// find returns the subscriptions to a topic, some of which may have ended.
func (t *table) find(name string) (*topic, []*Subscription) {
	shard := t.shard(name)
	shard.RLock()
	defer shard.RUnlock()
	to := shard.topics[name]
	if to == nil {
		return nil, nil
	}
	return to, to.all
}

// Subscription is one subscriber's interest in one topic.
type Subscription struct {
	pubsub   *PubSub
	topic    *topic
	to       Subscriber
	metadata any
	stop     func() bool // of the watch for the end of a process
	state    atomic.Uint32
	dropped  atomic.Uint64
}

func (s *Subscription) live() bool { return s.state.Load() == subscribed }

// Topic returns the topic.
func (s *Subscription) Topic() string { return s.topic.name }

// Metadata returns what Subscribe was given for dispatchers to look at.
func (s *Subscription) Metadata() any { return s.metadata }

// Dropped is how many messages the subscriber could not take.
func (s *Subscription) Dropped() uint64 { return s.dropped.Load() }

// Deliver gives the subscriber a message: what a Dispatcher does for those it
// chooses, with the message it was given or another.
func (s *Subscription) Deliver(m Message) {
	if s.live() && !s.to.Deliver(m) {
		s.dropped.Add(1)
	}
}

// Unsubscribe ends the subscription. A delivery that is under way meanwhile may
// still arrive. It may be called more than once.
func (s *Subscription) Unsubscribe() {
	if s.stop != nil {
		s.stop()
	}
	s.pubsub.table.remove(s)
}

// clear ends all subscriptions.
func (t *table) clear() {
	for i := range t.shards {
		shard := &t.shards[i]
		shard.Lock()
		topics := shard.topics
		shard.topics = nil
		shard.Unlock()
		for _, to := range topics {
			for _, s := range to.all {
				s.state.Store(unsubscribed)
				if s.stop != nil {
					s.stop()
				}
			}
		}
	}
}
