package etf

import (
	"bytes"
	"math"
	"testing"
)

// stepping has a field for every kind of step, long keys and a binary one.
type stepping struct {
	_                             struct{} `etf:"Elixir.Some.Module.OfALongName,struct"`
	I                             int64
	U                             uint64
	F                             float64
	S                             string
	A                             Atom
	B                             bool
	AKeyOfMoreBytesThanAPrefixHas string
	Binary                        int `etf:"bin,binary"`
	Inner                         []steppingTuple
	Short                         int8
}

type steppingTuple struct {
	_ struct{} `etf:"tuple_tag,tuple"`
	A Atom
	N []int
	T []string
	P *steppingTuple
}

// A program writes what the same values written one by one make, whatever room
// there is in dst, and with a cache or without.
func TestProgramWritesWhatTermsDo(t *testing.T) {
	for _, n := range []int64{0, 255, 256, -1, math.MaxInt32, math.MinInt32, math.MaxInt32 + 1, math.MinInt32 - 1, 1 << 40, math.MaxInt64, math.MinInt64} {
		inner := steppingTuple{A: "äö", N: []int{int(n), 256}, T: []string{"", "text"}}
		v := stepping{I: n, U: uint64(n), F: float64(n) / 3, S: "s", A: "atom", B: n > 0,
			AKeyOfMoreBytesThanAPrefixHas: "x", Binary: 7, Inner: []steppingTuple{inner, {P: &inner}}, Short: -3}
		tuple := func(p Term, s steppingTuple) Term {
			l, texts := List(nil), List(nil)
			for _, i := range s.N {
				l = append(l, int64(i))
			}
			for _, s := range s.T {
				texts = append(texts, []byte(s))
			}
			return Tuple{Atom("tuple_tag"), s.A, l, texts, p}
		}
		same := Map{
			{Atom("__struct__"), Atom("Elixir.Some.Module.OfALongName")},
			{Atom("i"), n}, {Atom("u"), uint64(n)}, {Atom("f"), v.F}, {Atom("s"), []byte("s")}, {Atom("a"), Atom("atom")},
			{Atom("b"), n > 0}, {Atom("a_key_of_more_bytes_than_a_prefix_has"), []byte("x")}, {[]byte("bin"), int64(7)},
			{Atom("inner"), List{tuple(Atom("nil"), inner), tuple(tuple(Atom("nil"), inner), steppingTuple{})}},
			{Atom("short"), int64(-3)},
		}
		for _, cache := range []AtomCache{nil, tableCache{"i": 0, "__struct__": 1, "tuple_tag": 2, "true": 3, "äö": 4}} {
			e := Encoder{Cache: cache}
			want, err := e.Append(nil, List{same, same, same})
			if err != nil {
				t.Fatal(err)
			}
			for room := range len(want) + 80 {
				got, err := e.Append(make([]byte, 0, room), []stepping{v, v, v})
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("with room for %d:\n%v, %v\nwant\n%v", room, got, err, want)
				}
			}
		}
	}
}
