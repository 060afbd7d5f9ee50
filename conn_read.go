package truss

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"
)

// readLoop is the reader goroutine: it acts on one signal after the other, in
// the order they arrive, until the connection ends, and then deals with the loss.
func (c *conn) readLoop() {
	c.fail(c.readSignals())
	c.node.lost(c)
}

// readSignals returns why no more can be read.
func (c *conn) readSignals() error {
	frames := frameReader{from: c.socket, max: c.node.config.MaxMessage + frameOverhead, received: &c.received}
	for {
		body, err := frames.next()
		if err != nil {
			return readError(err)
		}
		signal, err := c.in.Frame(body)
		if err != nil {
			return err
		}
		if signal == nil || signal.Own {
			frames.takeBack()
		}
		if signal == nil {
			continue // a tick, or part of a large message
		}
		if err := c.handle(signal); err != nil {
			return err
		}
	}
}

// frameOverhead is what a frame may hold beside a message of MaxMessage bytes:
// the header's atoms (at most 255 of 1,020 bytes) and the control message.
const frameOverhead = 512 << 10

// frameReader cuts a stream of bytes into frames of a four-byte length and a body.
//
// It reads into a slab that it gives away piece by piece: bodies alias it, so
// that a message costs no allocation and no copy of its own on the way to its
// receiver. A slab starts at 4 KiB, for there are many idle connections, and
// doubles while reads fill it. One of which all bodies were taken back, as those of
// fragments are, is used again.
type frameReader struct {
	from     io.Reader
	max      int           // largest body
	received *atomic.Int64 // bytes read

	slab       []byte
	start, end int // slab[start:end] is read but not returned yet
	given      int // bodies of this slab that belong to others
	size       int // of the next slab
}

const (
	minSlab = 4 << 10
	maxSlab = 64 << 10
	trusted = 132 << 10 // a slab this large is allocated for a frame that only announces it: two fragments fit
)

// next returns the body of the next frame, empty for a tick. The caller owns it.
func (r *frameReader) next() ([]byte, error) {
	if err := r.fill(4); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint32(r.slab[r.start:]))
	if length > r.max {
		return nil, fmt.Errorf("a frame of %d bytes is more than the %d that MaxMessage allows", length, r.max)
	}
	if err := r.fill(4 + length); err != nil {
		return nil, err
	}
	body := r.slab[r.start+4 : r.start+4+length : r.start+4+length]
	r.start += 4 + length
	r.given++
	return body, nil
}

// takeBack tells that nobody keeps the body that next returned last.
func (r *frameReader) takeBack() { r.given-- }

// fill reads until n bytes are there. The slab grows with what has arrived, not
// with what a peer announces.
func (r *frameReader) fill(n int) error {
	for r.end-r.start < n {
		if r.end == len(r.slab) || r.start > 0 && len(r.slab)-r.start < n {
			r.renew(n)
		}
		k, err := r.from.Read(r.slab[r.end:])
		r.end += k
		r.received.Add(int64(k))
		if k == 0 && err != nil {
			if err == io.EOF && r.end > r.start {
				return io.ErrUnexpectedEOF
			}
			return err
		}
		if r.end == len(r.slab) && r.size < maxSlab {
			r.size *= 2
		}
	}
	return nil
}

// renew makes room for a frame of n bytes: in this slab if it is nobody else's,
// else in a new one.
func (r *frameReader) renew(n int) {
	left := r.slab[r.start:r.end]
	if r.given == 0 && n <= len(r.slab) {
		r.start, r.end = 0, copy(r.slab, left)
		return
	}
	size := max(r.size, minSlab, min(2*n, max(2*len(left), trusted)))
	slab := make([]byte, size)
	r.end = copy(slab, left)
	r.slab, r.start, r.given = slab, 0, 0
}

// readError says in OTP's words why a socket could not be read.
func readError(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, net.ErrClosed) {
		return ErrPeerClosed
	}
	return err
}

// writeError does so for one that could not be written.
func writeError(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return ErrPeerClosed
	}
	return readError(err)
}
