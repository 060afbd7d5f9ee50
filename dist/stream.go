package dist

import "encoding/binary"

// Stream is what remains of a signal whose payload is sent in fragments. Its
// fragments need no atom cache, so they may go between any other frames. To
// drop a stream is to break the connection: the peer waits for the rest.
type Stream struct {
	seq   uint64   // never zero, unique in the connection: 0 crashes the peer's VM
	next  uint64   // id of the fragment before the next one; they count down to 1
	segs  [][]byte // payload not yet taken
	left  int
	piece int // most of a fragment
}

// Len is how many bytes of payload are left.
func (st *Stream) Len() int { return st.left }

// Next appends one fragment to b, with at most 256 KiB of payload, and tells
// whether more are to come.
func (st *Stream) Next(b *Buffer) (more bool) {
	if st.left == 0 {
		return false
	}
	start := b.begin()
	b.buf = append(b.buf, version, tagNext)
	b.buf = binary.BigEndian.AppendUint64(b.buf, st.seq)
	b.buf = binary.BigEndian.AppendUint64(b.buf, st.next)
	n := min(st.left, st.piece)
	b.end(start, n)
	st.take(b, n)
	return st.left > 0
}

func (st *Stream) push(seg []byte) {
	if len(seg) > 0 {
		st.segs = append(st.segs, seg)
	}
}

// take moves n bytes of payload to b, which ends a fragment.
func (st *Stream) take(b *Buffer, n int) {
	st.next--
	st.left -= n
	for n > 0 {
		seg := st.segs[0]
		if len(seg) <= n {
			b.add(seg)
			n -= len(seg)
			st.segs[0] = nil
			st.segs = st.segs[1:]
			continue
		}
		b.add(seg[:n])
		st.segs[0] = seg[n:]
		n = 0
	}
}
