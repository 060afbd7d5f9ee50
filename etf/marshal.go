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

// appendReflect writes the Go values that are no canonical Term.
func appendReflect(e *Encoder, dst []byte, v any) ([]byte, error) {
	rv := reflect.ValueOf(v)
	return planOf(rv.Type()).encode(e, dst, rv)
}

func encodeBool(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	return e.AppendAtom(dst, boolAtom(v.Bool()))
}

func encodeInt(_ *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	return appendInt(dst, v.Int()), nil
}

func encodeUint(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	return e.AppendUint(dst, v.Uint()), nil
}

func encodeFloat(_ *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	return appendFloat(dst, v.Float())
}

func encodeString(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	return e.appendText(dst, v.String())
}

func encodeAtomString(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	return e.AppendAtom(dst, Atom(v.String()))
}

func encodeCharlist(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	return e.appendCharlist(dst, Charlist(v.String()))
}

// encodeBytes writes a slice or an array of bytes as a binary.
func encodeBytes(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	if v.Kind() == reflect.Slice || v.CanAddr() {
		return e.appendBinary(dst, v.Bytes())
	}
	dst, err := appendBinaryHeader(dst, v.Len())
	for i := range v.Len() {
		dst = append(dst, byte(v.Index(i).Uint()))
	}
	return dst, err
}

func encodeInterface(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	if v.IsNil() {
		return e.AppendAtom(dst, "nil")
	}
	return e.append(dst, v.Elem().Interface())
}

// encodeDynamic writes a value of a type that Encoder.append knows.
func encodeDynamic(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	return e.append(dst, v.Interface())
}

// encodePid and encodeRef take the value apart because v.Interface would allocate.
func encodePid(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	return e.AppendPid(dst, Pid{
		Node: Atom(v.Field(0).String()), ID: uint32(v.Field(1).Uint()),
		Serial: uint32(v.Field(2).Uint()), Creation: uint32(v.Field(3).Uint()),
	})
}

func encodeRef(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	r := Ref{Node: Atom(v.Field(0).String()), Creation: uint32(v.Field(1).Uint()), Len: uint8(v.Field(2).Uint())}
	words := v.Field(3)
	for i := range r.Words {
		r.Words[i] = uint32(words.Index(i).Uint())
	}
	return e.AppendRef(dst, r)
}

func encodeBigInt(_ *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	if v.CanAddr() {
		return appendBig(dst, v.Addr().Interface().(*big.Int))
	}
	n := v.Interface().(big.Int)
	return appendBig(dst, &n)
}

func encodeMarshaler(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return e.AppendAtom(dst, "nil")
	}
	return appendMarshaler(e, dst, v.Interface().(TermMarshaler))
}

// encodePointerMarshaler calls a method of *T for a T.
func encodePointerMarshaler(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	if !v.CanAddr() {
		copied := reflect.New(v.Type()).Elem()
		copied.Set(v)
		v = copied
	}
	return appendMarshaler(e, dst, v.Addr().Interface().(TermMarshaler))
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
