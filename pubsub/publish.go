package pubsub

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// Nodes returns the names of the other nodes that a broadcast would be sent to now,
// sorted.
func (ps *PubSub) Nodes() []string {
	var names []string
	if r := *ps.routes.Load(); len(r) > 0 {
		for _, pid := range r[0] {
			names = append(names, string(pid.Node))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Option says more about one broadcast.
type Option func(*publication)

// Via has a message delivered by a dispatcher of Config.Dispatchers, by the full
// name of its module.
func Via(dispatcher string) Option {
	return func(p *publication) { p.dispatcher = dispatcher }
}

// publication is one message on its way.
type publication struct {
	topic      string
	message    any           // as it is sent
	local      truss.Message // the same, encoded
	dispatcher string
	from       *Subscription // to leave out on this node
}

// Broadcast sends a message to all subscribers of a topic, on all nodes. message is
// anything etf.Marshal takes; a Broadcast is for Phoenix's channels.
//
// While a peer's connection is full it waits for ctx. The error then names the
// peers that got nothing; all others have been sent it. A node that is lost
// meanwhile is no error. ErrPayload, ErrDispatcher and errors of etf mean that
// nothing was sent.
func (ps *PubSub) Broadcast(ctx context.Context, topic string, message any, options ...Option) error {
	return ps.BroadcastFrom(ctx, nil, topic, message, options...)
}

// BroadcastFrom is Broadcast to all but the sender: the subscription from, and if
// that is a process's all of it, on this node.
func (ps *PubSub) BroadcastFrom(ctx context.Context, from *Subscription, topic string, message any, options ...Option) error {
	p, err := ps.prepare(from, topic, message, options)
	if err != nil {
		return err
	}
	err = ps.sendAll(ctx, p)
	ps.deliver(p)
	return err
}

// LocalBroadcast is Broadcast to the subscribers on this node only.
func (ps *PubSub) LocalBroadcast(topic string, message any, options ...Option) error {
	return ps.LocalBroadcastFrom(nil, topic, message, options...)
}

// LocalBroadcastFrom is BroadcastFrom to the subscribers on this node only.
func (ps *PubSub) LocalBroadcastFrom(from *Subscription, topic string, message any, options ...Option) error {
	p, err := ps.prepare(from, topic, message, options)
	if err != nil {
		return err
	}
	ps.deliver(p)
	return nil
}

// DirectBroadcast is Broadcast to the subscribers on one node only. It connects to
// the node if need be. That the node has no such PubSub is no error.
func (ps *PubSub) DirectBroadcast(ctx context.Context, node, topic string, message any, options ...Option) error {
	p, err := ps.prepare(nil, topic, message, options)
	if err != nil {
		return err
	}
	if node == ps.node.Name() {
		ps.deliver(p)
		return nil
	}
	return ps.senders[0].Send(ctx, truss.Name{Name: ps.adapter, Node: node}, forwardMessage(p.topic, p.message, p.dispatcher))
}

// prepare checks a message before anybody gets it.
func (ps *PubSub) prepare(from *Subscription, topic string, message any, options []Option) (publication, error) {
	p := publication{topic: topic, message: message, from: from, dispatcher: defaultDispatcher}
	for _, option := range options {
		option(&p)
	}
	if ps.ctx.Err() != nil {
		return p, fmt.Errorf("broadcast to %s: %w", topic, ErrClosed)
	}
	if !ps.knows(p.dispatcher) {
		return p, fmt.Errorf("%w %s: name it in Config.Dispatchers, if all BEAMs of the cluster have it", ErrDispatcher, p.dispatcher)
	}
	if m, ok := message.(Message); ok {
		p.message = m.Message
	}
	return p, p.encode()
}

// encode encodes the message for this node. A Broadcast is known for one whoever
// made it, checked, and sent to channels by Phoenix's dispatcher for them.
func (p *publication) encode() error {
	if b, ok := p.message.(*Broadcast); ok && b != nil {
		p.message = *b
	}
	b, ok := p.message.(Broadcast)
	if ok && b.Topic == "" {
		b.Topic = p.topic
		p.message = b
	}
	var err error
	if p.local, err = truss.NewMessage(p.message); err != nil {
		return fmt.Errorf("pubsub: cannot broadcast: %w", err)
	}
	if !ok && p.local.Tag() == "" { // a map, perhaps
		ok = p.local.Unmarshal(&b) == nil
	}
	switch {
	case ok && p.dispatcher == defaultDispatcher:
		p.dispatcher = channelDispatcher
	case !ok && p.dispatcher == channelDispatcher:
		return fmt.Errorf("%w: only a Broadcast goes by %s", ErrPayload, channelDispatcher)
	}
	if ok {
		return b.check()
	}
	return nil
}

func (ps *PubSub) deliver(p publication) {
	ps.dispatch(p.from, p.topic, Message{Message: p.local}, p.dispatcher)
}

// sendAll sends to the other nodes, by the worker the topic belongs to.
func (ps *PubSub) sendAll(ctx context.Context, p publication) error {
	r := *ps.routes.Load()
	if len(r) == 0 {
		return nil // only just started, or ending
	}
	i := 0
	if len(r) > 1 {
		i = int(maphash.String(ps.table.seed, p.topic) % uint64(len(r)))
	}
	if len(r[i]) == 0 {
		return nil
	}
	var message etf.Term = forwardMessage(p.topic, p.message, p.dispatcher)
	ctx = truss.NoConnect(ctx)
	var errs []error
	for _, pid := range r[i] {
		if err := ps.senders[i].Send(ctx, pid, message); err != nil && !errors.Is(err, truss.ErrNoConnection) {
			errs = append(errs, fmt.Errorf("pubsub: broadcast to %s: %w", pid.Node, err))
		}
	}
	return errors.Join(errs...)
}
