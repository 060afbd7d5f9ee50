package etf

import (
	"reflect"
	"testing"
)

type onePointer struct{ P *int }

// What plans rely on: where an interface has its value, for every sort of type.
func TestPlaces(t *testing.T) {
	n := 7
	for _, tt := range []struct {
		v      any
		direct bool
	}{
		{7, false}, {"x", false}, {[]int{1}, false}, {reading{N: 1}, false}, {struct{}{}, false},
		{&n, true}, {map[int]int{}, true}, {onePointer{&n}, true}, {[1]*int{&n}, true}, {[2]*int{&n}, false},
	} {
		if got := isDirect(reflect.TypeOf(tt.v)); got != tt.direct {
			t.Errorf("%T: direct is %v", tt.v, got)
		}
		if tt.direct {
			continue
		}
		if got := dataWord(tt.v).value(reflect.TypeOf(tt.v)).Interface(); !reflect.DeepEqual(got, tt.v) {
			t.Errorf("%T: %v lies where %v should", tt.v, got, tt.v)
		}
	}
	if got := *at[int](dataWord(&n)); got != 7 {
		t.Errorf("behind a pointer lies %d", got)
	}
}

// Values that are pointers themselves, in an interface.
func TestMarshalDirectValues(t *testing.T) {
	n := 7
	for _, tt := range []struct {
		v    any
		want Term
	}{
		{onePointer{&n}, Map{{Atom("p"), int64(7)}}},
		{onePointer{}, Map{{Atom("p"), Atom("nil")}}},
		{[1]*int{&n}, List{int64(7)}},
		{map[int]bool{1: true}, Map{{int64(1), Atom("true")}}},
		{(*reading)(nil), Atom("nil")},
	} {
		b, err := Marshal(tt.v)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(b); err != nil || !Equal(got, tt.want) {
			t.Errorf("%T: %v, %v, want %v", tt.v, got, err, tt.want)
		}
	}
}

// counter changes itself when it is encoded.
type counter struct{ N int }

func (c *counter) MarshalTerm() (Term, error) {
	c.N++
	return int64(c.N), nil
}

// A method may write to what it is called for, but never to the value in an
// interface, which Go may share.
func TestMarshalLeavesInterfacesAlone(t *testing.T) {
	for _, v := range []any{counter{}, [1]counter{}, struct{ C counter }{}} {
		before := reflect.ValueOf(v).Interface()
		if _, err := Marshal(v); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(v, before) || !reflect.ValueOf(v).IsZero() {
			t.Errorf("%T was changed to %v", v, v)
		}
	}
}

// Arrays in a Go map are copies, which a Splice must not refer to.
func TestNoSpliceOfArrays(t *testing.T) {
	e := Encoder{SpliceMin: 4}
	if _, err := e.Append(nil, map[int][8]byte{1: {1}, 2: {2}}); err != nil || len(e.Splices) > 0 {
		t.Errorf("%d splices, %v", len(e.Splices), err)
	}
}
