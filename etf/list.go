package etf

import (
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"
)

// List reads the header of a list; of the three forms a list has on the wire
//
//   - the empty list gives n = 0 and nothing follows;
//   - a list of bytes written as such (tag 107, OTP's choice for strings of up to
//     65535 Latin-1 characters and for any other list of small integers) gives
//     str, aliasing the input, and n = len(str), and nothing follows;
//   - else n > 0 and str is nil. n elements are to be read next and after them,
//     always, the tail: one more term, which is the empty list if the list is
//     proper. A tail that is a list with elements continues this one.
//
// So the elements of any proper list are read by
//
//	for n, str, err := d.List(); ; n, str, err = d.List() {
//		if err != nil {
//			return err // ErrKind in the second round: the list is improper
//		}
//		use str, or read n elements
//		if n == 0 || str != nil {
//			break
//		}
//	}
func (d *Decoder) List() (n int, str []byte, err error) {
	if err := d.want(KindList); err != nil {
		return 0, nil, err
	}
	return d.openList()
}

// openList is List where that is known to be what comes next.
func (d *Decoder) openList() (n int, str []byte, err error) {
	at := d.off
	switch d.in[at] {
	case extNil:
		d.off++
	case extString:
		if str, err = d.str(); err != nil {
			return 0, nil, err
		}
		n = len(str)
	default:
		d.took() // before the promise, or it would have less to share
		n, err = d.listHeader()
		return n, nil, err
	}
	d.took()
	return n, str, nil
}

// listHeader reads a tag 108, of which a tail follows the elements.
func (d *Decoder) listHeader() (int, error) {
	at := d.off
	if !d.has(5) {
		return 0, d.truncated(at, "list")
	}
	n := uint64(binary.BigEndian.Uint32(d.in[at+1:]))
	d.off += 5
	return int(n), d.promise(at, n+1, "list")
}

// str reads a tag 107.
func (d *Decoder) str() ([]byte, error) {
	if !d.has(3) {
		return nil, d.truncated(d.off, "list of bytes")
	}
	start := d.off + 3
	n := int(binary.BigEndian.Uint16(d.in[d.off+1:]))
	if n > len(d.in)-start {
		return nil, d.truncated(d.off, "list of bytes")
	}
	if d.count += n; d.count > d.Limits.elements() {
		return nil, d.fail(d.off, ErrLimit, "list exceeds Limits.Elements")
	}
	d.off = start + n
	return d.in[start:d.off:d.off], nil
}

func (d *Decoder) stringList() (Term, error) {
	str, err := d.str()
	if err != nil {
		return nil, err
	}
	if len(str) == 0 {
		return List(nil), nil
	}
	return d.slabs.list(appendBytes(d.slabs.someTerms(len(str), len(d.in))[:0], str), len(d.in)), nil
}

// appendBytes makes elements of bytes; Go boxes integers below 256 without
// allocating.
func appendBytes(l List, str []byte) List {
	for _, c := range str {
		l = append(l, int64(c))
	}
	return l
}

// list reads a tag 108 with at least one element. Its tail may again be a list,
// and so on, which makes one list of all of them: they are read in a loop, so
// that no sender can choose the depth of our stack.
func (d *Decoder) list() (Term, error) {
	if err := d.enter(d.off); err != nil {
		return nil, err
	}
	n, err := d.listHeader()
	if err != nil {
		return nil, err
	}
	elems := List(d.slabs.someTerms(n, len(d.in)))
	for i := range elems {
		if elems[i], err = d.term(); err != nil {
			return nil, err
		}
	}
	for {
		d.skipEmptyHeads()
		if d.off >= len(d.in) {
			return nil, d.truncated(d.off, "tail of a list")
		}
		if d.in[d.off] != extList {
			break
		}
		if elems, err = d.continued(elems); err != nil {
			return nil, err
		}
	}
	d.leave()
	return d.tail(elems)
}

// continued reads a tail that is a list with elements, but not its tail.
func (d *Decoder) continued(elems List) (List, error) {
	d.took()
	n, err := d.listHeader()
	if err != nil {
		return nil, err
	}
	for range n {
		t, err := d.term()
		if err != nil {
			return nil, err
		}
		elems = append(elems, t)
	}
	return elems, nil
}

// tail reads the last tail of a list.
func (d *Decoder) tail(elems List) (Term, error) {
	switch d.in[d.off] {
	case extNil:
		d.took()
		d.off++
		return d.slabs.list(elems, len(d.in)), nil
	case extString:
		d.took()
		str, err := d.str()
		if err != nil {
			return nil, err
		}
		return d.slabs.list(appendBytes(elems, str), len(d.in)), nil
	}
	tail, err := d.term()
	if err != nil {
		return nil, err
	}
	return ImproperList{Elems: elems, Tail: tail}, nil
}

func (e *Encoder) appendList(dst []byte, l List) ([]byte, error) {
	if len(l) == 0 {
		return append(dst, extNil), nil
	}
	if len(l) <= maxString && allBytes(l) {
		dst = append(dst, extString, byte(len(l)>>8), byte(len(l)))
		for _, t := range l {
			c, _ := smallInteger(t)
			dst = append(dst, c)
		}
		return dst, nil
	}
	dst, err := e.appendListHead(dst, l)
	if err != nil {
		return dst, err
	}
	return append(dst, extNil), nil
}

// appendListHead appends all of a list but its tail.
func (e *Encoder) appendListHead(dst []byte, l List) ([]byte, error) {
	n := len(l)
	if uint64(n) > math.MaxUint32 {
		return refuse(dst, ErrLimit, "list of %d elements", n)
	}
	return e.appendAll(append(dst, extList, byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), l)
}

func (e *Encoder) appendImproper(dst []byte, l ImproperList) ([]byte, error) {
	if len(l.Elems) == 0 {
		return refuse(dst, ErrInvalid, "improper list without elements")
	}
	if continues(l.Tail) {
		return e.append(dst, flatten(l))
	}
	dst, err := e.appendListHead(dst, l.Elems)
	if err != nil {
		return dst, err
	}
	if err := e.enter(); err != nil {
		return dst, err
	}
	dst, err = e.append(dst, l.Tail)
	e.leave()
	return dst, err
}

// continues reports whether t, as a tail, only goes on with the list.
func continues(t Term) bool {
	switch t.(type) {
	case List, Charlist, ImproperList:
		return true
	}
	return false
}

// flatten makes one list of an ImproperList whose tail continues it: a List if
// the last tail is proper.
func flatten(l ImproperList) Term {
	all := l.Elems
	for {
		switch tail := l.Tail.(type) {
		case List:
			return slices.Concat(all, tail)
		case Charlist:
			return slices.Concat(all, codePoints(tail))
		case ImproperList:
			all = slices.Concat(all, tail.Elems)
			l = ImproperList{Elems: all, Tail: tail.Tail}
		default:
			return l
		}
	}
}

// allBytes reports whether OTP would write l as a string.
func allBytes(l List) bool {
	for _, t := range l {
		if _, ok := smallInteger(t); !ok {
			return false
		}
	}
	return true
}

// smallInteger returns t if it is an integer from 0 to 255 of one of Go's own
// types.
func smallInteger(t Term) (byte, bool) {
	switch v := t.(type) {
	case int64:
		return byte(v), uint64(v) <= 0xff
	case int:
		return byte(v), uint(v) <= 0xff
	case uint8:
		return v, true
	case Atom, []byte, string, Tuple, List, Map, nil:
		return 0, false
	}
	i, ok := canonicalInt(t).(int64)
	return byte(i), ok && uint64(i) <= 0xff
}

// appendCharlist writes the code points of s, as a string if all are Latin-1.
func (e *Encoder) appendCharlist(dst []byte, s Charlist) ([]byte, error) {
	if !utf8.ValidString(string(s)) {
		return refuse(dst, ErrInvalid, "charlist %.40q is not UTF-8", string(s))
	}
	n, latin1 := 0, true
	for _, r := range s {
		n++
		latin1 = latin1 && r <= 0xff
	}
	switch {
	case n == 0:
		return append(dst, extNil), nil
	case uint64(n) > math.MaxUint32:
		return refuse(dst, ErrLimit, "charlist of %d characters", n)
	case latin1 && n <= maxString:
		dst = append(dst, extString, byte(n>>8), byte(n))
		for _, r := range s {
			dst = append(dst, byte(r))
		}
		return dst, nil
	}
	dst = append(dst, extList, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	for _, r := range s {
		dst = appendInt(dst, int64(r))
	}
	return append(dst, extNil), nil
}

func codePoints(s Charlist) List {
	l := make(List, 0, len(s))
	for _, r := range s {
		l = append(l, int64(r))
	}
	return l
}
