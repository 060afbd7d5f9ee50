package etf

import (
	"fmt"
	"math/big"
	"reflect"
	"sync"
)

// plan is how values of one Go type are written and read, worked out once.
type plan struct {
	typ    reflect.Type
	encode func(e *Encoder, dst []byte, v reflect.Value) ([]byte, error)
	decode func(d *Decoder, v reflect.Value) error // v can be set

	integer bool // decode is decodeInt or decodeUint
}

type planKey struct {
	typ  reflect.Type
	form form
}

// plans caches every plan by planKey. It is no configuration: what it holds
// follows from the types alone, and no entry ever changes.
var plans sync.Map

// planOf returns the plan of a type outside of any field.
func planOf(t reflect.Type) *plan {
	key := planKey{typ: t}
	if p, ok := plans.Load(key); ok {
		return p.(*plan)
	}
	w := planner{made: map[planKey]*plan{}}
	p := w.plan(key)
	for key, p := range w.made { // only now: all of them are complete
		plans.LoadOrStore(key, p)
	}
	return p
}

// planner makes the plans of a type and of all it consists of. Types may contain
// themselves: their plan is found in made before it is filled in.
type planner struct{ made map[planKey]*plan }

var (
	marshalerType   = reflect.TypeFor[TermMarshaler]()
	unmarshalerType = reflect.TypeFor[TermUnmarshaler]()
)

func (w *planner) plan(key planKey) *plan {
	if p, ok := plans.Load(key); ok {
		return p.(*plan)
	}
	if p, ok := w.made[key]; ok {
		return p
	}
	p := &plan{typ: key.typ}
	w.made[key] = p
	if !planExact(p, key.form) && !planTime(p, key.form) {
		w.planKind(p, key.form)
	}
	planMethods(p)
	return p
}

// planExact fills in the plans of this package's types and of big.Int.
func planExact(p *plan, f form) bool {
	switch p.typ {
	case reflect.TypeFor[Atom]():
		p.encode, p.decode = encodeAtomString, decodeAtomString
	case reflect.TypeFor[Charlist]():
		p.encode, p.decode = encodeCharlist, decodeText
	case reflect.TypeFor[big.Int]():
		p.encode, p.decode = encodeBigInt, decodeBigInt
	case reflect.TypeFor[Pid]():
		p.encode, p.decode = encodePid, decodePid
	case reflect.TypeFor[Ref]():
		p.encode, p.decode = encodeRef, decodeRef
	case reflect.TypeFor[Port](), reflect.TypeFor[Export](), reflect.TypeFor[Fun](), reflect.TypeFor[Record](),
		reflect.TypeFor[Tuple](), reflect.TypeFor[List](), reflect.TypeFor[ImproperList](),
		reflect.TypeFor[Map](), reflect.TypeFor[Bitstring]():
		p.encode, p.decode = encodeDynamic, decodeDynamic
	default:
		return false
	}
	if f != formDefault {
		p.broken(fmt.Errorf("%s has no other forms", p.typ))
	}
	return true
}

func (w *planner) planKind(p *plan, f form) {
	switch t := p.typ; t.Kind() {
	case reflect.Bool:
		p.encode, p.decode = encodeBool, decodeBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.encode, p.decode, p.integer = encodeInt, decodeInt, true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		p.encode, p.decode, p.integer = encodeUint, decodeUint, true
	case reflect.Float32, reflect.Float64:
		p.encode, p.decode = encodeFloat, decodeFloat
	case reflect.String:
		planString(p, f)
		return
	case reflect.Interface:
		p.encode, p.decode = encodeInterface, decodeInterface
	case reflect.Pointer:
		w.planPointer(p, f)
		return
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			p.encode, p.decode = encodeBytes, decodeBytes
			break
		}
		w.planList(p, f)
		return
	case reflect.Map:
		w.planMap(p, f)
		return
	case reflect.Struct:
		w.planStruct(p)
	default:
		p.broken(fmt.Errorf("%s stands for no term", t))
	}
	if f != formDefault {
		p.broken(fmt.Errorf("the option of the etf tag means nothing for %s", p.typ))
	}
}

// planMethods lets a type's own methods override what was planned for it.
func planMethods(p *plan) {
	switch t := p.typ; {
	case t.Kind() == reflect.Interface:
		return // what is inside counts
	case t.Implements(marshalerType):
		p.encode = encodeMarshaler
	case t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(marshalerType):
		p.encode = encodePointerMarshaler
	}
	if p.typ.Kind() != reflect.Pointer && reflect.PointerTo(p.typ).Implements(unmarshalerType) {
		p.decode, p.integer = decodeUnmarshaler, false
	}
}

// broken makes a plan that fails with err whenever it is used.
func (p *plan) broken(err error) {
	p.encode = func(_ *Encoder, dst []byte, _ reflect.Value) ([]byte, error) {
		return refuse(dst, ErrUnsupported, "%v: %v", p.typ, err)
	}
	p.decode = func(*Decoder, reflect.Value) error {
		return &UnmarshalError{Type: p.typ, Why: err.Error(), Err: ErrUnsupported}
	}
}

func planString(p *plan, f form) {
	switch f {
	case formDefault:
		p.encode, p.decode = encodeString, decodeText
	case formAtom:
		p.encode, p.decode = encodeAtomString, decodeAtomString
	case formCharlist:
		p.encode, p.decode = encodeCharlist, decodeText
	default:
		p.broken(fmt.Errorf("the option of the etf tag means nothing for a string"))
	}
}

func (w *planner) planPointer(p *plan, f form) {
	const most = 8 // stars in a row; type P *P has no end of them
	t := p.typ.Elem()
	for i := 0; t.Kind() == reflect.Pointer; i++ {
		if t = t.Elem(); i == most {
			p.broken(fmt.Errorf("pointers to pointers to pointers"))
			return
		}
	}
	elem := w.plan(planKey{p.typ.Elem(), f})
	toInterface := t.Kind() == reflect.Interface
	p.encode = func(e *Encoder, dst []byte, v reflect.Value) ([]byte, error) {
		switch {
		case v.IsNil():
			return e.AppendAtom(dst, "nil")
		case !toInterface: // containers count the depth themselves
			return elem.encode(e, dst, v.Elem())
		}
		if err := e.enter(); err != nil { // it may hold this very pointer
			return dst, err
		}
		dst, err := elem.encode(e, dst, v.Elem())
		e.leave()
		return dst, err
	}
	p.decode = func(d *Decoder, v reflect.Value) error {
		if d.atNil() {
			v.SetZero()
			return d.Skip()
		}
		if v.IsNil() {
			v.Set(reflect.New(p.typ.Elem()))
		}
		return elem.decode(d, v.Elem())
	}
}
