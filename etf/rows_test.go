package etf

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// padding makes an input long enough to look for maps that are alike.
var padding = []byte(strings.Repeat("x", tableInput))

// Maps of all sorts, many alike, within each other: all come as they were sent.
func TestMapsAlike(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 7))
		var term func(depth int) Term
		key := func(i int) Term {
			switch random.IntN(20) {
			case 0:
				return int64(1000 + i)
			case 1:
				return []byte(fmt.Sprint("key", i))
			case 2:
				return Atom(fmt.Sprint("other", i))
			}
			return Atom(fmt.Sprint("key", i))
		}
		term = func(depth int) Term {
			if depth == 0 || random.IntN(3) == 0 {
				return int64(random.IntN(300))
			}
			m := Map{}
			for i := range 1 + random.IntN(3)*random.IntN(10) {
				m = append(m, MapEntry{key(i), term(depth - 1)})
			}
			return m
		}
		all := List{padding}
		for range 60 {
			all = append(all, term(4))
		}
		got := mustDecode(t, mustEncode(t, all))
		if !reflect.DeepEqual(got, Term(all)) {
			t.Fatalf("seed %d: %s\narrives as %s", seed, Format(all), Format(got))
		}
	}
}

// Equal keys are found, also where each is the key of a map before.
func TestMapsAlikeWithEqualKeys(t *testing.T) {
	const a, b, c = "\x77\x01a", "\x77\x01b", "\x77\x01c" // atoms
	two := func(k1, v1, k2, v2 string) string { return "t\x00\x00\x00\x02" + k1 + v1 + k2 + v2 }
	one := "a\x01"
	for name, last := range map[string]string{
		"none": "", "equal": two(a, one, a, one),
		// The map inside makes a the second key of what maps of two keys look like.
		"by a map inside": two(a, two(c, one, a, one), a, one),
		"of one inside":   two(a, two(b, one, b, one), b, one),
	} {
		maps := []string{two(a, one, b, one), two(a, one, b, one), two(a, one, b, one)}
		if last != "" {
			maps = append(maps, last)
		}
		wire := fmt.Sprintf("\x83l\x00\x00\x00%c", len(maps)+1) + strings.Join(maps, "") + fmt.Sprintf("m\x00\x00\x02\x00%s", padding) + "j"
		_, err := Decode([]byte(wire))
		if failed := errors.Is(err, ErrInvalid); failed != (last != "") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a decoder keeps of one input has nothing to do with the next.
func TestMapsAlikeInTwoInputs(t *testing.T) {
	var d Decoder
	input := func(key string) []byte {
		m := Map{{Atom(key), int64(1)}, {Atom("second"), int64(2)}}
		return mustEncode(t, List{padding, m, m, m})[1:]
	}
	first, second := input("first"), input("other")
	d.Reset(first, nil)
	if _, err := d.Term(); err != nil {
		t.Fatal(err)
	}
	copy(first, second) // the memory is used again
	d.Reset(first, nil)
	got, err := d.Term()
	if err != nil || got.(List)[3].(Map)[0].Key != Atom("other") {
		t.Errorf("%s, %v", Format(got), err)
	}
}
