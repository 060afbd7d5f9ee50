package etf

import (
	"hash/maphash"
	"math"
	"math/big"
	"math/bits"
)

// hashSeed keys all hashes of this process, so that no peer can choose terms
// that collide. Set once, at start.
var hashSeed = maphash.MakeSeed()

// hashKeys do the same for what is hashed without maphash.
var hashKeys = [2]uint64{maphash.String(hashSeed, "first key"), maphash.String(hashSeed, "second key")}

// mix folds two words into one; the product of 128 bits keeps every input bit.
// Both factors are keyed: with a constant on one side a sender could make it zero,
// and the product with it, and so have terms collide at will.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^hashKeys[0], b^hashKeys[1])
	return hi ^ lo
}

func hashAtom(a Atom) uint64 { return maphash.String(hashSeed, string(a)) }

func hashInt(i int64) uint64 { return mix(uint64(i), uint64(KindInt)) }

func hashBytes(b []byte) uint64 { return maphash.Bytes(hashSeed, b) + uint64(KindBinary) }

// hashTerm gives terms that are Equal the same hash. It differs from one run of
// the program to the next. Everything that Equal looks at goes in, or terms that
// differ only in the rest would collide.
func hashTerm(t Term) uint64 {
	switch v := canonical(t).(type) {
	case Atom:
		return hashAtom(v)
	case int64:
		return hashInt(v)
	case []byte:
		return hashBytes(v)
	case Tuple:
		return hashAll(mix(uint64(len(v)), uint64(KindTuple)), v)
	case List:
		return hashAll(uint64(KindList), v)
	case Map:
		return hashMap(v)
	case float64:
		return mix(math.Float64bits(v), uint64(KindFloat))
	case *big.Int:
		return hashBig(v)
	case ImproperList:
		return mix(hashAll(uint64(KindList), v.Elems), hashTerm(v.Tail))
	case Bitstring:
		return mix(hashBytes(v.Bytes), uint64(v.Bits))
	case Fun:
		return hashFun(v)
	case Record:
		return hashRecord(v)
	case Pid:
		return mix(hashAtom(v.Node), mix(uint64(v.ID)<<32|uint64(v.Serial), uint64(v.Creation)))
	case Port, Ref, Export:
		return maphash.Comparable(hashSeed, v)
	default:
		return 0
	}
}

func hashAll(h uint64, terms []Term) uint64 {
	for _, t := range terms {
		h = mix(h, hashTerm(t))
	}
	return h
}

// hashMap adds the entries up, because their order means nothing.
func hashMap(m Map) uint64 {
	h := mix(uint64(len(m)), uint64(KindMap))
	for i := range m {
		h += mix(hashTerm(m[i].Key), hashTerm(m[i].Value))
	}
	return h
}

func hashBig(n *big.Int) uint64 {
	h := uint64(n.Sign())
	for _, word := range n.Bits() {
		h = mix(h, uint64(word))
	}
	return h
}

func hashFun(f Fun) uint64 {
	h := mix(hashAtom(f.Module), uint64(f.Arity)<<32|uint64(f.Index))
	h = mix(h, uint64(f.OldIndex)<<32|uint64(f.OldUniq))
	return hashAll(mix(h, hashBytes(f.Uniq[:])), f.Free)
}

func hashRecord(r Record) uint64 {
	h := mix(hashAtom(r.Module), hashAtom(r.Name))
	if r.Exported {
		h++
	}
	for _, f := range r.Fields {
		h = mix(h, hashAtom(f))
	}
	return hashAll(h, r.Values)
}
