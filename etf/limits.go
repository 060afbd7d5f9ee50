package etf

// Limits bound what decoding one term may cost. A zero field means its default.
//
// They come on top of what needs no configuration: a header that promises more
// elements than bytes are left is refused before anything is allocated for it,
// so memory stays within a small multiple of the input's length in any case (some
// 20 bytes per byte at worst, which lists of bytes and tuples of one element need).
type Limits struct {
	// Depth is how deep terms may nest; 10,000 by default. A level costs about
	// half a kilobyte of stack, so that the default stays under 10 MB of the
	// gigabyte a goroutine may have. The elements of a list are one level, however
	// many they are, and however oddly the list is cut into pieces on the wire.
	Depth int
	// Elements is how many elements all tuples, lists, maps, funs and records of
	// the term may have together; 64 Mi by default.
	Elements int
	// Bytes is how large a compressed term may grow, and how many digits (bytes)
	// an integer may have; 64 MiB by default.
	Bytes int
	// Atoms is how many atoms may be made of text that stands in the term itself
	// (not in a distribution header), repetitions mostly not counted; 1,048,576
	// by default, which is the whole atom table of a BEAM. Go frees atoms like any
	// string: the limit protects a BEAM that is to be sent what was decoded.
	Atoms int
}

func (l *Limits) depth() int    { return orDefault(l.Depth, defaultDepth) }
func (l *Limits) elements() int { return orDefault(l.Elements, 64<<20) }
func (l *Limits) bytes() int    { return orDefault(l.Bytes, 64<<20) }
func (l *Limits) atoms() int    { return orDefault(l.Atoms, 1<<20) }

func orDefault(n, standard int) int {
	if n <= 0 {
		return standard
	}
	return n
}
