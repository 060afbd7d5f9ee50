package etf

import (
	"reflect"
	"unicode/utf8"
)

// decodeText reads into a string what Erlang takes for text: a binary, a charlist,
// or chardata, which is a list of code points, binaries and such lists.
func (p *plan) decodeText(d *Decoder, v place) error {
	switch d.Kind() {
	case KindBinary:
		b, err := d.Binary()
		if err != nil {
			return err
		}
		*at[string](v) = d.text(b)
		return nil
	case KindList:
		b, err := d.charData(nil, p.typ, appendCodePoint)
		if err != nil {
			return err
		}
		*at[string](v) = string(b)
		return nil
	}
	return d.cannot(p.typ, ErrKind)
}

// text makes a string of a binary. In a long input the short ones share slabs.
func (d *Decoder) text(b []byte) string {
	switch {
	case d.Copy: // then it is one already
		return textOf(b)
	case len(d.in) < sharedText || len(b) == 0:
		return string(b)
	}
	return textOf(d.slabs.clone(b, len(d.in)))
}

// sharedText is the length of an input from which on the strings of one term
// share allocations: those of a short message are exactly as long as they are.
const sharedText = 1 << 10

// decodeBytes reads into []byte or [N]byte a binary, or iodata: a list of bytes,
// binaries and such lists. A binary read into a slice aliases the input.
func (p *plan) decodeBytes(d *Decoder, at place) error {
	return decodeBytes(d, at.valueOf(p))
}

func decodeBytes(d *Decoder, v reflect.Value) error {
	if v.Kind() == reflect.Slice && d.atNil() {
		v.SetZero()
		return d.Skip()
	}
	at := d.off
	var b []byte
	var err error
	switch d.Kind() {
	case KindBinary:
		b, err = d.Binary()
	case KindList:
		b, err = d.charData([]byte{}, v.Type(), appendRawByte)
	default:
		return d.cannot(v.Type(), ErrKind)
	}
	if err != nil {
		return err
	}
	if v.Kind() == reflect.Slice {
		v.SetBytes(b)
		return nil
	}
	if len(b) != v.Len() {
		d.off = at
		return d.misfit(v.Type(), ErrKind, "%d bytes", len(b))
	}
	reflect.Copy(v, reflect.ValueOf(b))
	return nil
}

// appendCodePoint and appendRawByte say what an integer in text is, or refuse it.
func appendCodePoint(b []byte, i int64) ([]byte, bool) {
	if i < 0 || i > utf8.MaxRune || !utf8.ValidRune(rune(i)) {
		return b, false
	}
	return utf8.AppendRune(b, rune(i)), true
}

func appendRawByte(b []byte, i int64) ([]byte, bool) {
	return append(b, byte(i)), i >= 0 && i <= 0xff
}

// charData reads a list of integers, binaries and such lists, the last tail of
// which may be a binary, and appends all of it to b.
func (d *Decoder) charData(b []byte, t reflect.Type, add func([]byte, int64) ([]byte, bool)) ([]byte, error) {
	if err := d.enter(d.off); err != nil {
		return nil, err
	}
	for {
		n, str, err := d.List()
		if err != nil {
			return nil, err
		}
		for _, c := range str {
			b, _ = add(b, int64(c))
		}
		if n == 0 || str != nil {
			break
		}
		for range n {
			if b, err = d.charDatum(b, t, add); err != nil {
				return nil, err
			}
		}
		if d.Kind() != KindList {
			if d.Kind() != KindBinary {
				return nil, within(d.misfit(t, ErrKind, "not text"), "[…|tail]")
			}
			if b, err = d.charDatum(b, t, add); err != nil {
				return nil, err
			}
			break
		}
	}
	d.leave()
	return b, nil
}

func (d *Decoder) charDatum(b []byte, t reflect.Type, add func([]byte, int64) ([]byte, bool)) ([]byte, error) {
	switch d.Kind() {
	case KindInt:
		at := d.off
		i, err := d.Int()
		if err != nil {
			return nil, d.cannot(t, err)
		}
		b, ok := add(b, i)
		if !ok {
			d.off = at
			return nil, d.misfit(t, ErrRange, "no character")
		}
		return b, nil
	case KindBinary:
		bin, err := d.Binary()
		return append(b, bin...), err
	case KindList:
		return d.charData(b, t, add)
	}
	return nil, d.misfit(t, ErrKind, "not text")
}
