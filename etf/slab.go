package etf

import "reflect"

// slabs hand out pieces of larger allocations. Most of the time of decoding a
// term of many small parts is the allocator's: two allocations for a tuple, one
// for a binary, an integer, a float. With slabs a 50 KB term of 160 records takes
// 300 allocations instead of 5600, and a third of the time.
//
// The price: whoever keeps one small part of a large term keeps its slabs, and
// with them up to some hundred neighbours. Reset drops them, so that terms of different
// inputs share none, and they start small for small inputs, which bounds the waste to
// a few bytes per byte of input.
type slabs struct {
	terms   []Term
	entries []MapEntry
	bytes   []byte
	arrays  arrays
	boxes
}

const (
	slabTerms = 128 // 2 KiB
	slabMax   = 16  // longer ones get an allocation of their own
	slabBoxes = 64
	slabBytes = 1 << 10
	slabArray = 2 << 10 // bytes of elements
)

// chunk is how much a new slab holds: what is needed now, and else what is likely
// to be needed for the whole input but at most limit. In application data a term
// takes six bytes on average, and every other one needs a box.
func chunk(likely, n, limit int) int { return max(n, min(likely, limit)) }

// someTerms returns n nil terms, n > 0, for an input of size bytes.
func (s *slabs) someTerms(n, size int) []Term {
	if n > slabMax {
		return make([]Term, n)
	}
	if n > len(s.terms) {
		s.terms = make([]Term, chunk(size/6, n, slabTerms))
	}
	t := s.terms[:n:n]
	s.terms = s.terms[n:]
	return t
}

// someEntries returns n empty entries, n > 0, for an input of size bytes.
func (s *slabs) someEntries(n, size int) []MapEntry {
	if n > slabMax {
		return make([]MapEntry, n)
	}
	if n > len(s.entries) {
		s.entries = make([]MapEntry, chunk(size/12, n, slabTerms/2))
	}
	m := s.entries[:n:n]
	s.entries = s.entries[n:]
	return m
}

// clone copies a binary from an input of size bytes.
func (s *slabs) clone(data []byte, size int) []byte {
	n := len(data)
	if n > slabBytes/4 {
		return append([]byte(nil), data...)
	}
	if n > len(s.bytes) {
		s.bytes = make([]byte, chunk(size/2, n, slabBytes))
	}
	b := s.bytes[:n:n]
	copy(b, data)
	s.bytes = s.bytes[n:]
	return b
}

// arrays hand out room for the elements of typed slices.
type arrays struct {
	cut   int // how many slices have asked
	types []array
}

// array has elements of one type, some of which are free.
type array struct {
	slice      *plan // of slices of them
	first      place
	used, room int // a place behind the last would be in other memory
}

const (
	arrayMost  = 16 // longer slices get an allocation of their own
	arrayTypes = 4  // and so do those of more types
	arrayFirst = 4  // and the first slices of a term, which may be all
)

// some returns room for n elements, n > 0, of size bytes each, for a slice of type p, unless it
// is to have an array of its own. rest is how much input is left: little input makes no
// large array.
func (a *arrays) some(p *plan, n, size, rest int) (first place, ok bool) {
	if a.cut++; a.cut <= arrayFirst || n > arrayMost || size == 0 || n*size > slabArray/4 {
		return place{}, false
	}
	i := 0
	for ; i < len(a.types) && a.types[i].slice != p; i++ {
	}
	if i == len(a.types) {
		if i == arrayTypes {
			return place{}, false
		}
		if a.types == nil {
			a.types = make([]array, 0, arrayTypes)
		}
		a.types = append(a.types, array{slice: p})
	}
	t := &a.types[i]
	if t.room-t.used < n {
		t.used, t.room = 0, max(n, min(slabArray, 2*rest)/size)
		t.first = place{reflect.MakeSlice(p.typ, t.room, t.room).UnsafePointer()}
	}
	t.used += n
	return t.first.elem(t.used-n, uintptr(size)), true
}
