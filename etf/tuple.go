package etf

import (
	"encoding/binary"
	"math"
)

// Tuple reads the header of a tuple. Its elements are to be read next.
func (d *Decoder) Tuple() (arity int, err error) {
	if at := d.off; d.has(2) && d.in[at] == extSmallTuple {
		d.off += 2
		d.took()
		n := uint64(d.in[at+1])
		return int(n), d.promise(at, n, "tuple")
	}
	if err := d.want(KindTuple); err != nil {
		return 0, err
	}
	d.took()
	return d.tupleHeader()
}

func (d *Decoder) tupleHeader() (int, error) {
	at, n := d.off, uint64(0)
	switch {
	case d.in[at] == extSmallTuple && d.has(2):
		n = uint64(d.in[at+1])
		d.off += 2
	case d.in[at] == extLargeTuple && d.has(5):
		n = uint64(binary.BigEndian.Uint32(d.in[at+1:]))
		d.off += 5
	default:
		return 0, d.truncated(at, "tuple")
	}
	return int(n), d.promise(at, n, "tuple")
}

func (d *Decoder) tuple() (Term, error) {
	if err := d.enter(d.off); err != nil {
		return nil, err
	}
	n, err := d.tupleHeader()
	if err != nil {
		return nil, err
	}
	if n == 0 {
		d.leave()
		return Tuple(nil), nil
	}
	t := Tuple(d.slabs.someTerms(n, len(d.in)))
	for i := range t {
		if t[i], err = d.term(); err != nil {
			return nil, err
		}
	}
	d.leave()
	return d.slabs.tuple(t, len(d.in)), nil
}

// AppendTuple appends the header of a tuple. arity elements are to follow; a
// negative arity or one over 2^32-1 is a mistake of the program's and wraps.
func (e *Encoder) AppendTuple(dst []byte, arity int) []byte {
	if 0 <= arity && arity <= 0xff {
		return append(dst, extSmallTuple, byte(arity))
	}
	dst = append(dst, extLargeTuple)
	return binary.BigEndian.AppendUint32(dst, uint32(arity))
}

func (e *Encoder) appendTuple(dst []byte, t Tuple) ([]byte, error) {
	if uint64(len(t)) > math.MaxUint32 {
		return refuse(dst, ErrLimit, "tuple of %d elements", len(t))
	}
	return e.appendAll(e.AppendTuple(dst, len(t)), t)
}

// appendAll appends the elements of a container.
func (e *Encoder) appendAll(dst []byte, terms []Term) ([]byte, error) {
	if err := e.enter(); err != nil {
		return dst, err
	}
	var err error
	dst = room(dst, len(terms))
	for _, t := range terms {
		if dst, err = e.append(dst, t); err != nil {
			return dst, err
		}
	}
	e.leave()
	return dst, nil
}
