package dist

import (
	"hash/maphash"
	"unicode/utf8"

	"github.com/truss-beam/truss/etf"
)

const (
	cacheSlots = 2048 // 8 segments of 256
	headerMax  = 255  // atoms one header can list
	// firstSlots is how many slots a connection begins with. Most carry a dozen
	// atoms in their life; all slots at once would cost each of them 48 KiB.
	firstSlots = 128
)

// sendCache is our half of the atom cache: what the peer's slots hold, as of the
// last frame. It belongs to a Sender and is asked by its Encoder.
//
// Each atom may live in one of two slots, chosen by hash. One slot each, as in
// OTP, makes some two of 50 busy atoms collide with a chance of 45 %, and such a
// pair is sent in full for ever after; with two slots an atom moves aside. The
// peer does not care how slots are chosen.
type sendCache struct {
	slots []sendSlot // a power of two of them, at most cacheSlots
	taken int        // slots taken from another atom since slots grew

	hints [32]slotHint // where atoms were found last, by hint
	seed  maphash.Seed
	frame uint32      // number of the frame being built
	refs  []headerRef // what its header will list
	undo  []undoSlot
	long  bool // an atom of over 255 bytes is new in this frame
}

type sendSlot struct {
	atom  etf.Atom
	frame uint32 // the last frame that used it
	index uint8  // in that frame's header
	full  bool
}

// slotHint is a slot and its number.
type slotHint struct {
	slot   *sendSlot // nil for none
	number uint16
}

type headerRef struct {
	slot  uint16
	fresh bool
}

type undoSlot struct {
	slot uint16
	was  sendSlot
}

func newSendCache() *sendCache {
	return &sendCache{seed: maphash.MakeSeed()}
}

// grow doubles the slots in use. What is in them stays, for the peer has it
// there; an atom that is not found at its new place is sent once more.
func (c *sendCache) grow() {
	if len(c.slots) < cacheSlots {
		c.slots = append(c.slots, make([]sendSlot, len(c.slots))...)
		clear(c.hints[:]) // they are of the old ones
	}
	c.taken = 0
}

// begin starts a frame.
func (c *sendCache) begin() {
	if c.slots == nil { // an idle connection, of which there may be many, never gets here
		c.slots = make([]sendSlot, firstSlots)
	} else if c.taken > len(c.slots)/8 {
		c.grow()
	}
	c.frame++
	if c.frame == 0 { // after 2^32 frames: no slot may seem to be of this one
		for i := range c.slots {
			c.slots[i].frame = 0
		}
		c.frame = 1
	}
	c.refs, c.undo, c.long = c.refs[:0], c.undo[:0], false
}

// rollback forgets the frame: the peer never saw it.
func (c *sendCache) rollback() {
	for i := len(c.undo) - 1; i >= 0; i-- {
		c.slots[c.undo[i].slot] = c.undo[i].was
	}
	c.refs = c.refs[:0]
}

// Ref implements etf.AtomCache. It is false for the atoms that find their slots
// taken by others of the same frame, for those after the 255th, and for invalid
// ones, which the encoder then refuses.
func (c *sendCache) Ref(a etf.Atom) (index uint8, ok bool) {
	h := &c.hints[hint(a)]
	if s := h.slot; s != nil && s.frame == c.frame && s.atom == a {
		return s.index, true
	}
	return c.list(a, h)
}

// list has the frame's header list an atom that may not be in it yet.
func (c *sendCache) list(a etf.Atom, h *slotHint) (index uint8, ok bool) {
	if h.slot == nil || !h.slot.full || h.slot.atom != a {
		number, ok := c.find(a)
		if !ok {
			return c.insert(a)
		}
		*h = slotHint{&c.slots[number], number}
	}
	s := h.slot
	if s.frame == c.frame {
		return s.index, true
	}
	if len(c.refs) == headerMax {
		return 0, false
	}
	s.frame, s.index = c.frame, uint8(len(c.refs))
	c.refs = append(c.refs, headerRef{slot: h.number})
	return s.index, true
}

// hint is a hash that takes no time. Two atoms with the same one take turns, and are
// hashed.
func hint(a etf.Atom) uint {
	if len(a) == 0 {
		return 0
	}
	return (uint(len(a)) + 5*uint(a[0]) + 3*uint(a[len(a)-1])) % uint(len(sendCache{}.hints))
}

// places are the slots that an atom may live in.
func (c *sendCache) places(a etf.Atom) (first, second uint16) {
	h := maphash.String(c.seed, string(a))
	mask := uint16(len(c.slots) - 1)
	return uint16(h) & mask, uint16(h>>16) & mask
}

// find is the slot where an atom is.
func (c *sendCache) find(a etf.Atom) (slot uint16, ok bool) {
	first, second := c.places(a)
	for _, slot := range [...]uint16{first, second} {
		if s := &c.slots[slot]; s.full && s.atom == a {
			return slot, true
		}
	}
	return 0, false
}

func (c *sendCache) insert(a etf.Atom) (index uint8, ok bool) {
	if len(c.refs) == headerMax || !validAtom(string(a)) {
		return 0, false
	}
	first, second := c.places(a)
	slot := first
	// The less recently used goes; never one that this frame's header lists.
	if one, two := &c.slots[first], &c.slots[second]; one.full && (!two.full || two.frame < one.frame) {
		slot = second
	}
	s := &c.slots[slot]
	if s.full && s.frame == c.frame {
		return 0, false
	}
	if s.full {
		c.taken++
	}
	c.undo = append(c.undo, undoSlot{slot, *s})
	*s = sendSlot{atom: a, frame: c.frame, index: uint8(len(c.refs)), full: true}
	c.refs = append(c.refs, headerRef{slot: slot, fresh: true})
	c.long = c.long || len(a) > 255
	return s.index, true
}

// validAtom tells whether OTP takes text as an atom: UTF-8, at most 255
// characters of it.
func validAtom(text string) bool {
	return utf8.ValidString(text) && (len(text) <= 255 || utf8.RuneCountInString(text) <= 255)
}

func validAtomBytes(text []byte) bool {
	return utf8.Valid(text) && (len(text) <= 255 || utf8.RuneCount(text) <= 255)
}

// appendHeader appends the number of atom references, their flags and the
// references. Source: erl_ext_dist, "Distribution Header".
func (c *sendCache) appendHeader(dst []byte) []byte {
	n := len(c.refs)
	dst = append(dst, byte(n))
	if n == 0 {
		return dst
	}
	flags := len(dst)
	for range n/2 + 1 {
		dst = append(dst, 0)
	}
	if c.long {
		dst[flags+n/2] |= 1 << (4 * (n & 1))
	}
	for i, r := range c.refs {
		nibble := byte(r.slot >> 8)
		if r.fresh {
			nibble |= 8
		}
		dst[flags+i/2] |= nibble << (4 * (i & 1))
		dst = append(dst, byte(r.slot))
		if !r.fresh {
			continue
		}
		atom := c.slots[r.slot].atom
		if c.long {
			dst = append(dst, byte(len(atom)>>8))
		}
		dst = append(dst, byte(len(atom)))
		dst = append(dst, atom...)
	}
	return dst
}
