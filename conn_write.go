package truss

import "github.com/truss-beam/truss/dist"

// How much of the large messages' fragments goes into one write. Small messages
// queued meanwhile wait for one such write, so it bounds their delay.
const fragmentsPerWrite = 512 << 10

// flush has the writer goroutine write the queue. c.mu is held, and released.
func (c *conn) flush() {
	if !c.writing && c.pending() {
		c.writing = true
		c.wake <- struct{}{} // never blocks: only who set writing sends, once
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

// rest notes that nobody writes and nothing is queued. c.mu is held.
func (c *conn) rest() {
	c.writing = false
	if c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
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

	err := c.write(batch)
	c.written.Add(int64(batch.Len()))
	batch.Reset()

	c.mu.Lock()
	c.spare = batch
	if err != nil {
		c.failLocked(writeError(err))
	}
}

// write writes one batch, without copying the large binaries in it.
func (c *conn) write(batch *dist.Buffer) error {
	c.chunks = batch.Chunks(c.chunks[:0])
	if len(c.chunks) == 1 {
		_, err := c.socket.Write(c.chunks[0])
		return err
	}
	c.unwritten = c.chunks
	_, err := c.unwritten.WriteTo(c.socket)
	return err
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
