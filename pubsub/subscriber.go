package pubsub

import (
	"context"

	"github.com/truss-beam/truss"
)

// Message is what was broadcast, still encoded: Term and Unmarshal decode it. A
// Broadcast of Phoenix unmarshals into a Broadcast.
type Message struct {
	Topic string
	truss.Message

	boxed any // the truss.Message, made an interface value once for all processes, or nil
}

// Subscriber is who gets the messages of a topic. Deliver must not wait; it
// returns false if the message could not be taken, and is lost. It may be called
// by several goroutines at once.
type Subscriber interface {
	Deliver(Message) bool
}

// Chan is a channel as Subscriber. Messages that it has no room for are lost to
// it, and counted by Subscription.Dropped. It is never closed.
type Chan chan Message

// Deliver puts m in the channel if there is room.
func (c Chan) Deliver(m Message) bool {
	select {
	case c <- m:
		return true
	default:
		return false
	}
}

// Func is a function as Subscriber. It is called by the goroutine that delivers
// to everyone, so it should not take long.
type Func func(Message)

// Deliver calls the function.
func (f Func) Deliver(m Message) bool {
	f(m)
	return true
}

// Process makes a process of this node a Subscriber: it receives the message as
// if it had been sent to it, as subscribers in Elixir do. The subscription ends
// with the process.
func Process(p *truss.Process) Subscriber { return process{p} }

type process struct{ *truss.Process }

func (p process) Deliver(m Message) bool {
	if p.Context().Err() != nil {
		return false
	}
	if m.boxed == nil { // by a Dispatcher, which may have made the message
		m.boxed = m.Message
	}
	return p.Send(context.Background(), p.Process, m.boxed) == nil
}
