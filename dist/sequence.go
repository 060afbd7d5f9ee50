package dist

import "github.com/truss-beam/truss/etf"

const (
	// sequenceCost is what an incomplete signal counts for before it has any
	// payload: its Control and the map entry.
	sequenceCost = 1 << 10
	// smallPiece is the size up to which pieces are copied together. Each kept
	// piece costs a slice header and pins its frame, which must not be many times
	// what it counts for.
	smallPiece = 4 << 10
)

// sequence is a signal whose fragments are coming in.
type sequence struct {
	control Control
	atoms   []etf.Term
	next    uint64   // id of the fragment to come
	pieces  [][]byte // of the payload, aliasing the frames
	tail    []byte   // small pieces behind those, copied together
	payload int      // bytes in pieces and tail
	size    int      // bytes it counts for
}

func (s *sequence) add(piece []byte) {
	s.payload += len(piece)
	if len(piece) < smallPiece {
		s.tail = append(s.tail, piece...)
		return
	}
	s.flush()
	s.pieces = append(s.pieces, piece)
}

func (s *sequence) flush() {
	if len(s.tail) > 0 {
		s.pieces = append(s.pieces, s.tail)
		s.tail = nil
	}
}

// join returns the payload in one piece, copied once.
func (s *sequence) join() []byte {
	s.flush()
	if len(s.pieces) == 1 {
		return s.pieces[0]
	}
	all := make([]byte, 0, s.payload)
	for _, p := range s.pieces {
		all = append(all, p...)
	}
	return all
}
