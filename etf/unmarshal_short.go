package etf

import (
	"encoding/binary"
	"math"
)

// short reads a value, if its type is one of the most frequent and it comes in the most
// frequent form: without the call through a pointer, and the steps of which each may
// fail. For all else it reads nothing, and decode has to.
func (p *plan) short(d *Decoder, v place) bool {
	in := d.in[d.off:]
	switch p.reads {
	case opInt, opUint:
		i, size := d.shortInt()
		if size == 0 || i < 0 && p.reads == opUint {
			return false
		}
		*at[int64](v) = i
		d.off += size
	case opFloat:
		if len(in) < 9 || in[0] != extNewFloat {
			return false
		}
		f := math.Float64frombits(binary.BigEndian.Uint64(in[1:9]))
		if !finite(f) {
			return false
		}
		*at[float64](v) = f
		d.off += 9
	case opText:
		if len(in) < 5 || in[0] != extBinary {
			return false
		}
		n := uint64(binary.BigEndian.Uint32(in[1:5]))
		if n > uint64(len(in)-5) {
			return false
		}
		b := in[5 : 5+n]
		if d.Copy {
			b = d.slabs.clone(b, len(d.in))
		}
		*at[string](v) = d.text(b)
		d.off += 5 + int(n)
	case opAtom:
		a, size := d.shortAtom(*at[Atom](v))
		if size == 0 {
			return false
		}
		*at[Atom](v) = a
		d.off += size
	default:
		return false
	}
	d.took()
	return true
}

// shortAtom finds the atom at the current offset, which stays, if it is one of the header,
// the one that is held already, or was read lately; else size is 0.
func (d *Decoder) shortAtom(held Atom) (a Atom, size int) {
	in := d.in[d.off:]
	if len(in) < 2 {
		return "", 0
	}
	n := int(in[1])
	switch {
	case in[0] == extAtomCacheRef && n < len(d.atoms):
		if a, ok := d.atoms[n].(Atom); ok {
			return a, 2
		}
	case in[0] == extSmallAtomUTF8 && len(in) >= 2+n:
		text := in[2 : 2+n]
		if string(held) == string(text) && ascii(string(held)) {
			return held, 2 + n
		}
		if d.seen == nil {
			return "", 0
		}
		for _, t := range d.recent(text) {
			if a, ok := t.(Atom); ok && string(a) == string(text) {
				return a, 2 + n
			}
		}
	}
	return "", 0
}

// shortKey is the external form of a key of at most 16 bytes, to compare with in two
// words.
type shortKey struct {
	length                       int // 0 if there is none: the key is longer
	low, high, lowMask, highMask uint64
}

const shortKeyMax = 16

func newShortKey(key []byte) (k shortKey) {
	if len(key) > shortKeyMax {
		return k
	}
	var bytes, mask [shortKeyMax]byte
	copy(bytes[:], key)
	for i := range key {
		mask[i] = 0xff
	}
	word := binary.LittleEndian.Uint64
	return shortKey{len(key), word(bytes[:]), word(bytes[8:]), word(mask[:]), word(mask[8:])}
}

// opens tells whether in begins with the key; false also if in is too short to look.
func (k *shortKey) opens(in []byte) bool {
	return k.length > 0 && len(in) >= shortKeyMax &&
		binary.LittleEndian.Uint64(in)&k.lowMask == k.low && binary.LittleEndian.Uint64(in[8:])&k.highMask == k.high
}
