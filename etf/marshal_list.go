package etf

import (
	"math"
	"reflect"
)

// planList is about slices and arrays, other than those of bytes.
func (w *planner) planList(p *plan, f form) {
	elem := w.plan(planKey{p.typ.Elem(), f})
	isArray, size := p.typ.Kind() == reflect.Array, p.typ.Elem().Size()
	p.encode = func(e *Encoder, dst []byte, v place) ([]byte, error) {
		first, n := v, 0
		if isArray {
			n = p.typ.Len()
		} else {
			first, n = v.slice()
		}
		if n == 0 {
			return append(dst, extNil), nil
		}
		if uint64(n) > math.MaxUint32 {
			return refuse(dst, ErrLimit, "list of %d elements", n)
		}
		if err := e.enter(); err != nil {
			return dst, err
		}
		dst = append(dst, extList, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		var err error
		if elem.program != nil {
			dst, err = elem.program.run(e, dst, first, n, size)
		} else {
			for i := 0; i < n && err == nil; i++ {
				dst, err = elem.encode(e, dst, first.elem(i, size))
			}
		}
		if err != nil {
			return dst, err
		}
		e.leave()
		return append(dst, extNil), nil
	}
	if isArray {
		p.decode = func(d *Decoder, v place) error { return p.decodeArray(d, v, elem) }
		return
	}
	p.decode = func(d *Decoder, v place) error { return p.decodeSlice(d, v, elem) }
}

// planMap is about Go maps.
func (w *planner) planMap(p *plan, f form) {
	key := w.plan(planKey{p.typ.Key(), f})
	value := w.plan(planKey{p.typ.Elem(), formDefault})
	p.decode = func(d *Decoder, v place) error { return decodeMap(d, v.valueOf(p), key, value) }
	if !distinct(p.typ.Key()) {
		p.encode = func(e *Encoder, dst []byte, v place) ([]byte, error) {
			return encodeLooseMap(e, dst, v.valueOf(p))
		}
		return
	}
	p.encode = func(e *Encoder, dst []byte, at place) ([]byte, error) {
		v := at.valueOf(p)
		n := v.Len()
		if uint64(n) > math.MaxUint32 {
			return refuse(dst, ErrLimit, "map of %d entries", n)
		}
		if err := e.enter(); err != nil {
			return dst, err
		}
		dst = append(dst, extMap, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		// One place for all keys and one for all values: Key and Value of an
		// iterator would allocate each.
		k, val := reflect.New(p.typ.Key()).Elem(), reflect.New(p.typ.Elem()).Elem()
		var err error
		for it := v.MapRange(); it.Next(); {
			k.SetIterKey(it)
			val.SetIterValue(it)
			if dst, err = key.encode(e, dst, placeOf(k)); err != nil {
				return dst, err
			}
			if dst, err = value.encode(e, dst, placeOf(val)); err != nil {
				return dst, err
			}
		}
		e.leave()
		return dst, nil
	}
}

// distinct tells whether keys of that type which differ in Go are different terms
// too. Interfaces, pointers and types with methods of their own promise nothing.
func distinct(t reflect.Type) bool {
	if t.Implements(marshalerType) || reflect.PointerTo(t).Implements(marshalerType) {
		return false
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64:
		return true
	}
	return t == reflect.TypeFor[Pid]() || t == reflect.TypeFor[Port]() || t == reflect.TypeFor[Export]()
}

// encodeLooseMap writes a Go map some of whose keys might be the same term. It
// goes through Map, which looks for that.
func encodeLooseMap(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
	m := make(Map, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		m = append(m, MapEntry{it.Key().Interface(), it.Value().Interface()})
	}
	return e.appendMap(dst, m)
}
