package truss

import "net"

const (
	// A sender writes the socket itself when nothing else is queued and it has no
	// more than this: it saves the hop to the writer goroutine, about 5 us of the
	// latency of a small message. A write of this size fits the socket's buffer
	// unless the peer has stopped reading.
	directWrite = 16 << 10

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
	if c.queue.Len() <= directWrite && len(c.streams) == 0 {
		c.writeOnce()
	}
	if c.pending() {
		c.wake <- struct{}{} // never blocks: only who set writing sends, once
	} else {
		c.rest()
	}
	c.mu.Unlock()
}

// rest notes that nobody writes and nothing is queued. c.mu is held.
func (c *conn) rest() {
	c.writing = false
	if c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
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
			c.writeOnce()
		}
		c.rest()
		c.mu.Unlock()
	}
}

// pending tells whether there is anything to write. c.mu is held.
func (c *conn) pending() bool {
	return c.err == nil && (c.queue.Len() > 0 || len(c.streams) > 0)
}

// writeOnce writes all that is queued, and then some fragments, in one write.
// c.mu is held at entry and exit, not during the write.
func (c *conn) writeOnce() {
	c.takeFragments()
	batch := c.queue
	c.queue, c.spare = c.spare, nil
	if c.space != nil && c.queued() < c.node.config.SendBuffer {
		close(c.space)
		c.space = nil
	}
	c.mu.Unlock()

	size := batch.Len()
	chunks := net.Buffers(batch.Chunks(nil))
	_, err := chunks.WriteTo(c.socket)
	batch.Reset()
	c.written.Add(int64(size))

	c.mu.Lock()
	c.spare = batch
	if err != nil {
		c.failLocked(writeError(err))
	}
}

// takeFragments moves fragments of the streams, in turn, behind what is queued.
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
