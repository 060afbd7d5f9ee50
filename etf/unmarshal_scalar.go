package etf

import (
	"math/big"
	"reflect"
)

func decodeBool(d *Decoder, v reflect.Value) error {
	n, size, err := d.peekName()
	switch {
	case err != nil:
		return d.cannot(v.Type(), err)
	case !n.is("true") && !n.is("false"):
		return d.misfit(v.Type(), ErrKind, "")
	}
	v.SetBool(n.is("true"))
	d.off += size
	d.took()
	return nil
}

func decodeInt(d *Decoder, v reflect.Value) error {
	at := d.off
	i, err := d.Int()
	if err == nil && v.OverflowInt(i) {
		d.off, err = at, ErrRange
	}
	if err != nil {
		return d.cannot(v.Type(), err)
	}
	v.SetInt(i)
	return nil
}

func decodeUint(d *Decoder, v reflect.Value) error {
	at := d.off
	u, err := d.Uint()
	if err == nil && v.OverflowUint(u) {
		d.off, err = at, ErrRange
	}
	if err != nil {
		return d.cannot(v.Type(), err)
	}
	v.SetUint(u)
	return nil
}

// decodeFloat takes floats, and integers that the Go type can hold exactly.
func decodeFloat(d *Decoder, v reflect.Value) error {
	if d.Kind() == KindInt {
		return decodeFloatOfInt(d, v)
	}
	at := d.off
	f, err := d.Float()
	if err == nil && v.OverflowFloat(f) {
		d.off, err = at, ErrRange
	}
	if err != nil {
		return d.cannot(v.Type(), err)
	}
	v.SetFloat(f)
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

func decodeBigInt(d *Decoder, v reflect.Value) error {
	i, err := d.BigInt()
	if err != nil {
		return d.cannot(v.Type(), err)
	}
	v.Addr().Interface().(*big.Int).Set(i)
	return nil
}

func decodeAtomString(d *Decoder, v reflect.Value) error {
	a, err := d.Atom()
	if err != nil {
		return d.cannot(v.Type(), err)
	}
	v.SetString(string(a))
	return nil
}

func decodePid(d *Decoder, v reflect.Value) error {
	p, err := d.Pid()
	if err != nil {
		return d.cannot(v.Type(), err)
	}
	*v.Addr().Interface().(*Pid) = p
	return nil
}

func decodeRef(d *Decoder, v reflect.Value) error {
	r, err := d.Ref()
	if err != nil {
		return d.cannot(v.Type(), err)
	}
	*v.Addr().Interface().(*Ref) = r
	return nil
}

// decodeDynamic reads into one of this package's types what Term makes of it.
func decodeDynamic(d *Decoder, v reflect.Value) error {
	return d.assign(v, "")
}

// decodeInterface reads into an interface the dynamic term, if its type has the
// interface's methods; or into what a pointer in it points at.
func decodeInterface(d *Decoder, v reflect.Value) error {
	if inner := v.Elem(); inner.Kind() == reflect.Pointer && !inner.IsNil() {
		if err := d.enter(d.off); err != nil { // it may point at this very interface
			return err
		}
		err := planOf(inner.Type().Elem()).decode(d, inner.Elem())
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

func decodeUnmarshaler(d *Decoder, v reflect.Value) error {
	t, err := d.Term()
	if err != nil {
		return err
	}
	if err := v.Addr().Interface().(TermUnmarshaler).UnmarshalTerm(t); err != nil {
		return &UnmarshalError{Type: v.Type(), Why: err.Error(), Err: err}
	}
	return nil
}
