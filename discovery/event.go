package discovery

import "time"

// An Observer is told what [Config.Run] sees and does, to feed metrics or a dashboard; what a person should read is
// logged anyway. Calls come one at a time, in order, from the goroutine that does the work: an Observer must not block.
type Observer interface {
	Observe(Event)
}

// An Event is one of [Discovered], [Connected], [ConnectFailed], [Disconnected] and [StrategyFailed].
type Event interface{ event() }

type (
	// Discovered is a report of the strategy.
	Discovered struct{ Update }

	// Connected is an attempt that worked.
	Connected struct {
		Peer Peer
		Took time.Duration
	}

	// ConnectFailed is an attempt that did not work, or whose connection did not last, as the one before it.
	ConnectFailed struct {
		Peer     Peer
		Err      error
		Failures int           // in a row, this one included
		Retry    time.Duration // until the next attempt
	}

	// Disconnected is a peer that the prune policy gave up.
	Disconnected struct {
		Name string
		Err  error // of Cluster.Disconnect; the peer is then tried again
	}

	// StrategyFailed is a strategy that stopped and will be started again.
	StrategyFailed struct {
		Err   error
		Retry time.Duration
	}
)

func (Discovered) event()     {}
func (Connected) event()      {}
func (ConnectFailed) event()  {}
func (Disconnected) event()   {}
func (StrategyFailed) event() {}
