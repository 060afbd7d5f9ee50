package etf

import (
	"math/big"
	"reflect"
)

// TermMarshaler is a type that says itself what term it is. A nil pointer is the
// atom nil, without being asked.
type TermMarshaler interface {
	MarshalTerm() (Term, error)
}

// appendPlanned writes the Go values that are no canonical Term.
func (e *Encoder) appendPlanned(dst []byte, v any) ([]byte, error) {
	p := planIn(v)
	switch {
	case !p.direct && !p.copied:
		return p.encode(e, dst, dataWord(v))
	case p.elem != nil && !p.methods:
		return p.elem.encodePointee(e, dst, dataWord(v), p.elem.typ.Kind() == reflect.Interface)
	}
	copied := reflect.New(p.typ)
	copied.Elem().Set(reflect.ValueOf(v))
	return p.encode(e, dst, placeOf(copied.Elem()))
}

func encodeBool(e *Encoder, dst []byte, v place) ([]byte, error) {
	return e.AppendAtom(dst, boolAtom(*at[bool](v)))
}

func encodeInt[T int | int8 | int16 | int32 | int64](_ *Encoder, dst []byte, v place) ([]byte, error) {
	return appendInt(dst, int64(*at[T](v))), nil
}

func encodeUint[T uint | uint8 | uint16 | uint32 | uint64 | uintptr](e *Encoder, dst []byte, v place) ([]byte, error) {
	return e.AppendUint(dst, uint64(*at[T](v))), nil
}

func encodeFloat[T float32 | float64](_ *Encoder, dst []byte, v place) ([]byte, error) {
	return appendFloat(dst, float64(*at[T](v)))
}

func encodeString(e *Encoder, dst []byte, v place) ([]byte, error) {
	return e.appendText(dst, *at[string](v))
}

func encodeAtomString(e *Encoder, dst []byte, v place) ([]byte, error) {
	return e.AppendAtom(dst, *at[Atom](v))
}

func encodeCharlist(e *Encoder, dst []byte, v place) ([]byte, error) {
	return e.appendCharlist(dst, *at[Charlist](v))
}

// encodeBytes writes a slice or an array of bytes as a binary.
func (p *plan) encodeBytes(e *Encoder, dst []byte, v place) ([]byte, error) {
	if p.typ.Kind() == reflect.Slice {
		return e.appendBinary(dst, *at[[]byte](v))
	}
	dst, err := appendBinaryHeader(dst, p.typ.Len())
	if err != nil {
		return dst, err
	}
	return append(dst, v.valueOf(p).Bytes()...), nil // an array may be a copy: no splice
}

func (p *plan) encodeInterface(e *Encoder, dst []byte, v place) ([]byte, error) {
	inner := v.valueOf(p)
	if inner.IsNil() {
		return e.AppendAtom(dst, "nil")
	}
	return e.append(dst, inner.Elem().Interface())
}

// encodeThe makes the encode of a type of this package out of its method.
func encodeThe[T any](append func(*Encoder, []byte, T) ([]byte, error)) func(*Encoder, []byte, place) ([]byte, error) {
	return func(e *Encoder, dst []byte, v place) ([]byte, error) { return append(e, dst, *at[T](v)) }
}

func encodeBigInt(_ *Encoder, dst []byte, v place) ([]byte, error) {
	return appendBig(dst, at[big.Int](v))
}

func (p *plan) encodeMarshaler(e *Encoder, dst []byte, v place) ([]byte, error) {
	if p.typ.Kind() == reflect.Pointer && v.pointee().isNil() {
		return e.AppendAtom(dst, "nil")
	}
	return appendMarshaler(e, dst, v.valueOf(p).Interface().(TermMarshaler))
}

// encodePointerMarshaler calls a method of *T for a T.
func (p *plan) encodePointerMarshaler(e *Encoder, dst []byte, v place) ([]byte, error) {
	return appendMarshaler(e, dst, v.valueOf(p).Addr().Interface().(TermMarshaler))
}

func appendMarshaler(e *Encoder, dst []byte, m TermMarshaler) ([]byte, error) {
	t, err := m.MarshalTerm()
	if err != nil {
		return dst, err
	}
	if err := e.enter(); err != nil { // it may have returned itself
		return dst, err
	}
	dst, err = e.append(dst, t)
	e.leave()
	return dst, err
}
