package truss

import (
	"runtime"
	"time"
)

// tickIntensity is OTP's net_tickintensity: ticks per tick time.
const tickIntensity = 4

// ticks is what the tick loop remembers of a connection from one round to the
// next. Owned by the node's tick loop.
type ticks struct {
	received, written int64
	silent            int // rounds without a byte from the peer
}

// tickLoop keeps every connection's peer convinced that this node lives, and
// ends connections on which nothing arrived for a whole tick time. One
// goroutine serves all connections: it never writes a socket itself.
func (n *Node) tickLoop() {
	ticker := time.NewTicker(n.config.TickTime / tickIntensity)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			for _, c := range n.peers.live() {
				if c.tick() {
					runtime.Gosched() // it writes first: no thousand writers at a time
				}
			}
		case <-n.life.Done():
			return
		}
	}
}

// tick is one round for one connection (erl_dist_protocol, "Protocol between
// Connected Nodes"). Any byte counts as life, in both directions: OTP counts
// whole packets, but a large one on a slow line is no silence.
//
// A tick is a sign that nothing else is written: the writer goroutine then ends. tick
// tells whether it has started one for that.
func (c *conn) tick() (started bool) {
	t := &c.ticks
	if received := c.received.Load(); received != t.received {
		t.received, t.silent = received, 0
	} else if t.silent++; t.silent >= tickIntensity {
		c.fail(ErrTickTimeout)
		return false
	}
	if written := c.written.Load(); written != t.written {
		t.written = written
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writing || c.err != nil {
		return false // bytes are on their way, or never will be
	}
	c.queue.AppendTick()
	started = !c.writer
	c.writing, c.dismissed = true, true
	c.wakeWriter()
	return started
}
