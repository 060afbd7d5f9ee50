package truss

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync/atomic"
)

// frameOverhead is what a frame may hold beside a message of MaxMessage bytes:
// the header's atoms (at most 255 of 1,020 bytes) and the control message.
const frameOverhead = 512 << 10

// frame is the body of one frame, empty for a tick.
type frame struct {
	body   []byte
	slab   *slab // whose memory body is
	placed int   // body is only the head; so many bytes are where the receiver wanted them
}

// frameReader cuts a stream of bytes into frames of a four-byte length and a body.
//
// Small frames are read many at a time into a slab that is given away piece by piece:
// bodies alias it, so that a message costs no allocation and no copy of its own on the
// way to its receiver. The slab starts at 64 bytes, for there are many idle connections,
// and doubles while reads fill it. If nobody keeps any of its bodies, or all have been
// released, it is used again.
//
// A large frame that has only begun to arrive is read into memory of its own, or into
// where its message is put together, so that most of it is not copied either.
type frameReader struct {
	from     io.Reader
	max      int           // largest body
	received *atomic.Int64 // bytes read
	slabs    *slabs
	// place tells where the payload of a fragment belongs whose frame begins with head,
	// nil if it is none: see dist.Receiver.
	place func(head []byte, length int) []byte

	partial partial // the large frame that is coming in, if any

	slab       *slab
	start, end int  // slab.b[start:end] is read but not returned yet
	given      int  // bodies of this slab that belong to others
	size       int  // of the next slab
	large      bool // the last frame was: the next may be, and little of it should be read with its head
}

const (
	minSlab = 64
	maxSlab = 64 << 10
	trusted = 260 << 10 // memory this large is allocated for a frame that only announces it

	largeFrame = 16 << 10
	headRead   = 2 << 10 // how much is read at a time while large frames come
)

// buffered returns the body of the next frame, which is in slab, if it has been read
// already and is not large. (No frame: of five words, that would go through memory, which
// costs as much as all else here.)
func (r *frameReader) buffered() (body []byte, ok bool) {
	have := r.end - r.start
	if have < 4 {
		return nil, false
	}
	length := int(binary.BigEndian.Uint32(r.slab.b[r.start:]))
	if length > have-4 || length >= largeFrame || length > r.max {
		return nil, false
	}
	r.large = false
	r.start += 4 + length
	return r.slab.b[r.start-length : r.start : r.start], true
}

// ready tells whether next will return without reading.
func (r *frameReader) ready() bool {
	have := r.end - r.start
	return have >= 4 && have-4 >= int(binary.BigEndian.Uint32(r.slab.b[r.start:]))
}

// next returns the next frame. The caller has it until done. After an error of from
// that is not the end of it, next goes on where it was.
func (r *frameReader) next() (frame, error) {
	if r.partial.length > 0 {
		return r.complete()
	}
	if err := r.fill(4); err != nil {
		return frame{}, err
	}
	length := int(binary.BigEndian.Uint32(r.slab.b[r.start:]))
	if length > r.max {
		return frame{}, fmt.Errorf("a frame of %d bytes is more than the %d that MaxMessage allows", length, r.max)
	}
	if r.large = length >= largeFrame; r.large && r.end-r.start < 4+length {
		return r.nextLarge(length)
	}
	if err := r.fill(4 + length); err != nil {
		return frame{}, err
	}
	r.start += 4 + length
	return frame{body: r.slab.b[r.start-length : r.start : r.start], slab: r.slab}, nil
}

// keep notes that somebody keeps some of the latest buffered body, and may release it.
func (r *frameReader) keep() { r.given++ }

// done tells that a frame has been acted on, and whether somebody has kept any of it,
// and may release it.
func (r *frameReader) done(f frame, kept bool) {
	switch {
	case f.slab == r.slab && kept:
		r.given++
	case f.slab == r.slab || f.slab == nil:
	default:
		messages := 0
		if kept {
			messages = 1
		}
		if f.slab.give(messages) { // unless the one has not been released meanwhile
			f.slab.recycle()
		}
	}
}

// fragmentHead is how much of a frame tells that it is a fragment, and which.
const fragmentHead = 18

// partial is a large frame of which only some has arrived.
type partial struct {
	length int    // of the frame; zero for none
	head   []byte // what it begins with, if the rest has a place
	slab   *slab  // memory of its own, if not
	into   []byte // where it is read to
	n      int    // how much of that is there
}

// nextLarge begins a frame of which at least some is still to come.
func (r *frameReader) nextLarge(length int) (frame, error) {
	if err := r.fill(4 + fragmentHead); err != nil {
		return frame{}, err
	}
	have := r.slab.b[r.start+4 : r.end]
	r.start = r.end
	p := partial{length: length}
	if r.place != nil {
		p.into = r.place(have[:fragmentHead], length)
	}
	if p.into != nil {
		p.head, have = have[:fragmentHead], have[fragmentHead:]
	} else {
		if p.slab = r.slabs.get(length); p.slab == nil {
			p.slab = r.slabs.make(min(length, max(trusted, 2*len(have))))
		}
		p.slab.shared = false
		p.into = p.slab.b[:min(length, len(p.slab.b))]
	}
	p.n = copy(p.into, have)
	r.partial = p
	return r.complete()
}

// complete goes on with the large frame that is coming in.
func (r *frameReader) complete() (frame, error) {
	p := &r.partial
	for {
		for p.n < len(p.into) {
			n, err := r.read(p.into[p.n:])
			if p.n += n; n == 0 && err != nil {
				return frame{}, cutOff(err)
			}
		}
		if p.slab == nil || p.n == p.length {
			break
		}
		// The memory grows with what has arrived, not with what a peer announces.
		larger := r.slabs.make(min(p.length, 2*p.n))
		larger.shared = false
		copy(larger.b, p.into)
		p.slab.give(0)
		p.slab.recycle()
		p.slab, p.into = larger, larger.b[:min(p.length, len(larger.b))]
	}
	f := frame{body: p.into[:p.n:p.n], slab: p.slab}
	if p.slab == nil {
		f = frame{body: p.head, placed: p.n}
	}
	*p = partial{}
	return f, nil
}

func (r *frameReader) read(b []byte) (int, error) {
	n, err := r.from.Read(b)
	r.received.Add(int64(n))
	return n, err
}

// cutOff is the end of a stream in the middle of a frame.
func cutOff(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// fill reads until n bytes are in the slab, which is never much.
func (r *frameReader) fill(n int) error {
	for r.end-r.start < n {
		if r.start == r.end {
			r.rewind()
		}
		if r.slab == nil || r.end == len(r.slab.b) || r.start > 0 && len(r.slab.b)-r.start < n {
			r.renew(n)
		}
		room := r.slab.b[r.end:]
		if r.large {
			room = room[:min(len(room), max(headRead, n))]
		}
		k, err := r.read(room)
		r.end += k
		if k == 0 && err != nil {
			if r.end > r.start {
				return cutOff(err)
			}
			return err
		}
		if r.end == len(r.slab.b) && r.size < maxSlab {
			r.size *= 2
		}
	}
	return nil
}

// preload begins with bytes that have been read already.
func (r *frameReader) preload(b []byte) {
	if len(b) > 0 {
		r.renew(len(b))
		r.end = copy(r.slab.b, b)
		r.received.Add(int64(len(b)))
	}
}

// rewind has an empty slab read from its start again, if nobody else has any of it.
// Without that ticks alone would fill it in time, and it would grow.
func (r *frameReader) rewind() {
	if r.end > 0 && r.slab.idle(r.given) {
		r.slab.uses.Store(beingRead)
		r.start, r.end, r.given = 0, 0, 0
	}
}

// renew makes room for a frame of n bytes: in this slab if nobody else has any of it,
// else in another.
func (r *frameReader) renew(n int) {
	var left []byte
	if r.slab != nil {
		left = r.slab.b[r.start:r.end]
		if n <= len(r.slab.b) && r.size <= len(r.slab.b) && r.slab.idle(r.given) {
			r.slab.uses.Store(beingRead)
			r.start, r.end, r.given = 0, copy(r.slab.b, left), 0
			return
		}
	}
	r.size = max(r.size, minSlab)
	next := r.slabs.make(max(r.size, n))
	next.shared = true
	r.start, r.end = 0, copy(next.b, left)
	if r.slab != nil && r.slab.give(r.given) {
		r.slab.recycle()
	}
	r.slab, r.given = next, 0
}
