package etf

import (
	"bytes"
	"math/big"
	"reflect"
)

func (p *plan) decodeBool(d *Decoder, v place) error {
	if in := d.in[d.off:]; bytes.HasPrefix(in, atomTrue) || bytes.HasPrefix(in, atomFalse) {
		*at[bool](v) = in[1] == 4
		d.off += 2 + int(in[1])
		d.took()
		return nil
	}
	n, size, err := d.peekName()
	if err != nil {
		return d.cannot(p.typ, err)
	}
	yes := n.is("true")
	if !yes && !n.is("false") {
		return d.misfit(p.typ, ErrKind, "")
	}
	*at[bool](v) = yes
	d.off += size
	d.took()
	return nil
}

func decodeInt[T int | int8 | int16 | int32 | int64](d *Decoder, p *plan, v *T) error {
	start := d.off
	i, err := d.Int()
	if err == nil && int64(T(i)) != i {
		d.off, err = start, ErrRange
	}
	if err != nil {
		return d.cannot(p.typ, err)
	}
	*v = T(i)
	return nil
}

func decodeUint[T uint | uint8 | uint16 | uint32 | uint64 | uintptr](d *Decoder, p *plan, v *T) error {
	start := d.off
	u, err := d.Uint()
	if err == nil && uint64(T(u)) != u {
		d.off, err = start, ErrRange
	}
	if err != nil {
		return d.cannot(p.typ, err)
	}
	*v = T(u)
	return nil
}

// decodeFloat takes floats, and integers that the Go type can hold exactly.
func (p *plan) decodeFloat(d *Decoder, v place) error {
	if (d.off >= len(d.in) || d.in[d.off] != extNewFloat) && d.Kind() == KindInt {
		return decodeFloatOfInt(d, v.valueOf(p))
	}
	start := d.off
	f, err := d.Float()
	switch {
	case err != nil:
		return d.cannot(p.typ, err)
	case p.typ.Kind() == reflect.Float64:
		*at[float64](v) = f
		return nil
	case v.valueOf(p).OverflowFloat(f):
		d.off = start
		return d.cannot(p.typ, ErrRange)
	}
	*at[float32](v) = float32(f)
	return nil
}

func decodeFloatOfInt(d *Decoder, v reflect.Value) error {
	at := d.off
	i, err := d.BigInt()
	if err != nil {
		return d.cannot(v.Type(), err)
	}
	f, exact := new(big.Float).SetInt(i).Float64()
	if v.Kind() == reflect.Float32 && float64(float32(f)) != f {
		exact = big.Below
	}
	if exact != big.Exact {
		d.off = at
		return d.misfit(v.Type(), ErrRange, "not exactly a float")
	}
	v.SetFloat(f)
	return nil
}

func (p *plan) decodeBigInt(d *Decoder, v place) error {
	i, err := d.BigInt()
	if err != nil {
		return d.cannot(p.typ, err)
	}
	at[big.Int](v).Set(i)
	return nil
}

func (p *plan) decodeAtomString(d *Decoder, v place) error {
	a, err := d.Atom()
	if err != nil {
		return d.cannot(p.typ, err)
	}
	*at[Atom](v) = a
	return nil
}

// decodeThe makes the decode of a type of this package out of its method.
func decodeThe[T any](p *plan, read func(*Decoder) (T, error)) func(*Decoder, place) error {
	return func(d *Decoder, v place) error {
		t, err := read(d)
		if err != nil {
			return d.cannot(p.typ, err)
		}
		*at[T](v) = t
		return nil
	}
}

// decodeDynamic reads into one of this package's types what Term makes of it.
func (p *plan) decodeDynamic(d *Decoder, v place) error {
	return d.assign(v.valueOf(p), "")
}

// decodeInterface reads into an interface the dynamic term, if its type has the
// interface's methods; or into what a pointer in it points at.
func (p *plan) decodeInterface(d *Decoder, at place) error {
	v := at.valueOf(p)
	if inner := v.Elem(); inner.Kind() == reflect.Pointer && !inner.IsNil() {
		if err := d.enter(d.off); err != nil { // it may point at this very interface
			return err
		}
		err := planOf(inner.Type().Elem()).decode(d, placeOf(inner.Elem()))
		d.leave()
		return err
	}
	return d.assign(v, "the term's own type lacks the interface's methods")
}

// assign puts the next term, as Term makes it, into v if Go allows that.
func (d *Decoder) assign(v reflect.Value, why string) error {
	at := d.off
	t, err := d.Term()
	if err != nil {
		return err
	}
	tv := reflect.ValueOf(t)
	if !tv.Type().AssignableTo(v.Type()) || tv.Type() != v.Type() && v.Kind() != reflect.Interface {
		d.off = at
		return d.misfit(v.Type(), ErrKind, "%s", why)
	}
	v.Set(tv)
	return nil
}

func (p *plan) decodeUnmarshaler(d *Decoder, v place) error {
	t, err := d.Term()
	if err != nil {
		return err
	}
	if err := v.valueOf(p).Addr().Interface().(TermUnmarshaler).UnmarshalTerm(t); err != nil {
		return &UnmarshalError{Type: p.typ, Why: err.Error(), Err: err}
	}
	return nil
}
