package dist

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/truss-beam/truss/etf"
)

// Signal is one signal that came from the peer.
type Signal struct {
	Control Control
	// Payload is the message, reason or arguments in the external term format,
	// without version byte and not yet looked at: whoever it is for decodes it,
	// with Atoms, and bears the consequences. Nil where the op has none.
	Payload []byte
	// Atoms is what references in Payload stand for: for Decoder.Reset. It is
	// shared between signals, for reading only.
	Atoms []etf.Term
	// Own is set if Payload is memory of its own. Then nothing of the frame is kept.
	Own bool
}

// Receiver turns the frames of one connection, in their order, into signals. Not
// safe for concurrent use.
type Receiver struct {
	// Alloc makes the memory for a payload that comes in fragments: empty, with room
	// for least bytes or, if that costs nothing, for all of announced, which may be a
	// lie. Nil means make. Set it before the first Frame.
	Alloc func(least, announced int) []byte

	flags  Flags
	limits ReceiveLimits
	header bool
	cache  *recvCache // nil until the first header, and unless negotiated
	dec    etf.Decoder
	sig    Signal
	// The latest header and control message, as bytes and as what they mean: a
	// stream of messages from one process to another begins with the same ones in
	// every frame, and to compare them takes a tenth of the time of reading them.
	latest      []byte
	latestAtoms []etf.Term
	seqs        map[uint64]*sequence
	held        int // bytes in seqs
}

// NewReceiver begins the receiving side of a connection that was set up with
// flags, the Flags of a Result.
func NewReceiver(flags Flags, limits ReceiveLimits) *Receiver {
	r := &Receiver{flags: flags, limits: limits.withDefaults(), header: flags.header()}
	r.dec.Limits = r.limits.Terms
	r.dec.Copy = true // control messages outlive the frame
	return r
}

// Frame takes the body of one frame, what follows the four bytes of length. sig
// is nil for a tick and for a fragment of a signal that is not complete. It is
// valid until the next call, except for Payload, Atoms and the terms in Control,
// which may be kept.
//
// Memory: Payload aliases body, unless its Own is set. Nothing else does.
//
// An error is a *ProtocolError, and the connection is lost: the cache may have
// changed or not.
func (r *Receiver) Frame(body []byte) (sig *Signal, err error) {
	if len(body) == 0 {
		return nil, nil
	}
	if !r.header {
		return r.passThrough(body)
	}
	if len(body) < 2 || body[0] != version {
		return nil, violation(0, "frame opens with byte %d instead of a distribution header", body[0])
	}
	switch tag := body[1]; {
	case tag == tagHeader:
		return r.whole(body)
	case tag != tagFirst && tag != tagNext:
		return nil, violation(1, "unknown distribution header %d", tag)
	case !r.flags.Has(FlagFragments):
		return nil, violation(1, "a fragment, though FRAGMENTS was not negotiated")
	case tag == tagFirst:
		return r.first(body)
	default:
		return r.next(body)
	}
}

// passThrough reads a frame of a connection with neither atom cache nor
// fragments: both terms with their version byte.
func (r *Receiver) passThrough(body []byte) (*Signal, error) {
	if body[0] != passThrough || len(body) < 2 || body[1] != version {
		return nil, violation(0, "frame opens with byte %d instead of %d and a term", body[0], passThrough)
	}
	rest, err := r.control(body[2:], nil, 2)
	if err != nil {
		return nil, err
	}
	if r.sig.Control.Op.HasPayload() {
		if len(rest) == 0 || rest[0] != version {
			return nil, &ProtocolError{Op: r.sig.Control.Op, Offset: len(body) - len(rest), Err: errNoPayload}
		}
		rest = rest[1:]
	}
	return r.signal(rest, nil, len(body)-len(rest))
}

// whole reads a frame that is a signal of its own.
func (r *Receiver) whole(body []byte) (*Signal, error) {
	if n := len(r.latest); n > 0 && bytes.HasPrefix(body[2:], r.latest) {
		return r.signal(body[2+n:], r.latestAtoms, 2+n)
	}
	r.latest = r.latest[:0]
	atoms, rest, err := r.atoms(body[2:], 2)
	if err != nil {
		return nil, err
	}
	rest, err = r.control(rest, atoms, len(body)-len(rest))
	if err != nil {
		return nil, err
	}
	if n := len(body) - 2 - len(rest); n <= latestMax && r.sig.Control.Op.HasPayload() {
		r.latest, r.latestAtoms = append(r.latest, body[2:2+n]...), atoms
	}
	return r.signal(rest, atoms, len(body)-len(rest))
}

// latestMax is the longest header and control message kept to compare with: long ones
// list new atoms, and will not be seen again.
const latestMax = 256

// atoms reads the list of atom references. Without the cache it must be empty,
// as OTP's emulator crashes on references it has no cache for.
func (r *Receiver) atoms(b []byte, base int) (atoms []etf.Term, rest []byte, err error) {
	if r.flags.Has(FlagDistHdrAtomCache) {
		if r.cache == nil {
			r.cache = new(recvCache)
		}
		return r.cache.header(b, base)
	}
	if len(b) == 0 || b[0] != 0 {
		return nil, nil, violation(base, "atom references, though the atom cache was not negotiated")
	}
	return nil, b[1:], nil
}

// control parses the control message into r.sig and returns what follows it.
func (r *Receiver) control(b []byte, atoms []etf.Term, base int) (rest []byte, err error) {
	r.dec.Reset(b, atoms)
	if err := r.sig.Control.Parse(&r.dec); err != nil {
		var protocol *ProtocolError
		if errors.As(err, &protocol) {
			protocol.Offset = base + len(b) - len(r.dec.Rest())
		}
		return nil, err
	}
	return r.dec.Rest(), nil
}

// errNoPayload: OTP finds out only when the receiver decodes, we before.
var errNoPayload = errors.New("the message, reason or arguments are missing")

// signal completes r.sig. What follows a control message without payload means
// nothing, as in OTP.
func (r *Receiver) signal(payload []byte, atoms []etf.Term, at int) (*Signal, error) {
	r.sig.Payload, r.sig.Atoms, r.sig.Own = nil, nil, false
	if r.sig.Control.Op.HasPayload() {
		if len(payload) == 0 {
			return nil, &ProtocolError{Op: r.sig.Control.Op, Offset: at, Err: errNoPayload}
		}
		r.sig.Payload, r.sig.Atoms = payload, atoms
	}
	return &r.sig, nil
}

// fragmentHead is how much of a frame says that it is a fragment, and which.
const fragmentHead = 18

// sequenceIDs reads what opens both kinds of fragments.
func sequenceIDs(body []byte) (seq, id uint64, rest []byte, err error) {
	if len(body) < fragmentHead {
		return 0, 0, nil, violation(2, "fragment of only %d bytes", len(body))
	}
	seq, id = binary.BigEndian.Uint64(body[2:]), binary.BigEndian.Uint64(body[10:])
	if id == 0 {
		return 0, 0, nil, violation(10, "fragment 0 of sequence %d: they count down to 1", seq)
	}
	return seq, id, body[fragmentHead:], nil
}

// first begins a sequence, or is all of it.
func (r *Receiver) first(body []byte) (*Signal, error) {
	seq, id, rest, err := sequenceIDs(body)
	if err != nil {
		return nil, err
	}
	r.latest = r.latest[:0]
	if _, live := r.seqs[seq]; live {
		return nil, violation(2, "sequence %d begins again before its end", seq)
	}
	atoms, rest, err := r.atoms(rest, 18)
	if err != nil {
		return nil, err
	}
	rest, err = r.control(rest, atoms, len(body)-len(rest))
	if err != nil {
		return nil, err
	}
	if id == 1 {
		return r.signal(rest, atoms, len(body)-len(rest))
	}
	if err := r.open(seq, id, len(body)-len(rest)); err != nil {
		return nil, err
	}
	s := &sequence{control: r.sig.Control, atoms: atoms, next: id - 1, size: sequenceCost + len(body) - len(rest)}
	r.held += s.size
	if err := r.grow(s, len(rest), s.next); err != nil {
		return nil, err
	}
	s.payload = append(s.payload, rest...)
	if r.seqs == nil {
		r.seqs = make(map[uint64]*sequence)
	}
	r.seqs[seq] = s
	return nil, nil
}

// open checks that one more sequence is within what we grant.
func (r *Receiver) open(seq, id uint64, at int) error {
	op := r.sig.Control.Op
	switch {
	case !op.HasPayload():
		return &ProtocolError{Op: op, Offset: at, Err: errors.New("in fragments, though it has no payload")}
	case id > uint64(r.limits.Fragments):
		return &ProtocolError{Op: op, Offset: 10, Err: fmt.Errorf("%w: sequence %d announces %d fragments, the limit is %d", ErrTooLarge, seq, id, r.limits.Fragments)}
	case len(r.seqs) >= r.limits.Sequences:
		return &ProtocolError{Op: op, Offset: 2, Err: fmt.Errorf("%w: more than %d incomplete signals", ErrTooLarge, r.limits.Sequences)}
	}
	return nil
}

// next continues a sequence.
func (r *Receiver) next(body []byte) (*Signal, error) {
	s, rest, err := r.continued(body)
	if err != nil {
		return nil, err
	}
	if err := r.grow(s, len(rest), s.next-1); err != nil {
		return nil, err
	}
	s.payload = append(s.payload, rest...)
	return r.taken(s, body)
}

// continued finds the sequence that a fragment, of which this is the whole body or
// the head, goes on with.
func (r *Receiver) continued(body []byte) (s *sequence, rest []byte, err error) {
	seq, id, rest, err := sequenceIDs(body)
	if err != nil {
		return nil, nil, err
	}
	s = r.seqs[seq]
	if s == nil {
		return nil, nil, violation(2, "fragment %d of sequence %d, which has not begun", id, seq)
	}
	if id != s.next {
		return nil, nil, violation(10, "fragment %d of sequence %d instead of %d", id, seq, s.next)
	}
	return s, rest, nil
}

// taken notes that the payload of a fragment has been added.
func (r *Receiver) taken(s *sequence, body []byte) (*Signal, error) {
	s.next--
	if s.next > 0 {
		return nil, nil
	}
	delete(r.seqs, binary.BigEndian.Uint64(body[2:]))
	r.held -= s.size
	r.latest = r.latest[:0]
	r.sig.Control = s.control
	sig, err := r.signal(s.payload, s.atoms, len(body))
	if err == nil {
		sig.Own = true
	}
	return sig, err
}

// Place spares a copy of most of what comes in fragments. head is what the body of a
// frame of length bytes begins with, 18 bytes or more. If it is a fragment of a signal
// that has begun, Place returns where the bytes after those 18 belong; when they are
// there, call Placed instead of Frame. Else it is nil, and the frame is for Frame,
// which also finds out what is wrong with it.
func (r *Receiver) Place(head []byte, length int) []byte {
	if length < fragmentHead || !r.flags.Has(FlagFragments) || head[0] != version || head[1] != tagNext {
		return nil
	}
	s, _, err := r.continued(head[:fragmentHead])
	if err != nil {
		return nil
	}
	n := length - fragmentHead
	if r.grow(s, n, s.next-1) != nil {
		return nil
	}
	return s.payload[len(s.payload) : len(s.payload)+n]
}

// Placed is Frame for a fragment of which n bytes have been read into what Place has
// returned for head.
func (r *Receiver) Placed(head []byte, n int) (*Signal, error) {
	s, _, err := r.continued(head[:fragmentHead])
	if err != nil {
		return nil, err
	}
	s.payload = s.payload[:len(s.payload)+n]
	return r.taken(s, head)
}

// grow makes room for one piece of a sequence, after which more fragments are to come.
func (r *Receiver) grow(s *sequence, piece int, more uint64) error {
	room := s.room(piece, more)
	grown := room - cap(s.payload)
	switch {
	case len(s.payload)+piece > r.limits.Message:
		return &ProtocolError{Op: s.control.Op, Err: fmt.Errorf("%w: its payload is over %d bytes", ErrTooLarge, r.limits.Message)}
	case r.held+grown > r.limits.Reassembly:
		return &ProtocolError{Op: s.control.Op, Err: fmt.Errorf("%w: incomplete signals are over %d bytes together", ErrTooLarge, r.limits.Reassembly)}
	case grown == 0:
		return nil
	}
	var larger []byte
	if r.Alloc == nil {
		larger = make([]byte, 0, room)
	} else {
		announced := uint64(len(s.payload)) + uint64(piece)*(more+1)
		larger = r.Alloc(room, int(min(announced, uint64(r.limits.Message))))
	}
	grown = cap(larger) - cap(s.payload)
	s.size += grown
	r.held += grown
	s.payload = append(larger, s.payload...)
	return nil
}
