package dist

import (
	"fmt"
	"hash/maphash"
	"math"
	"strings"
	"testing"

	"github.com/truss-beam/truss/etf"
)

func newSendCache() *sendCache {
	c := &sendCache{seed: maphash.MakeSeed()}
	c.begin()
	return c
}

func placesOf(c *sendCache, a etf.Atom) [2]uint16 {
	h := maphash.String(c.seed, string(a))
	return [2]uint16{uint16(h) % cacheSlots, uint16(h>>16) % cacheSlots}
}

// Of the two atoms that have the places of a third, the less recently used goes.
func TestCacheEvictsTheLessRecent(t *testing.T) {
	for _, older := range []int{0, 1} {
		c := newSendCache()
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
	c := newSendCache()
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
	c := newSendCache()
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
	c := newSendCache()
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
