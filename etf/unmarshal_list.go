package etf

import (
	"fmt"
	"reflect"
)

// eachElement reads a proper list, calling one for each element with its index:
// one reads it from d2, which is d or, for lists of bytes, a decoder of its own.
func (d *Decoder) eachElement(t reflect.Type, room func(n int), one func(d2 *Decoder, i int) error) error {
	if d.Kind() != KindList {
		return d.cannot(t, ErrKind)
	}
	if err := d.enter(d.off); err != nil {
		return err
	}
	for i := 0; ; {
		if d.Kind() != KindList { // in a later round
			return within(d.misfit(t, ErrKind, "the list is improper"), "[…|tail]")
		}
		n, str, err := d.List()
		if err != nil {
			return err
		}
		room(n)
		if str != nil {
			if err := eachByte(str, i, one); err != nil {
				return err
			}
		}
		if n == 0 || str != nil {
			break
		}
		for range n {
			if err := one(d, i); err != nil {
				return within(err, fmt.Sprintf("[%d]", i))
			}
			i++
		}
	}
	d.leave()
	return nil
}

// eachByte passes a list of bytes on as the integers it stands for.
func eachByte(str []byte, i int, one func(d2 *Decoder, i int) error) error {
	var d Decoder
	buf := []byte{extSmallInteger, 0}
	for _, c := range str {
		buf[1] = c
		d.Reset(buf, nil)
		if err := one(&d, i); err != nil {
			return within(err, fmt.Sprintf("[%d]", i))
		}
		i++
	}
	return nil
}

// decodeSlice replaces what the slice holds, using its array again where it has
// room, as encoding/json does; the old elements do not shine through.
func (p *plan) decodeSlice(d *Decoder, at place, elem *plan) error {
	v := at.value(p.typ)
	if d.atNil() {
		v.SetZero()
		return d.Skip()
	}
	if d.off < len(d.in) && d.in[d.off] == extNil && v.IsNil() {
		v.Set(reflect.MakeSlice(p.typ, 0, 0)) // as json: empty, not nil
	}
	v.SetLen(0)
	if elem.integer && d.off < len(d.in) && d.in[d.off] == extString {
		return decodeSmallIntegers(d, v)
	}
	size := elem.typ.Size()
	used := v.Cap() // what lies before may hold old elements
	// Elements may be large and yet of one byte each on the wire, so what is
	// allocated before they are seen is bounded by the input that is left.
	room := func(n int) { v.Grow(min(n, 16+8*len(d.Rest())/max(int(size), 1))) }
	return d.eachElement(p.typ, room, func(d2 *Decoder, i int) error {
		if !at.lengthen(i + 1) {
			v.Grow(1)
			at.lengthen(i + 1)
		}
		first, _ := at.slice()
		one := first.elem(i, size)
		if i < used {
			one.value(elem.typ).SetZero()
		}
		if elem.short(d2, one) {
			return nil
		}
		return elem.decode(d2, one)
	})
}

// decodeSmallIntegers reads a list of bytes into a slice of integers of any kind.
func decodeSmallIntegers(d *Decoder, v reflect.Value) error {
	_, str, err := d.List()
	if err != nil {
		return err
	}
	v.Grow(len(str))
	v.SetLen(len(str))
	for i, c := range str {
		switch elem := v.Index(i); {
		case elem.CanUint():
			elem.SetUint(uint64(c))
		case elem.OverflowInt(int64(c)):
			return within(&UnmarshalError{
				Term: fmt.Sprintf("integer %d", c), Type: elem.Type(), Why: "out of range", Err: ErrRange,
			}, fmt.Sprintf("[%d]", i))
		default:
			elem.SetInt(int64(c))
		}
	}
	return nil
}

// decodeArray wants exactly as many elements as the array has.
func (p *plan) decodeArray(d *Decoder, at place, elem *plan) error {
	v, start, n := at.value(p.typ), d.off, 0
	err := d.eachElement(v.Type(), func(int) {}, func(d2 *Decoder, i int) error {
		n++
		if i >= v.Len() {
			return d2.Skip()
		}
		v.Index(i).SetZero()
		return elem.decode(d2, placeOf(v.Index(i)))
	})
	if err == nil && n != v.Len() {
		d.off = start
		return d.misfit(v.Type(), ErrKind, "%d elements", n)
	}
	return err
}

// decodeMap adds to the Go map, as encoding/json does.
func decodeMap(d *Decoder, v reflect.Value, key, value *plan) error {
	if d.atNil() {
		v.SetZero()
		return d.Skip()
	}
	if err := d.enter(d.off); err != nil {
		return err
	}
	at := d.off
	n, err := d.Map()
	if err != nil {
		return d.cannot(v.Type(), err)
	}
	had := v.Len()
	if v.IsNil() {
		size := max(int(key.typ.Size()+value.typ.Size()), 1)
		v.Set(reflect.MakeMapWithSize(v.Type(), min(n, 16+8*len(d.Rest())/size)))
	}
	k, val := reflect.New(key.typ).Elem(), reflect.New(value.typ).Elem()
	for range n {
		keyAt := d.off
		k.SetZero()
		if err := key.decode(d, placeOf(k)); err != nil {
			return within(err, ".(key)")
		}
		if !k.Comparable() {
			d.off = keyAt
			return d.misfit(key.typ, ErrKind, "Go cannot use it as a key")
		}
		val.SetZero()
		if err := value.decode(d, placeOf(val)); err != nil {
			return within(err, "["+d.keyText(keyAt)+"]")
		}
		v.SetMapIndex(k, val)
	}
	if had == 0 && v.Len() != n {
		d.off = at
		return d.misfit(v.Type(), ErrInvalid, "two keys are equal")
	}
	d.leave()
	return nil
}

// keyText returns the term at an offset as text for a path.
func (d *Decoder) keyText(at int) string {
	d.off = at
	t, err := d.Term()
	if err != nil {
		return "?"
	}
	return clip(Format(t))
}
