package etf

import "unsafe"

// boxes makes a Term of a value that already lies in a slab, where Go would
// allocate a copy for the interface to point to.
//
// It relies on an interface value being a word for the type and a pointer to the
// value, which has held since Go 1.4 and which TestBoxes guards. The values are
// never written again, as Go demands of what an interface points to.
type boxes struct {
	numbers []uint64 // int64 and float64
	headers []header // Tuple, List, Map, []byte
}

var (
	intWord    = typeWord(int64(0))
	floatWord  = typeWord(float64(0))
	tupleWord  = typeWord(Tuple(nil))
	listWord   = typeWord(List(nil))
	mapWord    = typeWord(Map(nil))
	binaryWord = typeWord([]byte(nil))
)

func (b *boxes) number(typ unsafe.Pointer, bits uint64, size int) (t Term) {
	if len(b.numbers) == 0 {
		b.numbers = make([]uint64, chunk(size/16, 1, slabBoxes))
	}
	p := &b.numbers[0]
	b.numbers = b.numbers[1:]
	*p = bits
	*(*iface)(unsafe.Pointer(&t)) = iface{typ, unsafe.Pointer(p)}
	return t
}

func (b *boxes) slice(typ unsafe.Pointer, h header, size int) (t Term) {
	if len(b.headers) == 0 {
		b.headers = make([]header, chunk(size/16, 1, slabBoxes))
	}
	p := &b.headers[0]
	b.headers = b.headers[1:]
	*p = h
	*(*iface)(unsafe.Pointer(&t)) = iface{typ, unsafe.Pointer(p)}
	return t
}

func (b *boxes) int(i int64, size int) Term {
	if uint64(i) < 256 {
		return i // Go keeps those boxed
	}
	return b.number(intWord, uint64(i), size)
}

func (b *boxes) float(f float64, size int) Term {
	return b.number(floatWord, *(*uint64)(unsafe.Pointer(&f)), size)
}

func (b *boxes) tuple(v Tuple, size int) Term {
	return b.slice(tupleWord, header{unsafe.Pointer(unsafe.SliceData(v)), len(v), cap(v)}, size)
}

func (b *boxes) list(v List, size int) Term {
	return b.slice(listWord, header{unsafe.Pointer(unsafe.SliceData(v)), len(v), cap(v)}, size)
}

func (b *boxes) assoc(v Map, size int) Term {
	return b.slice(mapWord, header{unsafe.Pointer(unsafe.SliceData(v)), len(v), cap(v)}, size)
}

func (b *boxes) binary(v []byte, size int) Term {
	return b.slice(binaryWord, header{unsafe.Pointer(unsafe.SliceData(v)), len(v), cap(v)}, size)
}
