package etf

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

// Whatever maps come before a map, it is written as if it were alone.
func TestAlikeMaps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	keys := []Term{Atom("id"), Atom("name"), Atom("é"), Atom("a_key_of_more_bytes_than_are_kept"), Atom(""), int64(1), []byte("id")}
	var random func(depth int) Map
	random = func(depth int) Map {
		var m Map
		for _, k := range r.Perm(len(keys))[:r.IntN(4)+1] {
			e := MapEntry{keys[k], int64(r.IntN(300))}
			if depth > 0 && r.IntN(3) == 0 {
				e.Value = random(depth - 1)
			}
			m = append(m, e)
		}
		return m
	}
	for _, cache := range []AtomCache{nil, tableCache{"id": 0, "é": 1}} {
		many, alone := Encoder{Cache: cache}, Encoder{Cache: cache}
		for range 300 {
			var l List
			want := []byte{extList, 0, 0, 0, 0}
			for range 20 {
				m := random(3)
				if len(l) > 0 && r.IntN(2) == 0 {
					m = l[len(l)-1].(Map) // again: this is what is remembered
				}
				l = append(l, m)
				want[4]++
				var each []byte
				for _, e := range m {
					each, _ = alone.Append(each, e.Key)
					each, _ = alone.Append(each, e.Value)
				}
				want = append(append(want, extMap, 0, 0, 0, byte(len(m))), each...)
			}
			want = append(want, extNil)
			got, err := many.Append(nil, l)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%v\nis written as\n%v, %v\nwant\n%v", l, got, err, want)
			}
		}
	}
}

// An equal key is found after maps that were alike, also when a map inside a value
// is what was remembered last.
func TestAlikeMapsWithEqualKeys(t *testing.T) {
	pair := func(a, b Atom, v Term) Map { return Map{{a, v}, {b, int64(2)}} }
	good := pair("aa", "bb", int64(1))
	for i, bad := range []Map{
		pair("aa", "aa", int64(1)),
		pair("bb", "bb", int64(1)),
		pair("aa", "aa", pair("bb", "aa", int64(1))),
		pair("aa", "aa", List{pair("bb", "aa", int64(1)), pair("bb", "aa", int64(1))}),
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			var e Encoder
			for range 2 { // a failure leaves nothing behind
				if _, err := e.Append(nil, List{good, good, good, bad}); !errors.Is(err, ErrInvalid) {
					t.Errorf("equal keys: %v, want ErrInvalid", err)
				}
				if _, err := e.Append(nil, List{good, good, good}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// What a cache answers holds for one term only.
func TestAlikeMapsForgetTheCache(t *testing.T) {
	l := List{Map{{Atom("aa"), int64(1)}, {Atom("bb"), int64(2)}}, Map{{Atom("aa"), int64(1)}, {Atom("bb"), int64(2)}}}
	l = append(l, l...)
	e := Encoder{Cache: tableCache{"aa": 0, "bb": 1}}
	if _, err := e.Append(nil, l); err != nil {
		t.Fatal(err)
	}
	e.Cache = tableCache{"aa": 7, "bb": 8}
	got, err := e.Append(nil, l)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(got, []byte{extAtomCacheRef, 7}); n != 4 {
		t.Errorf("the new reference is written %d times, want 4: %v", n, got)
	}
}

// A method that uses the encoder it is called by makes it forget, too.
func TestAlikeMapsAroundAnAppend(t *testing.T) {
	var e Encoder
	pair := func(b Atom, v Term) Map { return Map{{Atom("aa"), v}, {b, int64(2)}} }
	good := pair("bb", int64(1))
	got, err := e.Append(nil, List{good, good, good, pair("", appending{&e})})
	if err != nil {
		t.Fatal(err)
	}
	want, err := new(Encoder).Append(nil, List{good, good, good, pair("", int64(1))})
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v, %v\nwant\n%v", got, err, want)
	}
}

type appending struct{ e *Encoder }

func (a appending) MarshalTerm() (Term, error) {
	_, err := a.e.Append(nil, Atom("other"))
	return int64(1), err
}
