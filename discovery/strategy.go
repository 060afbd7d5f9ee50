package discovery

import (
	"context"
	"errors"
	"log/slog"
)

// A Strategy finds peers. One value may be watched by several nodes at once, so Watch keeps its state in its own frame.
type Strategy interface {
	// Watch reports what it sees, at least once when it starts and then whenever that may have changed, until ctx
	// ends; report must not be called after Watch has returned, nor by two goroutines at once. It returns
	//
	//   - nil or ctx's error when ctx has ended;
	//   - nil before that if there is nothing more to say: the last report stands for ever (a fixed list), or, if
	//     there was none, the strategy is switched off;
	//   - an error that matches [ErrConfig] if it can never work;
	//   - any other error if it lost its source; it is then started again after a pause.
	Watch(ctx context.Context, self Self, report func(Update)) error
}

// ErrConfig is matched by errors that only a change of configuration can cure. [Run] returns those and retries all others.
var ErrConfig = errors.New("discovery: configuration")

// Self is what a strategy may know of the node it works for.
type Self struct {
	Name   string       // full node name, "app@10.0.0.1"; the node itself may be among the peers reported, Run leaves it out
	Logger *slog.Logger // where to tell a person what an Update cannot; never nil when Run calls
}

// Peer is a node that may be connected to.
type Peer struct {
	Name string // full node name, "app@10.0.0.2"

	// Addrs are the "host:port" of its distribution listener, to be tried in this order, if the strategy knows them
	// (a DNS SRV record has the port). Empty is the usual case: the host in Name is asked for its port through epmd.
	Addrs []string
}

// Update is one report of a strategy.
type Update struct {
	// Peers is the whole set the strategy believes in, not a difference. Names are unique.
	Peers []Peer

	// Err says that the source did not answer, or not fully; Peers is then the best that is known, and a peer's
	// absence from it is no evidence that the peer is gone. With Err set and Peers nil, the previous set stands. The
	// text must be the same for the same trouble (no port numbers, no times): it is logged when it changes.
	Err error
}
