package etf

import (
	"encoding/binary"
	"reflect"
)

// structKey is the key under which an Elixir struct has its module.
const structKey = "__struct__"

// encodeMap writes the struct as a map, its fields in the order of the Go type.
func (s *structPlan) encodeMap(e *Encoder, dst []byte, v place) ([]byte, error) {
	if err := e.enter(); err != nil {
		return dst, err
	}
	dst = append(dst, extMap, 0, 0, 0, 0)
	count, n := len(dst)-4, 0
	var err error
	if s.shape == shapeStruct {
		if dst, err = e.AppendAtom(dst, structKey); err != nil {
			return dst, err
		}
		if dst, err = s.encodeTag(e, dst); err != nil {
			return dst, err
		}
		n++
	}
	for i := range s.fields {
		f := &s.fields[i]
		fv, ok := v.field(f.offset), true
		if f.far {
			fv, ok = s.get(f, v)
		}
		if !ok || f.omitEmpty && isEmpty(fv.valueOf(f.plan)) {
			continue
		}
		if dst, err = f.encode(e, dst, fv); err != nil {
			return dst, err
		}
		n++
	}
	binary.BigEndian.PutUint32(dst[count:], uint32(n))
	e.leave()
	return dst, nil
}

// encodeProplist writes the struct as a list of pairs.
func (s *structPlan) encodeProplist(e *Encoder, dst []byte, v place) ([]byte, error) {
	if err := e.enter(); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = append(dst, extList, 0, 0, 0, 0)
	n := 0
	for i := range s.fields {
		f := &s.fields[i]
		fv, ok := v.field(f.offset), true
		if f.far {
			fv, ok = s.get(f, v)
		}
		if !ok || f.omitEmpty && isEmpty(fv.valueOf(f.plan)) {
			continue
		}
		var err error
		if dst, err = f.encode(e, e.AppendTuple(dst, 2), fv); err != nil {
			return dst, err
		}
		n++
	}
	e.leave()
	if n == 0 {
		return append(dst[:start], extNil), nil
	}
	binary.BigEndian.PutUint32(dst[start+1:], uint32(n))
	return append(dst, extNil), nil
}

// encodeTuple writes the struct as a tuple.
func (s *structPlan) encodeTuple(e *Encoder, dst []byte, v place) ([]byte, error) {
	if err := e.enter(); err != nil {
		return dst, err
	}
	dst = e.AppendTuple(dst, s.arity())
	var err error
	if s.tag != "" {
		if dst, err = s.encodeTag(e, dst); err != nil {
			return dst, err
		}
	}
	for i := range s.fields {
		f := &s.fields[i]
		fv, ok := v.field(f.offset), true
		if f.far {
			fv, ok = s.get(f, v)
		}
		if !ok {
			return refuse(dst, ErrUnsupported, "%v as a tuple: the embedded struct of %s is nil", s.typ, f.name)
		}
		if dst, err = f.plan.encode(e, dst, fv); err != nil {
			return dst, err
		}
	}
	e.leave()
	return dst, nil
}

func (s *structPlan) encodeTag(e *Encoder, dst []byte) ([]byte, error) {
	if e.Cache == nil {
		return append(dst, s.tagKey...), nil
	}
	return e.AppendAtom(dst, s.tag)
}

// arity is the size of the tuple.
func (s *structPlan) arity() int {
	if s.tag != "" {
		return len(s.fields) + 1
	}
	return len(s.fields)
}

// encode writes the field's key and value.
func (f *field) encode(e *Encoder, dst []byte, v place) ([]byte, error) {
	if e.Cache == nil || f.binary {
		return f.plan.encode(e, append(dst, f.key...), v)
	}
	dst, err := e.AppendAtom(dst, Atom(f.name))
	if err != nil {
		return dst, err
	}
	return f.plan.encode(e, dst, v)
}

// isEmpty is what omitempty means in encoding/json.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}
