package dist

import (
	"fmt"
	"hash/maphash"
	"math"
	"strings"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// begunCache is a cache of all its slots, with a frame begun.
func begunCache() *sendCache {
	c := newSendCache()
	c.begin()
	for len(c.slots) < cacheSlots {
		c.grow()
	}
	c.begin()
	return c
}

// A cache that finds its slots taken gets more, up to all there are: then a
// thousand busy atoms are nearly all references.
func TestCacheGrows(t *testing.T) {
	c := newSendCache()
	if c.slots != nil {
		t.Errorf("an idle connection has %d slots", len(c.slots))
	}
	c.begin()
	if len(c.slots) != firstSlots {
		t.Fatalf("begins with %d slots", len(c.slots))
	}
	fresh := 0
	for round := range 50 {
		for i := range 1000 {
			if i%100 == 0 {
				c.begin()
			}
			c.Ref(etf.Atom(fmt.Sprint("a", i)))
			if round == 49 && i%100 == 99 {
				for _, r := range c.refs {
					if r.fresh {
						fresh++
					}
				}
			}
		}
	}
	if len(c.slots) != cacheSlots || fresh > 100 {
		t.Errorf("%d slots, and %d of 1000 atoms are sent in full", len(c.slots), fresh)
	}
	few := newSendCache()
	for range 1000 {
		few.begin()
		for i := range 20 {
			few.Ref(etf.Atom(fmt.Sprint("a", i)))
		}
	}
	if len(few.slots) > 2*firstSlots {
		t.Errorf("%d slots for 20 atoms", len(few.slots))
	}
}

func placesOf(c *sendCache, a etf.Atom) [2]uint16 {
	h := maphash.String(c.seed, string(a))
	return [2]uint16{uint16(h) % cacheSlots, uint16(h>>16) % cacheSlots}
}

// Of the two atoms that have the places of a third, the less recently used goes.
func TestCacheEvictsTheLessRecent(t *testing.T) {
	for _, older := range []int{0, 1} {
		c := begunCache()
		places := placesOf(c, "new")
		for places[0] == places[1] { // 1 in 2048
			c.seed = maphash.MakeSeed()
			places = placesOf(c, "new")
		}
		c.frame = 10
		for i, place := range places {
			c.slots[place] = sendSlot{atom: etf.Atom(fmt.Sprint("old", i)), frame: 5, full: true}
		}
		c.slots[places[older]].frame = 4
		if _, ok := c.Ref("new"); !ok || c.slots[places[older]].atom != "new" {
			t.Errorf("the new atom is not in the place of the older")
		}
		c.slots[places[1-older]].frame = c.frame
		c.slots[places[older]].atom = "another of this frame"
		if _, ok := c.Ref("new"); ok {
			t.Error("an atom of the same frame was evicted")
		}
	}
}

func TestCacheListsAtMost255(t *testing.T) {
	c := begunCache()
	atoms := make([]etf.Atom, 400)
	for i := range atoms {
		atoms[i] = etf.Atom(fmt.Sprint("a", i))
		if i%100 == 0 {
			c.begin()
		}
		c.Ref(atoms[i])
	}
	c.begin() // most are known now
	for i, a := range atoms {
		index, ok := c.Ref(a)
		if ok && (int(index) != len(c.refs)-1 || i < int(index)) {
			t.Fatalf("atom %d has index %d of %d", i, index, len(c.refs))
		}
	}
	if len(c.refs) != headerMax {
		t.Errorf("%d atoms in the header, want 255", len(c.refs))
	}
}

func TestCacheRefusesInvalidAtoms(t *testing.T) {
	c := begunCache()
	for _, a := range []etf.Atom{"\xff", etf.Atom(strings.Repeat("x", 256)), etf.Atom(strings.Repeat("ä", 256))} {
		if _, ok := c.Ref(a); ok {
			t.Errorf("%.20q is listed", a)
		}
	}
	if _, ok := c.Ref(etf.Atom(strings.Repeat("\U0001F43B", 255))); !ok || !c.long {
		t.Error("an atom of 255 characters in 1020 bytes is not listed, or not as long")
	}
}

func TestCacheOutlivesFrameNumbers(t *testing.T) {
	c := begunCache()
	c.Ref("first")
	c.Ref("second") // index 1 in frame 1
	c.frame = math.MaxUint32
	for c.begin(); c.frame != 1; {
		c.begin()
	}
	if index, ok := c.Ref("second"); !ok || index != 0 || len(c.refs) != 1 {
		t.Errorf("index %d, %v, %d listed", index, ok, len(c.refs))
	}
}

// TestHints finds an atom again wherever its text lies, and not one that the peer never
// saw or that another has driven out.
func TestHints(t *testing.T) {
	c := newSendCache()
	c.begin()
	a := etf.Atom("temperature")
	first, _ := c.Ref(a)
	again, ok := c.Ref(etf.Atom(strings.Clone(string(a))))
	if !ok || again != first || len(c.refs) != 1 {
		t.Errorf("the same text elsewhere has index %d, not %d", again, first)
	}
	c.Ref(a) // now there is a hint
	c.rollback()
	c.begin()
	if c.Ref(a); len(c.refs) != 1 || !c.refs[0].fresh {
		t.Errorf("after a rollback: %v, want it new", c.refs)
	}
	c.slots[c.refs[0].slot].atom = "another"
	c.begin()
	if c.Ref(a); len(c.refs) != 1 || !c.refs[0].fresh || c.slots[c.refs[0].slot].atom != a {
		t.Errorf("driven out of its slot: %v, want it new", c.refs)
	}
}
