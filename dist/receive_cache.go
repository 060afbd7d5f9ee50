package dist

import (
	"encoding/binary"
	"slices"

	"github.com/truss-beam/truss/etf"
)

// recentTables is how many atom tables a receiver remembers. The signals of a
// few busy pairs of processes alternate; one table each spares an allocation per
// signal.
const recentTables = 16

// recvCache is the peer's half of the atom cache as we know it. Slots change in
// the order of frames. Atoms are kept boxed, so that a decoder that hands one out
// allocates nothing.
type recvCache struct {
	pages  [cacheSlots / pageSlots]*[pageSlots]etf.Term // each slot an Atom, or nil while unset
	table  []etf.Term                                   // of the header being read
	recent [recentTables][]etf.Term
}

// pageSlots is how many slots come into being together. OTP spreads its atoms
// over all of them; all at once would cost every connection 32 KiB.
const pageSlots = 32

func (c *recvCache) get(slot uint16) etf.Term {
	if page := c.pages[slot/pageSlots]; page != nil {
		return page[slot%pageSlots]
	}
	return nil
}

// header reads the number of atom references, their flags and the references
// from the front of b. atoms is never written again and may be kept. base is the
// offset of b in the frame, for errors.
func (c *recvCache) header(b []byte, base int) (atoms []etf.Term, rest []byte, err error) {
	if len(b) == 0 {
		return nil, nil, violation(base, "distribution header cut off")
	}
	n := int(b[0])
	if n == 0 {
		return nil, b[1:], nil
	}
	pos := 1 + n/2 + 1
	if len(b) < pos+n {
		return nil, nil, violation(base, "distribution header with %d atoms cut off", n)
	}
	flags := b[1:pos]
	long := flags[n/2]>>(4*(n&1))&1 != 0
	var key uint32
	c.table = c.table[:0]
	for i := range n {
		nibble := flags[i/2] >> (4 * (i & 1))
		if pos >= len(b) {
			return nil, nil, violation(base+pos, "distribution header cut off at atom %d of %d", i, n)
		}
		slot := uint16(nibble&7)<<8 | uint16(b[pos])
		pos++
		if nibble&8 != 0 {
			text, ok := atomText(b[pos:], long)
			if !ok {
				return nil, nil, violation(base+pos, "atom %d of the distribution header cut off, or no atom", i)
			}
			pos += len(text) + 1
			if long {
				pos++
			}
			c.set(slot, text)
		}
		atom := c.get(slot)
		if atom == nil {
			return nil, nil, violation(base+pos, "atom %d of the distribution header refers to slot %d, which is unset", i, slot)
		}
		c.table = append(c.table, atom)
		key = key*31 + uint32(slot)
	}
	return c.snapshot(c.table, key), b[pos:], nil
}

// atomText reads a length and a text that OTP takes as an atom.
func atomText(b []byte, long bool) (text []byte, ok bool) {
	var n int
	switch {
	case long && len(b) >= 2:
		n, b = int(binary.BigEndian.Uint16(b)), b[2:]
	case !long && len(b) >= 1:
		n, b = int(b[0]), b[1:]
	default:
		return nil, false
	}
	if n > len(b) {
		return nil, false
	}
	return b[:n], validAtomBytes(b[:n])
}

// set puts an atom in its slot, keeping the box that is there if it is the same.
func (c *recvCache) set(slot uint16, text []byte) {
	page := c.pages[slot/pageSlots]
	if page == nil {
		page = new([pageSlots]etf.Term)
		c.pages[slot/pageSlots] = page
	}
	if old, ok := page[slot%pageSlots].(etf.Atom); ok && string(old) == string(text) {
		return
	}
	page[slot%pageSlots] = etf.Atom(text)
}

// snapshot returns a table that nobody writes, an earlier one if it is the same.
func (c *recvCache) snapshot(table []etf.Term, key uint32) []etf.Term {
	recent := &c.recent[key%recentTables]
	if !slices.Equal(*recent, table) {
		*recent = slices.Clone(table)
	}
	return *recent
}
