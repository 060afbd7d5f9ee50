package etf

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"testing"
)

// halved is read by a method of its own, and written like any float64.
type halved float64

func (h *halved) UnmarshalTerm(t Term) error {
	f, ok := t.(float64)
	if !ok {
		return errors.New("no float")
	}
	*h = halved(f / 2)
	return nil
}

func TestMethodsComeBeforeShortForms(t *testing.T) {
	type both struct {
		_   struct{} `etf:",tuple"`
		One halved
		Two []halved
	}
	b, err := Marshal(Tuple{1.0, List{2.0, 3.0}})
	if err != nil {
		t.Fatal(err)
	}
	var got both
	if err := Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if want := (both{One: 0.5, Two: []halved{1, 1.5}}); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Integers in every form, canonical or not, are the same in a field as alone.
func TestIntegerForms(t *testing.T) {
	type signed struct {
		_ struct{} `etf:",tuple"`
		N int64
	}
	type unsigned struct {
		_ struct{} `etf:",tuple"`
		N uint64
	}
	var forms [][]byte
	for _, n := range []byte{0, 1, 127, 128, 255} {
		forms = append(forms, []byte{extSmallInteger, n}, []byte{extInteger, n, 1, 2, n})
	}
	for n := range 10 {
		for _, sign := range []byte{0, 1, 2} {
			for _, digit := range []byte{0, 1, 0x7f, 0x80, 0xff} {
				form := append([]byte{extSmallBig, byte(n), sign}, bytes.Repeat([]byte{digit}, n)...)
				forms = append(forms, form)
				if n > 0 {
					zero := bytes.Clone(form)
					zero[len(zero)-1] = 0
					forms = append(forms, zero)
				}
			}
		}
	}
	for _, form := range forms {
		term, err := Decode(append([]byte{version}, form...))
		if err != nil {
			t.Fatal(err)
		}
		want, ok := new(big.Int).SetString(fmt.Sprint(term), 10)
		if !ok {
			t.Fatal(term)
		}
		b := append([]byte{version, extSmallTuple, 1}, form...)
		var s signed
		if err := Unmarshal(b, &s); want.IsInt64() != (err == nil) || err == nil && s.N != want.Int64() {
			t.Errorf("% x as int64: %v, %v, want %v", form, s.N, err, want)
		}
		var u unsigned
		if err := Unmarshal(b, &u); want.IsUint64() != (err == nil) || err == nil && u.N != want.Uint64() {
			t.Errorf("% x as uint64: %v, %v, want %v", form, u.N, err, want)
		}
		for end := range len(b) {
			if err := Unmarshal(b[:end], &s); err == nil {
				t.Errorf("% x cut off at %d passes", b, end)
			}
		}
		d := Decoder{Limits: Limits{Bytes: 3}}
		d.Reset(b[1:], nil)
		if err := d.Unmarshal(&s); form[0] == extSmallBig && form[1] > 3 && !errors.Is(err, ErrLimit) {
			t.Errorf("% x, longer than Limits.Bytes: %v", form, err)
		}
	}
}

// Strings, floats and atoms cut off anywhere, and floats that are none.
func TestShortFormsAreChecked(t *testing.T) {
	type all struct {
		_ struct{} `etf:",tuple"`
		S string
		F float64
		A Atom
	}
	atoms := []Term{Atom("first"), "no atom"}
	good := []byte{extSmallTuple, 3, extBinary, 0, 0, 0, 2, 'h', 'i', extNewFloat, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, extAtomCacheRef, 0}
	for _, copied := range []bool{false, true} {
		d := Decoder{Copy: copied}
		read := func(b []byte) (a all, err error) {
			d.Reset(b, atoms)
			return a, d.Unmarshal(&a)
		}
		if got, err := read(good); err != nil || got.S != "hi" || got.F != 1.5 || got.A != "first" {
			t.Errorf("%v, %v", got, err)
		}
		for end := range len(good) {
			if _, err := read(good[:end]); err == nil {
				t.Errorf("% x passes", good[:end])
			}
		}
		for at, c := range map[int]byte{6: 3, 3: 0xff, 10: 0x7f, len(good) - 1: 1} {
			bad := bytes.Clone(good)
			bad[at] = c
			if c == 0x7f {
				bad[at+1] = 0xff // NaN
			}
			if _, err := read(bad); err == nil {
				t.Errorf("% x passes", bad)
			}
		}
	}
}
