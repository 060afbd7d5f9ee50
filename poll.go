package truss

import (
	"context"
	"runtime"
	"time"
)

// A conversation between two processes on two nodes is mostly waking up: the network
// carries a message in less time than the scheduler takes to wake the reader goroutine,
// and it in turn the process. So a process that has sent something and waits reads the
// socket itself for a while, as OTP's schedulers do (+sbwt), and what it sends when that
// has brought it a message it writes itself. docs/decisions/0017 has the figures.

// poll looks for a message to p on the connection that p has sent over last, for as
// long as the node's BusyWait says, and tells whether there may be one.
func (p *Process) poll(ctx context.Context) bool {
	c := p.via.Load()
	if c == nil || c.raw == nil || c.lost.Load() || c.crowd.Load() > 0 || !p.hopeful() {
		return false
	}
	n := p.node
	if !n.polling.CompareAndSwap(false, true) {
		return false // one is enough: it reads for all
	}
	defer n.polling.Store(false)
	for start := time.Now(); ; runtime.Gosched() {
		if c.reading.TryLock() {
			err := c.actRaw(p)
			c.reading.Unlock()
			if err != nil {
				c.fail(readError(err)) // of which the reader goroutine tells p, if it concerns it
			}
		}
		switch {
		case !p.mailbox.empty():
			p.skip, p.misses = 0, 0
			p.prompt.Store(true)
			return true
		case c.lost.Load() || p.ended.Load() || ctx.Err() != nil:
			return false
		case time.Since(start) > n.config.BusyWait:
			if p.misses++; p.misses > patience {
				p.skip = 1 << min(p.misses-patience, maxSkip)
			}
			return false
		}
	}
}

const (
	// patience is how often in a row a process polls in vain before it begins to skip
	// some of the times: two processes that both sleep need a few to become quick.
	patience = 8
	maxSkip  = 6 // a power of two: in the end it polls every 64th time

	// crowdLasts is how many wakings of single processes must follow one of several,
	// before anybody polls: with many conversations at once there is always something
	// to read, and the time is better theirs.
	crowdLasts = 32
)

// hopeful tells whether to poll.
func (p *Process) hopeful() bool {
	if p.skip > 0 {
		p.skip--
		return false
	}
	return p.node.config.BusyWait > 0
}
