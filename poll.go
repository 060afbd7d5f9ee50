package truss

import (
	"context"
	"runtime"
	"slices"
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
	if c == nil || c.raw == nil || c.lost.Load() || c.crowd.Load() > 0 || c.bulk.Load() || !p.hope.any(p.node) {
		return false
	}
	n := p.node
	if !n.polling.CompareAndSwap(false, true) {
		return false // one is enough: it reads for all
	}
	defer n.polling.Store(false)
	return p.pollOn(ctx, c)
}

// pollOn is poll once nothing is in its way; by itself, for what it allocates is not for
// who does not poll.
func (p *Process) pollOn(ctx context.Context, c *conn) (found bool) {
	_ = c.raw.Control(func(fd uintptr) { found = p.look(ctx, c, fd) }) // an error is the reader goroutine's to meet
	return found
}

// look looks again and again.
func (p *Process) look(ctx context.Context, c *conn, fd uintptr) (found bool) {
	for start := time.Now(); ; runtime.Gosched() {
		if c.reading.TryLock() {
			err := c.actRaw(p, fd)
			c.reading.Unlock()
			if err != nil {
				c.fail(readError(err)) // of which the reader goroutine tells p, if it concerns it
			}
		}
		switch {
		case !p.mailbox.empty():
			p.hope.fulfilled()
			p.prompt.Store(true)
			return true
		case c.lost.Load() || c.bulk.Load() || p.ended.Load() || ctx.Err() != nil:
			return false
		case time.Since(start) > p.node.config.BusyWait:
			p.hope.missed()
			return false
		}
	}
}

const (
	// patience is how often in a row a process polls in vain before it begins to skip
	// some of the times: two processes that both sleep need a few to become quick.
	patience = 8
	maxSkip  = 6 // a power of two: in the end it polls every 64th time

	// crowdLasts is how many wakings must follow that of a crowd before anybody polls:
	// with many conversations at once there is always something to read, and the time
	// is better theirs.
	crowdLasts = 32
)

// maxTalks is how many processes may be in a conversation over a connection and be no
// crowd: one that polls reads for all of them. With 2 to 8 callers that is up to twice as
// many calls; 16 are as quick with it as without.
const maxTalks = 8

// recent are the processes that were woken last, by number.
type recent struct {
	pids [maxTalks]uint64
	next int
}

// crowded tells whether those that are woken now are others than before, or more were
// started than may be in a conversation.
func (r *recent) crowded(started int, woken []*Process) bool {
	crowded := started > maxTalks
	for _, p := range woken {
		number := pidNumber(p.pid)
		if slices.Contains(r.pids[:], number) {
			continue
		}
		r.pids[r.next] = number
		r.next = (r.next + 1) % len(r.pids)
		crowded = true
	}
	return crowded
}

// hope tells whether to wait busily, by what has come of it so far.
type hope struct {
	misses int32 // so often in a row it was in vain
	skip   int8  // so often it is not to be tried
}

func (h *hope) any(n *Node) bool {
	if h.skip > 0 {
		h.skip--
		return false
	}
	return n.config.BusyWait > 0
}

func (h *hope) fulfilled() { *h = hope{} }

func (h *hope) missed() {
	if h.misses++; h.misses > patience {
		h.skip = 1 << min(h.misses-patience, maxSkip)
	}
}

// lingers tells whether the reader goroutine is to look again, instead of sleeping, as
// long as BusyWait after it last found something. Where a peer sends one message after
// the other, or has one process after the other started, nobody else would poll.
func (c *conn) lingers(found bool) bool {
	n := c.node
	switch {
	case found && !c.since.IsZero():
		c.hope.fulfilled()
		c.since = time.Now()
	case found:
		if c.crowd.Load() > 0 || c.bulk.Load() || !c.hope.any(n) || !n.lingering.CompareAndSwap(false, true) {
			return false
		}
		c.since = time.Now()
	case c.since.IsZero():
		return false
	case time.Since(c.since) > n.config.BusyWait:
		c.hope.missed()
		return c.sleeps()
	}
	if n.polling.Load() || c.crowd.Load() > 0 || c.bulk.Load() {
		return c.sleeps()
	}
	return true
}

// sleeps is the end of the reader goroutine's lingering.
func (c *conn) sleeps() bool {
	if !c.since.IsZero() {
		c.since = time.Time{}
		c.node.lingering.Store(false)
	}
	return false
}
