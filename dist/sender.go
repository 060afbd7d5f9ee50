package dist

import (
	"encoding/binary"
	"fmt"

	"github.com/truss-beam/truss/etf"
)

// Tags of the frames, behind the version byte, and of pass-through mode.
const (
	version     = 131
	tagHeader   = 68
	tagFirst    = 69 // fragment
	tagNext     = 70 // fragment
	passThrough = 112
)

const (
	// fragmentSize is how much payload goes in one piece. OTP's pieces are of 64 KiB;
	// over loopback those cost a third of the throughput, in calls to the system.
	fragmentSize = 256 << 10
	// scratchKeep bounds what a Sender keeps for the next signal.
	scratchKeep = 256 << 10
)

// Sender encodes signals into frames for one connection. It is not safe for
// concurrent use: the caller holds the connection's lock from Append until the
// buffer is queued, so that the order of the atom cache is that of the wire.
type Sender struct {
	flags   Flags
	header  bool
	enc     etf.Encoder
	cache   *sendCache // nil unless negotiated
	scratch []byte     // terms of the signal being built
	lowered Control    // the form that the peer knows of the signal being built
	seq     uint64     // of the latest fragmented signal

	fragment int // fragmentSize, but for a test
	latest   latestOpening
}

// NewSender begins the sending side of a connection that was set up with flags,
// the Flags of a Result.
func NewSender(flags Flags) *Sender {
	s := &Sender{flags: flags, header: flags.header(), fragment: fragmentSize}
	s.enc.Records = flags.Has(FlagNativeRecords)
	s.enc.SpliceMin = spliceMin
	if flags.Has(FlagDistHdrAtomCache) {
		s.cache = newSendCache()
		s.enc.Cache = s.cache
	}
	return s
}

// Append puts one signal in b: c and, for an op that has one, the payload. Give
// the newest form of a signal (22 rather than 2, 24 rather than 3, 37 rather
// than 33 where it has priority): it goes out in the newest the peer knows, and
// is an error that wraps ErrNotNegotiated if it knows none.
//
// If the payload is over 256 KiB and FRAGMENTS is negotiated, only the first
// fragment is put in b and the Stream yields the others. Until it is through,
// the caller must hold back what else the same sender signals to the same
// receiver, or it would overtake; signals of others may go between.
//
// Memory: binaries of 8 KiB and more in payload are not copied. They must not
// change until b is written, and the buffers that the Stream's Next filled.
//
// After an error b and the atom cache are as they were.
func (s *Sender) Append(b *Buffer, c *Control, payload any) (*Stream, error) {
	inPlace := s.latest.is(c)
	if !inPlace { // else the peer knows c as it is
		var err error
		if c, payload, err = s.lower(c, payload); err != nil {
			return nil, err
		}
	}
	body, split, err := s.control(b, c, inPlace)
	if err == nil && c.Op.HasPayload() {
		body, err = s.enc.Append(body, payload)
	} else if err == nil && payload != nil {
		err = errPayload
	}
	return s.finish(b, c, body, split, inPlace, err)
}

// AppendRaw is Append with a payload that is in the external term format
// already, without version byte and without references to an atom cache. It is
// not looked at; b may reference it.
func (s *Sender) AppendRaw(b *Buffer, c *Control, payload []byte) (*Stream, error) {
	inPlace := s.latest.is(c)
	if !inPlace {
		if low, err := s.lowerRaw(c, payload); err != nil {
			return nil, err
		} else if low != nil {
			c, payload = low, low.rawPayload(payload)
		}
	}
	body, split, err := s.control(b, c, inPlace)
	switch {
	case err != nil:
	case !c.Op.HasPayload():
		if len(payload) > 0 {
			err = errPayload
		}
	case len(payload) == 0:
		err = errPayload
	case len(payload) < spliceMin:
		body = append(body, payload...)
	default:
		s.enc.Splices = append(s.enc.Splices, etf.Splice{Offset: len(body), Data: payload})
	}
	return s.finish(b, c, body, split, inPlace, err)
}

// control encodes c. body is where the payload goes, from split on: the scratch buffer
// or, inPlace, the end of b, where c and what precedes it stand as in the frame before.
func (s *Sender) control(b *Buffer, c *Control, inPlace bool) (body []byte, split int, err error) {
	if inPlace {
		s.latest.uses++
		body = append(b.buf, s.latest.opening...)
		return body, len(body), nil
	}
	body = s.scratch[:0]
	if s.cache != nil {
		s.cache.begin()
	}
	if !s.header {
		body = append(body, version)
	}
	body, err = c.Append(body, &s.enc)
	split = len(body)
	if !s.header && c.Op.HasPayload() {
		body = append(body, version)
	}
	// Binaries left out of a control message belong before the payload: with
	// them in the scratch buffer's place, split would lie.
	if err == nil && len(s.enc.Splices) > 0 {
		body = s.unsplice(body)
		split = len(body)
	}
	return body, split, err
}

// finishInPlace ends a frame whose payload stands in b already, unless its opening is
// not that of the frame before, or it is too large for one.
func (s *Sender) finishInPlace(b *Buffer, body []byte, split int, err error) bool {
	if err != nil || len(s.cache.refs) != s.latest.atoms || len(s.enc.Splices) > 0 || len(body)-split > s.fragment {
		return false
	}
	start := len(b.buf)
	b.buf = body
	return b.end(start, 0)
}

// outOfPlace moves what finishInPlace has refused from b to the scratch buffer.
func (s *Sender) outOfPlace(b *Buffer, body []byte, split int) ([]byte, int) {
	from := len(b.buf) + s.latest.header
	b.buf = body[:len(b.buf)]
	for i := range s.enc.Splices {
		s.enc.Splices[i].Offset -= from
	}
	return append(s.scratch[:0], body[from:]...), split - from
}

// finish frames what is in body, or undoes it all.
func (s *Sender) finish(b *Buffer, c *Control, body []byte, split int, inPlace bool, err error) (*Stream, error) {
	if inPlace {
		if s.finishInPlace(b, body, split, err) {
			return nil, nil
		}
		body, split = s.outOfPlace(b, body, split)
	}
	s.latest.op = 0
	s.scratch = body[:0]
	size := len(body)
	for _, sp := range s.enc.Splices {
		size += len(sp.Data)
	}
	var stream *Stream
	if err == nil {
		if s.flags.Has(FlagFragments) && size-split > s.fragment {
			stream = s.first(b, body, split, size-split)
			s.scratch = nil // the stream's now
		} else {
			err = s.whole(b, c, body, split, size)
		}
	}
	if err != nil && s.cache != nil {
		s.cache.rollback()
	}
	clear(s.enc.Splices)
	s.enc.Splices = s.enc.Splices[:0]
	if cap(s.scratch) > scratchKeep {
		s.scratch = nil
	}
	return stream, signalError(c.Op, err)
}

func signalError(op Op, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := err.(*ProtocolError); ok {
		return err
	}
	return &ProtocolError{Op: op, Err: err}
}

// whole appends one frame with all of body and the splices.
func (s *Sender) whole(b *Buffer, c *Control, body []byte, split, size int) error {
	start := b.begin()
	if s.header {
		b.buf = append(b.buf, version, tagHeader)
		b.buf = s.appendHeader(b.buf)
	} else {
		b.buf = append(b.buf, passThrough)
	}
	if !b.end(start, size) {
		return fmt.Errorf("%w: %d bytes, a frame has at most 2^32-1", ErrTooLarge, size)
	}
	s.latest.remember(c, s.cache, b.buf[start:], body[:split])
	from := 0
	for _, sp := range s.enc.Splices {
		b.buf = append(b.buf, body[from:sp.Offset]...)
		b.add(sp.Data)
		from = sp.Offset
	}
	b.buf = append(b.buf, body[from:]...)
	return nil
}

func (s *Sender) appendHeader(dst []byte) []byte {
	if s.cache == nil {
		return append(dst, 0)
	}
	return s.cache.appendHeader(dst)
}

// first appends the first fragment and returns the stream of the others.
func (s *Sender) first(b *Buffer, body []byte, split, size int) *Stream {
	s.seq++
	st := &Stream{seq: s.seq, left: size, piece: s.fragment, next: uint64((size + s.fragment - 1) / s.fragment)}
	from := split
	for _, sp := range s.enc.Splices {
		st.push(body[from:sp.Offset])
		st.push(sp.Data)
		from = sp.Offset
	}
	st.push(body[from:])

	start := b.begin()
	b.buf = append(b.buf, version, tagFirst)
	b.buf = binary.BigEndian.AppendUint64(b.buf, st.seq)
	b.buf = binary.BigEndian.AppendUint64(b.buf, st.next)
	b.buf = s.appendHeader(b.buf)
	b.buf = append(b.buf, body[:split]...)
	b.end(start, s.fragment) // far below 2^32: a control message has no payload
	st.take(b, s.fragment)
	return st
}

// unsplice puts the binaries that the encoder left out of a control message
// back: a reason or token with large ones is rare, and only payloads may be cut.
func (s *Sender) unsplice(body []byte) []byte {
	size := len(body)
	for _, sp := range s.enc.Splices {
		size += len(sp.Data)
	}
	out := make([]byte, 0, size)
	from := 0
	for _, sp := range s.enc.Splices {
		out = append(out, body[from:sp.Offset]...)
		out = append(out, sp.Data...)
		from = sp.Offset
	}
	clear(s.enc.Splices)
	s.enc.Splices = s.enc.Splices[:0]
	return append(out, body[from:]...)
}
