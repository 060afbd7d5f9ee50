package etf

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// one writes a single value, which is all that most messages are.
func (p *program) one(e *Encoder, dst []byte, v place) ([]byte, error) {
	if e.Cache != nil {
		return p.appendCached(e, dst, v, nil)
	}
	return p.runPlain(e, dst, v, 1, 0)
}

// run writes n values, the first at the given place and each size bytes after the
// one before.
func (p *program) run(e *Encoder, dst []byte, first place, n int, size uintptr) (_ []byte, err error) {
	if e.Cache == nil {
		return p.runPlain(e, dst, first, n, size)
	}
	var known keyRefs
	for i := range n {
		if dst, err = p.appendCached(e, dst, first.elem(i, size), &known); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// runPlain writes without an atom cache. It is where typed values spend their time:
// each step makes its room with one check, and what is short is written in place.
func (p *program) runPlain(e *Encoder, dst []byte, first place, n int, size uintptr) ([]byte, error) {
	if err := e.enter(); err != nil {
		return dst, err
	}
	steps := p.steps
	for i := range n {
		value := first.elem(i, size)
		for j := range steps {
			st := &steps[j]
			v := value.field(st.offset)
			if st.long != nil {
				dst = append(dst, st.long...)
			}
			start := len(dst)
			if cap(dst)-start < stepRoom {
				dst = grow(dst, stepRoom)
			}
			out := (*[stepRoom]byte)(dst[start : start+stepRoom])
			*(*[prefixRoom]byte)(out[:]) = st.prefix
			done := int(st.size)
			switch st.op {
			case opText:
				text := *at[string](v)
				if uint64(len(text)) > math.MaxUint32 {
					return refuse(dst, ErrLimit, "binary of %d bytes", len(text))
				}
				binary.BigEndian.PutUint32(out[done:], uint32(len(text)))
				dst = dst[:start+done+4]
				if cap(dst)-len(dst) < len(text) {
					dst = grow(dst, len(text))
				}
				dst = append(dst, text...)
			case opFloat:
				f := *at[float64](v)
				if !finite(f) {
					return refuse(dst, ErrInvalid, "float %v", f)
				}
				binary.BigEndian.PutUint64(out[done:], math.Float64bits(f))
				dst = dst[:start+done+8]
			case opInt:
				dst = dst[:start+done+putInt(out[done:], *at[int64](v))]
			case opUint:
				dst = e.AppendUint(dst[:start+done], *at[uint64](v))
			case opAtom:
				var err error
				if dst, err = e.AppendAtom(dst[:start+done], *at[Atom](v)); err != nil {
					return dst, err
				}
			default:
				var err error
				if dst, err = st.encode(e, dst[:start+done], v); err != nil {
					return dst, err
				}
			}
		}
	}
	e.leave()
	return dst, nil
}

// appendCached writes a value, asking the atom cache for what runPlain has in
// prefixes. The values of a list have known in common; one alone has none, for it
// costs more to clear than it saves.
func (p *program) appendCached(e *Encoder, dst []byte, value place, known *keyRefs) (_ []byte, err error) {
	if err = e.enter(); err != nil {
		return dst, err
	}
	dst = append(dst, p.head...)
	for i := range p.tags {
		dst = p.atoms[i].append(e, dst)
	}
	for j := range p.steps {
		st := &p.steps[j]
		switch {
		case known != nil && j < len(known) && known[j] != 0:
			dst = append(dst, extAtomCacheRef, byte(known[j]))
		case st.key.atom != "":
			start := len(dst)
			dst = st.key.append(e, dst)
			if known != nil {
				known.note(j, dst[start:])
			}
		case st.key.wire != nil:
			dst = append(dst, st.key.wire...)
		}
		v := value.field(st.offset)
		switch st.op {
		case opText:
			dst, err = e.appendText(dst, *at[string](v))
		case opFloat:
			dst, err = appendFloat(dst, *at[float64](v))
		case opInt:
			dst = appendInt(dst, *at[int64](v))
		case opUint:
			dst = e.AppendUint(dst, *at[uint64](v))
		case opAtom:
			dst, err = e.AppendAtom(dst, *at[Atom](v))
		default:
			dst, err = st.encode(e, dst, v)
		}
		if err != nil {
			return dst, err
		}
	}
	e.leave()
	return dst, nil
}

// append writes an atom with the cache.
func (c *constant) append(e *Encoder, dst []byte) []byte {
	if i, ok := e.Cache.Ref(c.atom); ok {
		return append(dst, extAtomCacheRef, i)
	}
	return append(dst, c.wire...)
}

// keyRefs has the references that the keys of a struct's first fields became, with
// a bit set that no index has, or 0. They hold for the values of one list: what an
// atom became in a frame, it is to the frame's end.
type keyRefs [16]uint16

func (k *keyRefs) note(i int, atom []byte) {
	if i < len(k) && len(atom) == 2 && atom[0] == extAtomCacheRef {
		k[i] = 1<<8 | uint16(atom[1])
	}
}

// encode writes a value that is not as frequent, or not as short, as others.
func (st *step) encode(e *Encoder, dst []byte, v place) ([]byte, error) {
	if st.op == opBool {
		return e.AppendAtom(dst, boolAtom(*at[bool](v)))
	}
	return st.plan.encode(e, dst, v)
}

// intRoom is how much putInt may write, though what it writes counts less.
const intRoom = 11

// putInt writes an integer in the form that OTP would choose, and returns how long
// that is.
func putInt(out []byte, i int64) int {
	_ = out[intRoom-1]
	switch {
	case uint64(i) <= 0xff:
		out[0], out[1] = extSmallInteger, byte(i)
		return 2
	case int64(int32(i)) == i:
		out[0] = extInteger
		binary.BigEndian.PutUint32(out[1:], uint32(i))
		return 5
	}
	u, sign := uint64(i), byte(0)
	if i < 0 {
		u, sign = -u, 1
	}
	n := (bits.Len64(u) + 7) / 8
	out[0], out[1], out[2] = extSmallBig, byte(n), sign
	binary.LittleEndian.PutUint64(out[3:], u)
	return 3 + n
}
