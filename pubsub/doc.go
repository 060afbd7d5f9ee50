// Package pubsub is Phoenix.PubSub: messages to whoever subscribes to a topic, on
// all nodes of the cluster. A Phoenix application and a Go program that start a
// PubSub of the same name are one: what either broadcasts reaches the other's
// subscribers.
//
//	ps, err := pubsub.Start(node, pubsub.Config{Name: "MyApp.PubSub"})
//	messages := make(pubsub.Chan, 16)
//	sub, err := ps.Subscribe("orders", messages)
//	err = ps.Broadcast(ctx, "orders", etf.Tuple{etf.Atom("created"), 42})
//	m := <-messages // m.Topic, m.Term(), m.Unmarshal(&v)
//
// # Subscribers
//
// A subscriber is a channel (Chan), a function (Func), a process (Process) or
// anything else that can Deliver. What it is given it must take at once, for
// nobody waits for it: a full channel loses the message, which Dropped counts; a
// function runs in the goroutine that delivers, to all other subscribers too, and
// should hand over and return; a process has its mailbox. Subscribers share the
// memory of one encoded message and decode what they want of it. Delivery costs
// no allocation per subscriber.
//
// # Channels of Phoenix
//
// What Phoenix channels and Endpoint.broadcast send is a Broadcast. To send one,
// broadcast a Broadcast: browsers that have joined the topic get Event with
// Payload. It is checked first, for what JSON cannot carry raises in the peers,
// and always goes by Phoenix's own dispatcher. On a topic that channels use send
// nothing else: they would get it as a message they do not expect.
//
// # Protocol
//
// Nodes find each other by pg, in the scope Phoenix.PubSub: the worker of each is
// in the group Name.Adapter, and with a pool_size of N in Name.Adapter_2 to _N
// as well. A broadcast is {forward_to_local, Topic, Message, Dispatcher} to one
// member per node. This is Phoenix.PubSub 2.x's adapter PG2, the default one.
// Messages of one PubSub to one topic arrive in the order of the calls of
// Broadcast; there is no promise that they arrive, and no history.
package pubsub
