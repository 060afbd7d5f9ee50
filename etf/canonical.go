package etf

import "math/big"

// canonical returns t as decoding would yield it, as far as its outermost level
// goes: Equal, Compare and hashTerm look at no other types. It does not allocate
// for what is canonical already.
func canonical(t Term) Term {
	switch v := t.(type) {
	case Atom, int64, []byte, Tuple, List, Map, float64, Pid, Ref, Port, Export, Fun, Record:
		return t
	case string:
		return []byte(v)
	case bool:
		return boolAtom(v)
	case nil:
		return Atom("nil")
	case float32:
		return float64(v)
	case Charlist:
		return codePoints(v)
	case ImproperList:
		if continues(v.Tail) {
			return flatten(v)
		}
		return t
	case Bitstring:
		return canonicalBits(v)
	}
	if i := canonicalInt(t); i != nil {
		return i
	}
	return throughWire(t)
}

// canonicalInt returns the int64 or else *big.Int of an integer of one of Go's
// own types, and nil for what is none.
func canonicalInt(t Term) Term {
	switch v := t.(type) {
	case int64:
		return t
	case int:
		return int64(v)
	case int32:
		return int64(v)
	case int16:
		return int64(v)
	case int8:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case uint:
		return canonicalUint(uint64(v))
	case uint64:
		return canonicalUint(v)
	case uintptr:
		return canonicalUint(uint64(v))
	case *big.Int:
		switch {
		case v == nil:
			return Atom("nil")
		case v.IsInt64():
			return v.Int64()
		}
		return t
	}
	return nil
}

func canonicalUint(u uint64) Term {
	if i := int64(u); i >= 0 {
		return i
	}
	return new(big.Int).SetUint64(u)
}

// canonicalBits makes the bits that do not count zero.
func canonicalBits(b Bitstring) Term {
	end := len(b.Bytes) - 1
	switch {
	case end < 0 || b.Bits >= 8:
		return b.Bytes
	case b.Bytes[end]&unused(b.Bits) == 0:
		return b
	}
	data := append([]byte(nil), b.Bytes...)
	data[end] &^= unused(b.Bits)
	return Bitstring{Bytes: data, Bits: b.Bits}
}

// opaque stands for a value without external form. It equals itself only if Go
// says so, and sorts behind all terms.
type opaque struct{ value any }

// throughWire is for types that only Marshal knows (structs, Go maps, types with
// methods of their own): what they are as terms is what is read back.
func throughWire(t Term) Term {
	e := Encoder{Records: true}
	b, err := e.Append(nil, t)
	if err != nil {
		return opaque{t}
	}
	var d Decoder
	d.Reset(b, nil)
	back, err := d.Term()
	if err != nil {
		return opaque{t}
	}
	return back
}
