package etf

import (
	"bytes"
	"testing"
)

// TestCopy: with Copy nothing decoded changes when the input does.
func TestCopy(t *testing.T) {
	want := List{[]byte("a"), bytes.Repeat([]byte("b"), 500), Bitstring{Bytes: []byte{0xa0}, Bits: 3}, Tuple{[]byte("c"), []byte{}}}
	var e Encoder
	in, err := e.Append(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	d := Decoder{Copy: true}
	d.Reset(in, nil)
	got, err := d.Term()
	if err != nil {
		t.Fatal(err)
	}
	var typed struct {
		_ struct{} `etf:",tuple"`
		B []byte
	}
	in2, err := e.Append(nil, Tuple{[]byte("kept")})
	if err != nil {
		t.Fatal(err)
	}
	d.Reset(in2, nil)
	if err := d.Unmarshal(&typed); err != nil {
		t.Fatal(err)
	}
	clear(in)
	clear(in2)
	if !Equal(got, want) || string(typed.B) != "kept" {
		t.Errorf("after the input was overwritten: %v, %q", got, typed.B)
	}
}
