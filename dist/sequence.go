package dist

import "github.com/truss-beam/truss/etf"

const (
	// sequenceCost is what an incomplete signal counts for before it has any
	// payload: its Control and the map entry.
	sequenceCost = 1 << 10
	// trustedPayload is how much is allocated for a payload that is only announced.
	// Most that come in fragments are smaller, and so are copied once.
	trustedPayload = 2 << 20
	// trustedTimes what has come is it once that is more. To allocate and to copy takes the
	// reader a millisecond for each few MiB, in which small messages wait: 10 MB take two
	// steps instead of the four of doubling.
	trustedTimes = 3
	// largePiece is a fragment of a sender that means it. Memory for one that sends
	// a byte at a time must not be many times what it sends.
	largePiece = 16 << 10
)

// sequence is a signal whose fragments are coming in.
type sequence struct {
	control Control
	atoms   []etf.Term
	next    uint64 // id of the fragment to come
	payload []byte // so far
	size    int    // bytes it counts for: with payload, its capacity
}

// room is the capacity payload gets to take a piece after which more fragments
// are to come: what has come doubles, as append would have it, but a sender of
// large fragments gets what it announces, as far as we trust it.
func (s *sequence) room(piece int, more uint64) int {
	need := len(s.payload) + piece
	switch {
	case need <= cap(s.payload):
		return cap(s.payload)
	case piece < largePiece:
		return max(need, 2*cap(s.payload))
	default:
		trusted := max(trustedPayload, trustedTimes*len(s.payload))
		announced := min(uint64(trusted), uint64(piece)*(more+1))
		return max(need, 2*cap(s.payload), len(s.payload)+int(announced))
	}
}
