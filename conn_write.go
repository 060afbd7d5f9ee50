package truss

import (
	"net"
	"time"
)

const (
	// A sender writes the socket itself when nothing else is queued and it has no
	// more than this: it saves the hop to the writer goroutine, about 5 us of the
	// latency of a small message. It never waits for the socket: what that does
	// not take at once is left to the writer.
	directWrite = 16 << 10

	// But not if the last write is less than this ago: then more is coming, and
	// one write of the writer goroutine takes many messages. A process that sends
	// as fast as it can gets 0.3 us a message so, and 4.5 us with a write for each.
	// The two sides of a conversation write at least 15 us apart.
	burst = 8 * time.Microsecond

	// How much of the large messages' fragments goes into one write. Small
	// messages queued meanwhile wait for one such write, so it bounds their delay.
	fragmentsPerWrite = 128 << 10
)

// flush gets the queue written: by the caller if it can be done at once, else by
// the writer goroutine. c.mu is held, and released.
func (c *conn) flush() {
	if c.writing || c.err != nil {
		c.mu.Unlock()
		return
	}
	c.writing = true
	if c.direct != nil && c.queue.Len() <= directWrite && len(c.streams) == 0 && time.Since(c.lastWrite) > burst {
		c.take()
		c.mu.Unlock()
		err := c.writeDirect()
		c.mu.Lock()
		c.wrote(err)
	}
	if c.pending() {
		c.wake <- struct{}{} // never blocks: only who set writing sends, once
	} else {
		c.rest()
	}
	c.mu.Unlock()
}

// writeLoop is the writer goroutine. It ends with the connection.
func (c *conn) writeLoop() {
	for {
		select {
		case <-c.wake:
		case <-c.done:
			return
		}
		c.mu.Lock()
		for c.pending() {
			c.take()
			c.mu.Unlock()
			_, err := c.unwritten.WriteTo(c.socket)
			c.mu.Lock()
			c.wrote(err)
		}
		c.rest()
		c.mu.Unlock()
	}
}

// pending tells whether there is anything to write. c.mu is held.
func (c *conn) pending() bool {
	return c.err == nil && (c.queue.Len() > 0 || len(c.streams) > 0 || len(c.unwritten) > 0)
}

// rest notes that nobody writes and nothing is queued. c.mu is held.
func (c *conn) rest() {
	c.writing = false
	if c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// take makes all that is queued, and then some fragments, the next thing to
// write; what was not written of the last comes first. c.mu is held.
func (c *conn) take() {
	if len(c.unwritten) > 0 {
		return
	}
	c.takeFragments()
	c.batch, c.queue = c.queue, c.batch
	c.unwritten = net.Buffers(c.batch.Chunks(c.chunks[:0]))
	c.chunks = c.unwritten
	if c.space != nil && c.queued() < c.node.config.SendBuffer {
		close(c.space)
		c.space = nil
	}
}

// wrote deals with the outcome of a write. c.mu is held.
func (c *conn) wrote(err error) {
	if err != nil {
		c.failLocked(writeError(err))
	}
	if c.direct != nil {
		c.lastWrite = time.Now()
	}
	if len(c.unwritten) == 0 {
		c.written.Add(int64(c.batch.Len()))
		c.batch.Reset()
	}
}

// takeFragments moves fragments of the streams, in turn, behind what is queued.
// c.mu is held.
func (c *conn) takeFragments() {
	for limit := c.queue.Len() + fragmentsPerWrite; len(c.streams) > 0 && c.queue.Len() < limit; {
		s := c.streams[0]
		c.streams = c.streams[1:]
		if s.rest.Next(c.queue) {
			c.streams = append(c.streams, s)
			continue
		}
		for _, then := range s.then {
			then()
		}
		close(s.ended)
	}
}

// writeDirect writes what the socket takes without waiting, and leaves the rest
// in unwritten.
func (c *conn) writeDirect() error {
	for len(c.unwritten) > 0 {
		n, err := c.direct.write(c.unwritten[0])
		if n < len(c.unwritten[0]) {
			c.unwritten[0] = c.unwritten[0][n:]
			return err
		}
		c.unwritten[0] = nil
		c.unwritten = c.unwritten[1:]
	}
	return nil
}
