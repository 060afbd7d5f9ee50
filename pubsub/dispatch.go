package pubsub

import (
	"iter"
)

const (
	defaultDispatcher = "Elixir.Phoenix.PubSub"
	channelDispatcher = "Elixir.Phoenix.Channel.Server"
)

// Dispatcher delivers a message to those of a topic's subscriptions that it
// chooses, as the function dispatch/3 of a dispatcher module in Elixir: by their
// Metadata, say. from is the subscription that is to be left out, or nil. It runs
// in the goroutine that delivers, and only where the topic has subscriptions.
//
//	func(all iter.Seq[*pubsub.Subscription], from *pubsub.Subscription, m pubsub.Message) {
//		for s := range all {
//			if s.Metadata() == "admin" {
//				s.Deliver(m)
//			}
//		}
//	}
type Dispatcher func(all iter.Seq[*Subscription], from *Subscription, m Message)

// dispatch delivers a message on this node. The dispatcher is known.
func (ps *PubSub) dispatch(from *Subscription, topic string, m Message, dispatcher string) {
	to, all := ps.table.find(topic)
	if to == nil {
		return
	}
	m.Topic = to.name
	if custom := ps.config.Dispatchers[dispatcher]; custom != nil {
		custom(func(yield func(*Subscription) bool) {
			for _, s := range all {
				if s.live() && !yield(s) {
					return
				}
			}
		}, from, m)
		return
	}
	m.boxed = m.Message
	for _, s := range all {
		if from == nil || !s.same(from) {
			s.Deliver(m)
		}
	}
}

// same tells whether two subscriptions are one subscriber's: in Elixir broadcast_from
// leaves out all of a process.
func (s *Subscription) same(other *Subscription) bool {
	if s == other {
		return true
	}
	a, ok := s.to.(process)
	b, also := other.to.(process)
	return ok && also && a.Process == b.Process
}

// knows tells whether a dispatcher may be used: Phoenix's own two, and those that
// were declared.
func (ps *PubSub) knows(dispatcher string) bool {
	if dispatcher == defaultDispatcher || dispatcher == channelDispatcher {
		return true
	}
	_, ok := ps.config.Dispatchers[dispatcher]
	return ok
}
