package truss

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// slab is memory that is read into, and that messages alias. When all of them have
// been released it is read into again; until then, or if that never happens, it is
// the garbage collector's.
type slab struct {
	b    []byte
	pool *sync.Pool // where it goes back to; nil for none
	uses atomic.Int32

	shared bool // with other frames; set by the reader
}

// beingRead is what a slab's uses begin at: reading itself, and more than there can
// be messages in it.
const beingRead = 1 << 30

// give ends the reading of a slab that so many messages alias, and tells whether all
// have been released already.
func (s *slab) give(messages int) (free bool) { return s.uses.Add(int32(messages)-beingRead) == 0 }

// idle tells whether all the messages given so far have been released.
func (s *slab) idle(messages int) bool { return s.uses.Load() == beingRead-int32(messages) }

func (s *slab) release() {
	if s.uses.Add(-1) == 0 {
		s.recycle()
	}
}

func (s *slab) recycle() {
	if s.pool != nil {
		s.pool.Put(s)
	}
}

// slabs are a node's released slabs, by the power of two of their size.
type slabs [slabClasses]sync.Pool

const (
	minSlabBits = 16 // smaller ones are not worth it
	slabClasses = 9  // up to 16 MiB; larger ones are rare, and a lot to keep for the next
)

// get returns a slab of at least size bytes, or nil if none is free.
func (p *slabs) get(size int) *slab {
	if class := slabClass(size); class < slabClasses {
		if s, _ := p[class].Get().(*slab); s != nil {
			s.uses.Store(beingRead)
			return s
		}
	}
	return nil
}

// make returns a slab of at least size bytes, a released one if there is one and it is
// not far too large.
func (p *slabs) make(size int) *slab {
	pooled := size > 1<<(minSlabBits-1)
	if pooled {
		if s := p.get(size); s != nil {
			return s
		}
	}
	s := &slab{}
	s.uses.Store(beingRead)
	if class := slabClass(size); class < slabClasses && pooled {
		s.pool = &p[class]
		size = 1 << (minSlabBits + class)
	}
	s.b = make([]byte, size)
	return s
}

// own is the slab of memory that Alloc has made and one message now has.
func (p *slabs) own(b []byte) *slab {
	class := slabClass(cap(b))
	if class >= slabClasses || cap(b) != 1<<(minSlabBits+class) {
		return nil
	}
	s := &slab{b: b[:cap(b)], pool: &p[class]}
	s.uses.Store(1)
	return s
}

// alloc returns empty memory with room for least bytes: for all of announced, which
// may be a lie, if it is there already.
func (p *slabs) alloc(least, announced int) []byte {
	s := p.get(announced)
	if s == nil {
		s = p.make(least)
	}
	return s.b[:0]
}

// slabClass is the smallest class whose slabs have size bytes.
func slabClass(size int) int { return max(0, bits.Len(uint(size-1))-minSlabBits) }
