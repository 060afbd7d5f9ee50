package etf

import "encoding/binary"

// Decoder reads terms from one []byte, front to back. The zero value is empty;
// Reset gives it something to read. It never reads past the input, never panics
// and allocates no more than a small multiple of the input's length.
//
// Memory: binaries (and only they) alias the input, unless Copy is set. Whoever
// decodes gives the input away: it must not be changed while a term decoded from
// it is alive.
//
// A Decoder is a value meant for the stack of whoever decodes; it is not safe for
// concurrent use. After an error other than ErrKind and ErrRange, which consume
// nothing, its position means nothing.
//
// The methods that read a header only (Tuple, List, Map) leave the elements to be
// read by as many further calls. The Decoder itself keeps count of them, so that
// headers cannot promise more elements together than there are bytes.
type Decoder struct {
	Limits Limits

	// Copy makes binaries copies. It is for an input that is a small part of a
	// large buffer, which a single binary kept for long would keep too.
	Copy bool

	in    []byte
	off   int
	atoms []Term

	owed  int // elements promised by headers and not read yet
	count int // elements promised since Reset
	depth int
	keys  int // how many maps the current term lies in the key of
	made  int // atoms made of inline text since Reset

	slabs  slabs
	seen   [][2]Term // recent inline atoms, boxed, by hash; survives Reset
	unseen int       // how many were looked for before there was seen; survives Reset
	dup    duplicates
	rows   rows
}

// Reset makes the decoder read b, a term without version byte. atoms is what
// the atom references (tag 82) of the distribution header stand for, each an
// Atom boxed once so that decoding it allocates nothing; nil where there is none.
func (d *Decoder) Reset(b []byte, atoms []Term) {
	d.in, d.off, d.atoms = b, 0, atoms
	d.owed, d.count, d.depth, d.keys, d.made = 0, 0, 0, 0, 0
	d.rows.reset()
	d.slabs = slabs{} // a slab is shared within a term, never between terms
	if d.seen != nil && len(b) > tableInput && len(d.seen) < tableSize(len(b)) {
		d.seen = nil // it was made for shorter ones
	}
}

// Rest returns what is not read yet.
func (d *Decoder) Rest() []byte { return d.in[d.off:] }

// Term reads the next term. What types it yields is the table at Term.
func (d *Decoder) Term() (Term, error) { return d.term() }

// Unmarshal reads the next term into *v. See the function Unmarshal.
func (d *Decoder) Unmarshal(v any) error { return d.unmarshal(v) }

// term reads one term of any kind. The tags that fill most messages come first
// and are done in place; the others have a function of their own.
func (d *Decoder) term() (Term, error) {
	d.took()
again:
	if d.off >= len(d.in) {
		return nil, d.truncated(d.off, "a term")
	}
	switch tag := d.in[d.off]; tag {
	case extSmallInteger:
		if d.has(2) {
			v := int64(d.in[d.off+1])
			d.off += 2
			return v, nil
		}
		return nil, d.truncated(d.off, "integer")
	case extInteger:
		if d.has(5) {
			v := int64(int32(binary.BigEndian.Uint32(d.in[d.off+1:])))
			d.off += 5
			return d.slabs.int(v, len(d.in)), nil
		}
		return nil, d.truncated(d.off, "integer")
	case extAtomCacheRef, extSmallAtomUTF8, extAtomUTF8, extSmallAtom, extAtom:
		return d.atom()
	case extBinary:
		return d.binary()
	case extSmallTuple, extLargeTuple:
		return d.tuple()
	case extNil:
		d.off++
		return List(nil), nil
	case extList:
		if d.has(5) && binary.BigEndian.Uint32(d.in[d.off+1:]) == 0 {
			d.off += 5 // no elements: the tail is the term, as OTP reads it
			goto again
		}
		return d.list()
	case extMap:
		return d.mapTerm()
	case extNewPid, extPid:
		return boxed(d.pid())
	default:
		return d.rareTerm(tag)
	}
}

func (d *Decoder) rareTerm(tag byte) (Term, error) {
	switch tag {
	case extSmallBig, extLargeBig:
		return d.big()
	case extNewFloat, extFloat:
		f, err := d.float()
		if err != nil {
			return nil, err
		}
		return d.slabs.float(f, len(d.in)), nil
	case extString:
		return d.stringList()
	case extNewerRef, extNewReference, extReference:
		return boxed(d.ref())
	case extNewPort, extV4Port, extPort:
		return boxed(d.port())
	case extBitBinary:
		return d.bitstring()
	case extNewFun:
		return d.fun()
	case extExport:
		return boxed(d.export())
	case extRecord:
		return d.record()
	default:
		return nil, d.invalid(d.off, "unknown tag")
	}
}

// boxed makes a Term of a typed result, but nil of a failed one, so that no
// error comes with half a value.
func boxed[T any](v T, err error) (Term, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// has reports whether at least n bytes are left, n counted from the tag.
func (d *Decoder) has(n int) bool { return len(d.in)-d.off >= n }

// took notes that one of the promised elements is being read.
func (d *Decoder) took() {
	if d.owed > 0 {
		d.owed--
	}
}

// promise notes that n elements follow, of which each takes a byte at least. All
// headers share the bytes that are left: otherwise ten thousand nested tuples
// could each promise, and have allocated, the whole rest of the input.
func (d *Decoder) promise(at int, n uint64, what string) error {
	if n > uint64(max(0, len(d.in)-d.off-d.owed)) {
		return d.truncated(at, what+" of more elements than bytes follow")
	}
	if n > uint64(max(0, d.Limits.elements()-d.count)) {
		return d.fail(at, ErrLimit, what+" exceeds Limits.Elements")
	}
	d.owed += int(n)
	d.count += int(n)
	return nil
}

// enter notes that a container is being read; each enter has its leave, except
// after an error.
func (d *Decoder) enter(at int) error {
	if d.depth >= d.Limits.depth() {
		return d.fail(at, ErrLimit, "nesting exceeds Limits.Depth")
	}
	d.depth++
	return nil
}

func (d *Decoder) leave() { d.depth-- }

// skipEmptyHeads steps over list headers without elements: OTP reads
// 108,0,0,0,0,T as T.
func (d *Decoder) skipEmptyHeads() {
	for d.has(5) && d.in[d.off] == extList && binary.BigEndian.Uint32(d.in[d.off+1:]) == 0 {
		d.off += 5
	}
}

// want checks that a term of kind k comes next.
func (d *Decoder) want(k Kind) error {
	got := d.Kind()
	if got == k {
		return nil
	}
	return d.unwanted(k, got)
}

func (d *Decoder) unwanted(k, got Kind) error {
	switch {
	case d.off >= len(d.in):
		return d.truncated(d.off, k.String())
	case got == KindInvalid:
		return d.invalid(d.off, "unknown tag")
	default:
		return d.fail(d.off, ErrKind, "want "+k.String()+", have "+got.String())
	}
}
