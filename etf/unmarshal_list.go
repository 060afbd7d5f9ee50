package etf

import (
	"fmt"
	"reflect"
)

// eachElement reads a proper list, calling some for n elements at a time, the first of
// which has the index i: it reads them from d2, which is d or, for lists of bytes, a
// decoder of its own.
func (d *Decoder) eachElement(t reflect.Type, room func(n int), some func(d2 *Decoder, i, n int) error) error {
	if d.Kind() != KindList {
		return d.cannot(t, ErrKind)
	}
	if err := d.enter(d.off); err != nil {
		return err
	}
	for i := 0; ; {
		n, str, err := d.openList()
		if err != nil {
			return err
		}
		room(n)
		if str != nil {
			if err := eachByte(str, i, some); err != nil {
				return err
			}
		}
		if n == 0 || str != nil {
			break
		}
		if err := some(d, i, n); err != nil {
			return err
		}
		i += n
		if d.Kind() != KindList {
			return within(d.misfit(t, ErrKind, "the list is improper"), "[…|tail]")
		}
	}
	d.leave()
	return nil
}

// oneByOne makes some of what reads one element.
func oneByOne(one func(d2 *Decoder, i int) error) (some func(d2 *Decoder, i, n int) error) {
	return func(d2 *Decoder, i, n int) error {
		for end := i + n; i < end; i++ {
			if err := one(d2, i); err != nil {
				return within(err, fmt.Sprintf("[%d]", i))
			}
		}
		return nil
	}
}

// eachByte passes a list of bytes on as the integers it stands for.
func eachByte(str []byte, i int, some func(d2 *Decoder, i, n int) error) error {
	var d Decoder
	buf := []byte{extSmallInteger, 0}
	for _, c := range str {
		buf[1] = c
		d.Reset(buf, nil)
		if err := some(&d, i, 1); err != nil {
			return err
		}
		i++
	}
	return nil
}

// decodeSlice replaces what the slice holds, using its array again where it has
// room, as encoding/json does; the old elements do not shine through.
func (p *plan) decodeSlice(d *Decoder, at place, elem *plan) error {
	if d.atNil() {
		at.setSlice(place{}, 0)
		return d.Skip()
	}
	if d.off < len(d.in) && d.in[d.off] == extNil && at.capacity() == 0 {
		at.valueOf(p).Set(reflect.MakeSlice(p.typ, 0, 0)) // as json: empty, not nil
	}
	at.lengthen(0)
	if elem.integer && d.off < len(d.in) && d.in[d.off] == extString {
		return decodeSmallIntegers(d, at.valueOf(p))
	}
	size := int(elem.typ.Size())
	used := at.capacity() // what lies before may hold old elements
	room := func(n int) {
		// Elements may be large and yet of one byte each on the wire, so what is
		// allocated before they are seen is bounded by the input that is left.
		rest := len(d.Rest())
		n = min(n, 16+8*rest/max(size, 1))
		if n > 0 && at.capacity() == 0 {
			if first, ok := d.slabs.arrays.some(p, n, size, rest); ok {
				at.setSlice(first, n)
				return
			}
		}
		at.valueOf(p).Grow(n)
	}
	return d.eachElement(p.typ, room, func(d2 *Decoder, i, n int) error {
		for end := i + n; i < end; i++ {
			if !at.lengthen(i + 1) {
				at.valueOf(p).Grow(1)
				at.lengthen(i + 1)
			}
			first, _ := at.slice()
			one := first.elem(i, uintptr(size))
			if i < used {
				one.valueOf(elem).SetZero()
			}
			if elem.short(d2, one) {
				continue
			}
			if err := elem.decode(d2, one); err != nil {
				return within(err, fmt.Sprintf("[%d]", i))
			}
		}
		return nil
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
	v, start, n := at.valueOf(p), d.off, 0
	err := d.eachElement(v.Type(), func(int) {}, oneByOne(func(d2 *Decoder, i int) error {
		n++
		if i >= v.Len() {
			return d2.Skip()
		}
		v.Index(i).SetZero()
		return elem.decode(d2, placeOf(v.Index(i)))
	}))
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
