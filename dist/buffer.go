package dist

import "encoding/binary"

const (
	// spliceMin is the size from which a binary is referenced by the buffer
	// rather than copied into it. Over loopback TCP (BenchmarkSplice) copying is
	// a third faster at 4 KiB, both are even at 8 KiB, and at 32 KiB one more
	// element in the writev takes half the time of the copy.
	spliceMin = 8 << 10
	// bufferKeep is the capacity that Reset keeps in any case. More is kept only
	// while it is used, so that one burst does not pin its memory for the life
	// of the connection, and a steady stream does not allocate for every write: its
	// writes are of all sizes, so a few small ones are no sign that it is over.
	bufferKeep = 16 << 10
	// bufferPatience is how many writes in a row may use less than an eighth.
	bufferPatience = 64
)

// Buffer gathers frames for one write. Small things are copied into one slice,
// large binaries are referenced: whoever sends a []byte gives it away until the
// buffer that has it is written and reset. The zero value is empty and ready.
// Not safe for concurrent use.
type Buffer struct {
	buf  []byte
	refs []bufferRef
	held int // bytes in refs

	little int // for how many resets in a row most of buf was of no use
}

// bufferRef is data that belongs before buf[at].
type bufferRef struct {
	at   int
	data []byte
}

// Len is how many bytes wait to be written.
func (b *Buffer) Len() int { return len(b.buf) + b.held }

// Chunks appends what is to be written, in order, to dst, for net.Buffers. The
// chunks are valid until the next change of b.
func (b *Buffer) Chunks(dst [][]byte) [][]byte {
	from := 0
	for _, r := range b.refs {
		if r.at > from {
			dst = append(dst, b.buf[from:r.at])
			from = r.at
		}
		dst = append(dst, r.data)
	}
	if from < len(b.buf) {
		dst = append(dst, b.buf[from:])
	}
	return dst
}

// Reset empties b for reuse and lets go of what it referenced.
func (b *Buffer) Reset() {
	if cap(b.buf) <= bufferKeep || len(b.buf) >= cap(b.buf)/8 {
		b.little = 0
	} else if b.little++; b.little > bufferPatience {
		b.buf, b.little = nil, 0
	}
	b.buf = b.buf[:0]
	clear(b.refs)
	b.refs, b.held = b.refs[:0], 0
}

// AppendTick appends the frame that only says "I am alive".
func (b *Buffer) AppendTick() { b.buf = append(b.buf, 0, 0, 0, 0) }

// add copies small data and references large.
func (b *Buffer) add(data []byte) {
	if len(data) < spliceMin {
		b.buf = append(b.buf, data...)
		return
	}
	b.refs = append(b.refs, bufferRef{len(b.buf), data})
	b.held += len(data)
}

// begin opens a frame whose length is not known yet.
func (b *Buffer) begin() (start int) {
	start = len(b.buf)
	b.buf = append(b.buf, 0, 0, 0, 0)
	return start
}

// end fills in the length of the frame opened at start, of which so many bytes
// are still to be added.
func (b *Buffer) end(start, more int) (ok bool) {
	n := len(b.buf) - start - 4 + more
	if uint64(n) > 1<<32-1 {
		b.buf = b.buf[:start]
		return false
	}
	binary.BigEndian.PutUint32(b.buf[start:], uint32(n))
	return true
}
