package etf

import (
	"bytes"
	"errors"
	"testing"
)

// FuzzUnmarshal: whatever comes, a struct of all sorts of fields takes it or
// refuses it with an error of this package; what it took can be written, and read
// again with the same result. (Fields of map type have one entry at most, or the
// two writings might differ.)
func FuzzUnmarshal(f *testing.F) {
	f.Add(external(f, fullText))
	f.Add(external(f, `#{next => #{dyn => {a}, pair => {"x", 5}, opts => [active, {mode, x}]}, raw => [1, <<2>>]}`))
	f.Add(external(f, `#{temp => {celsius, 1.5}, grid => [[1, 300], "ab"], key => [1, 2 | <<3>>], big => nil}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v everything
		if err := Unmarshal(b, &v); err != nil {
			var u *UnmarshalError
			var d *DecodeError
			if !errors.As(err, &u) && !errors.As(err, &d) {
				t.Fatalf("error %T: %v", err, err)
			}
			return
		}
		for e := &v; e != nil; e = e.Next {
			if len(e.Counts) > 1 || len(e.Points) > 1 || len(e.ByPid) > 1 || len(e.Nested) > 1 {
				return
			}
			if e.Temp < -273.15 || e.TempPtr != nil && *e.TempPtr < -273.15 {
				return // does not marshal, on purpose
			}
			if !validAtom(Atom(e.Kind)) {
				t.Fatalf("atom %q", e.Kind)
			}
		}
		enc := Encoder{Records: true}
		first, err := enc.Append([]byte{version}, &v)
		if errors.Is(err, ErrInvalid) {
			return // text read from a binary need not be UTF-8, which a charlist must
		} else if err != nil {
			t.Fatal(err)
		}
		var w everything
		if err := Unmarshal(first, &w); err != nil {
			t.Fatalf("%x: %v", first, err)
		}
		second, err := enc.Append([]byte{version}, &w)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%x became %x, %v", first, second, err)
		}
	})
}
