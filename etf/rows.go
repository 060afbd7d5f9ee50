package etf

import "bytes"

// rows remembers the keys of maps of the input being read, as alike does of those being
// written: most maps in a long term have neighbours with the same atoms as keys in the
// same order. Those are compared as the bytes that they are, and need not be compared
// with each other again.
type rows struct {
	table *[rowTable]row
	maps  int // seen in this input
}

// row is the keys of a map, all of them atoms that differ.
type row struct {
	n     int // how many; 0 if nothing is known
	keys  [rowKeys]Term
	wire  [rowKeys][]byte // in the input
	tries uint8           // how often it was replaced without being of use
	made  uint            // how often it was replaced
}

const (
	rowTable = 4
	rowKeys  = 16 // in a map
	rowTries = 8
)

// find returns the row that a map of n entries may have, or nil if it is not worth
// looking for.
func (s *rows) find(n, input int) *row {
	if n < 2 || n > rowKeys || input < tableInput {
		return nil
	}
	if s.maps++; s.maps < 2 {
		return nil
	}
	if s.table == nil {
		s.table = new([rowTable]row)
	}
	return &s.table[n%rowTable]
}

// reset forgets all: the next input is other memory.
func (s *rows) reset() {
	if s.table != nil && s.maps > 1 {
		for i := range s.table {
			t := &s.table[i]
			clear(t.keys[:t.n])
			clear(t.wire[:t.n])
			t.n, t.tries = 0, 0
		}
	}
	s.maps = 0
}

// next returns the i-th key of a map, if in begins with the row's.
func (s *row) next(in []byte, i int) (key Term, size int) {
	if i >= s.n || !bytes.HasPrefix(in, s.wire[i]) {
		return nil, 0
	}
	return s.keys[i], len(s.wire[i])
}

// note remembers the keys of m, which are known to differ; wire is how they came.
func (s *row) note(m Map, wire *[rowKeys][]byte) {
	if s.tries >= rowTries {
		return
	}
	s.tries++
	s.made++
	clear(s.keys[:s.n])
	clear(s.wire[:s.n])
	s.n = 0
	for i := range m {
		if _, ok := m[i].Key.(Atom); !ok {
			return
		}
		s.keys[i], s.wire[i] = m[i].Key, wire[i]
		s.n++
	}
}
