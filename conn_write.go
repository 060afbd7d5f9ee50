package truss

import (
	"runtime"

	"github.com/truss-beam/truss/dist"
)

// How much of the large messages' fragments goes into one write. Small messages
// queued meanwhile wait for one such write, so it bounds their delay.
const fragmentsPerWrite = 512 << 10

// firstFragment is less than the first fragment of a large message, which is queued like a
// small one.
const firstFragment = 64 << 10

// flush has the writer goroutine write the queue. c.mu is held, and released.
func (c *conn) flush() {
	if !c.writing && !c.gather && c.pending() {
		c.writing = true
		c.wakeWriter()
	}
	c.mu.Unlock()
}

// flushGathered writes what was queued while c.gather was set.
func (c *conn) flushGathered() {
	c.mu.Lock()
	c.gather = false
	if c.raw != nil && !c.writing && len(c.streams) == 0 && c.queue.Len() > 0 {
		c.writeNow()
	}
	c.flush() // unlocks
}

// wakeWriter wakes the writer goroutine, or starts one. Only who has set writing calls
// it, once, so it never blocks. c.mu is held.
func (c *conn) wakeWriter() {
	if c.writer {
		c.wake <- struct{}{}
		return
	}
	c.writer = true
	c.node.running.Go(c.writeLoop)
}

// flushFor is flush for a process that has just sent something. If it is in the
// middle of a conversation it writes that itself. c.mu is held, and released.
func (c *conn) flushFor(p *Process) {
	if p.prompt.Load() && p.prompt.Swap(false) && c.raw != nil && !c.writing && len(c.streams) == 0 && c.queue.Len() > 0 {
		c.writeNow()
	}
	c.flush() // unlocks
}

// writeNow writes what is queued as far as that needs no waiting, and leaves the rest
// to the writer goroutine. c.mu is held at entry and exit, not during the write.
func (c *conn) writeNow() {
	c.writing = true
	batch := c.takeQueue()
	c.mu.Unlock()

	n := c.tryWrite(batch)
	c.written.Add(int64(n))

	c.mu.Lock()
	if n < batch.Len() {
		c.unsent, c.sent = batch, n
	} else {
		batch.Reset()
		c.spare = batch
	}
	if c.err == nil && !c.pending() {
		c.rest()
		return
	}
	c.wakeWriter() // writing stays set
}

// writeLoop is the writer goroutine. It ends with the connection, and before that when
// the connection is idle: most of a large cluster's only tick, and a goroutine that waits
// would be a third of what they take.
func (c *conn) writeLoop() {
	for {
		if c.crowd.Load() > 0 {
			runtime.Gosched() // others have been woken, and are about to send
		}
		c.mu.Lock()
		for c.pending() {
			c.writeOnce()
		}
		c.rest()
		if c.dismissed {
			c.writer, c.dismissed = false, false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		select {
		case <-c.wake:
		case <-c.done:
			return
		}
	}
}

// pending tells whether there is anything to write. c.mu is held.
func (c *conn) pending() bool {
	return c.err == nil && (c.queue.Len() > 0 || len(c.streams) > 0 || c.unsent != nil)
}

// rest notes that nobody writes and nothing is queued. c.mu is held.
func (c *conn) rest() {
	c.writing = false
	c.bulk.Store(false)
	if c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// writeOnce writes all that is queued, and then some fragments, in one write.
// c.mu is held at entry and exit, not during the write.
func (c *conn) writeOnce() {
	batch, sent := c.unsent, c.sent
	small, large := c.queue.Len() > 0 && c.queue.Len() < firstFragment, len(c.streams) > 0
	if batch != nil {
		c.unsent, c.sent = nil, 0
		large = false
	} else {
		c.takeFragments()
		batch = c.takeQueue()
	}
	c.mu.Unlock()

	c.keepShort(small && large)
	err := c.write(batch, sent, large)
	c.written.Add(int64(batch.Len() - sent))
	batch.Reset()

	c.mu.Lock()
	c.spare = batch
	if err != nil {
		c.failLocked(writeError(err))
	}
}

// takeQueue takes what is queued to be written, which makes room for others. c.mu is held.
func (c *conn) takeQueue() *dist.Buffer {
	batch := c.queue
	c.queue, c.spare = c.spare, nil
	if c.space != nil && c.queued() < c.node.config.SendBuffer {
		close(c.space)
		c.space = nil
	}
	return batch
}

// write writes one batch, of which the first bytes have been sent, without copying the
// large binaries in it. large tells whether there are fragments in it.
func (c *conn) write(batch *dist.Buffer, sent int, large bool) error {
	c.chunks = batch.Chunks(c.chunks[:0])
	c.unwritten = skip(c.chunks, sent)
	bulk := large && c.raw != nil
	c.bulk.Store(bulk)
	if bulk {
		return c.writeBulk()
	}
	return c.writeChunks()
}

// writeChunks writes what is unwritten of the chunks.
func (c *conn) writeChunks() error {
	if len(c.unwritten) == 1 {
		_, err := c.socket.Write(c.unwritten[0])
		return err
	}
	_, err := c.unwritten.WriteTo(c.socket)
	return err
}

// skip is chunks without their first n bytes.
func skip(chunks [][]byte, n int) [][]byte {
	for n > 0 {
		k := min(n, len(chunks[0]))
		chunks[0] = chunks[0][k:]
		if n -= k; len(chunks[0]) == 0 {
			chunks[0] = nil // what it held may be large
			chunks = chunks[1:]
		}
	}
	return chunks
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
