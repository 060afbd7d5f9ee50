package etf

// duplicates finds equal terms among many in linear time, whoever chose them:
// the hash is keyed (see hashTerm). It keeps its tables for the next search, so
// that large maps cost no allocation each.
type duplicates struct {
	hashes []uint64
	slots  []uint32
}

const (
	fewTerms   = 32      // up to so many are compared pairwise, on the stack
	keptHashes = 1 << 14 // larger tables are left to the garbage collector
)

// inMap returns the index of an entry whose key an earlier entry has, or -1.
func (s *duplicates) inMap(m Map) int {
	switch n := len(m); {
	case n < 2:
		return -1
	case n <= fewTerms:
		var few [fewTerms]uint64
		for i := range m {
			few[i] = fingerprint(m[i].Key)
		}
		return pairwise(few[:n], func(i, j int) bool { return Equal(m[i].Key, m[j].Key) })
	default:
		hashes := s.room(n)
		for i := range m {
			hashes[i] = hashTerm(m[i].Key)
		}
		return s.search(hashes, func(i, j int) bool { return Equal(m[i].Key, m[j].Key) })
	}
}

// inAtoms returns the index of an atom that an earlier one equals, or -1.
func (s *duplicates) inAtoms(atoms []Atom) int {
	hashes := s.room(len(atoms))
	for i, a := range atoms {
		hashes[i] = hashAtom(a)
	}
	equal := func(i, j int) bool { return atoms[i] == atoms[j] }
	if len(atoms) <= fewTerms {
		return pairwise(hashes, equal)
	}
	return s.search(hashes, equal)
}

// fingerprint is a hash for few terms. Nobody needs a key for that: whoever makes
// all of them collide has each compared with 31 others at most, at the speed of
// comparing memory.
func fingerprint(t Term) uint64 {
	switch v := t.(type) {
	case Atom:
		return atomHash(bytesOf(string(v)))
	case []byte:
		return ^atomHash(v)
	case string:
		return ^atomHash(bytesOf(v))
	case int64:
		return uint64(v) * 0x9e3779b97f4a7c15
	case int:
		return uint64(v) * 0x9e3779b97f4a7c15
	}
	switch v := canonical(t).(type) {
	case Atom, []byte, int64:
		return fingerprint(v)
	default:
		return hashTerm(v)
	}
}

// room returns n places for hashes, of any content.
func (s *duplicates) room(n int) []uint64 {
	if n > keptHashes {
		return make([]uint64, n)
	}
	if n > cap(s.hashes) {
		s.hashes = make([]uint64, max(n, 2*fewTerms))
	}
	return s.hashes[:n]
}

// pairwise compares every term with all before it whose hash may be the same. A
// word with one bit for each hash seen so far spares most of the comparing.
func pairwise(hashes []uint64, equal func(i, j int) bool) int {
	var seen uint64
	for i, h := range hashes {
		bit := uint64(1) << (h >> 58)
		if seen&bit != 0 {
			for j, other := range hashes[:i] {
				if other == h && equal(j, i) {
					return i
				}
			}
		}
		seen |= bit
	}
	return -1
}

// search puts the terms into an open hash table, as index+1.
func (s *duplicates) search(hashes []uint64, equal func(i, j int) bool) int {
	size := 2 * fewTerms
	for size < 2*len(hashes) {
		size *= 2
	}
	slots := s.slots
	if size <= cap(slots) {
		slots = slots[:size]
		clear(slots)
	} else {
		slots = make([]uint32, size)
		if size <= 2*keptHashes {
			s.slots = slots
		}
	}
	mask := uint64(size - 1)
	for i, h := range hashes {
		at := h & mask
		for ; slots[at] != 0; at = (at + 1) & mask {
			if j := int(slots[at] - 1); hashes[j] == h && equal(j, i) {
				return i
			}
		}
		slots[at] = uint32(i + 1)
	}
	return -1
}
