package etf

import (
	"fmt"
	"math/big"
	"reflect"
	"sync"
	"sync/atomic"
)

// plan is how values of one Go type are written and read, worked out once.
type plan struct {
	typ     reflect.Type
	pointer typeID // of a pointer to typ
	op      op     // how it is written
	reads   op     // and read
	encode  func(e *Encoder, dst []byte, v place) ([]byte, error)
	decode  func(d *Decoder, v place) error

	integer bool        // what planInt or planUint made
	elem    *plan       // of a pointer: what it points at
	fields  *structPlan // of a struct that is written field by field
	program *program    // of most structs: set when the plans of all they consist of are complete
	methods bool        // encode is the type's own method's

	// Set by planIn:
	direct bool // as isDirect says
	copied bool // a value in an interface must be copied to be encoded
	word   typeID
}

// op names the plans that are so frequent, and so short, that a struct's fields
// are written without a call to encode.
type op uint8

const (
	opOther op = iota
	opInt      // int64 and what is as large
	opUint     // uint64 and what is as large
	opFloat    // float64
	opText     // string
	opAtom
	opBool
)

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
	for _, p := range w.made {
		p.compile()
	}
	for key, p := range w.made { // only now: all of them are complete
		plans.LoadOrStore(key, p)
	}
	return p
}

// lately has some plans by their types' words, for a message costs less than a
// look into plans. As there, entries follow from the types alone.
var lately [latePlans]atomic.Pointer[plan]

const latePlans = 256

// planIn returns the plan of v's type; v is not nil.
func planIn(v any) *plan {
	word := typeWord(v)
	if p := lately[wordSlot(word, latePlans)].Load(); p != nil && p.word == word {
		return p
	}
	p := *planOf(reflect.TypeOf(v))
	p.word, p.direct, p.copied = word, isDirect(p.typ), reachesPointerMethod(p.typ)
	lately[wordSlot(word, latePlans)].Store(&p)
	return &p
}

// pointerPlan is planIn of a pointer to what is written by the plan of its type, if it
// was met lately; nil for all else.
func pointerPlan(v any) *plan {
	word := typeWord(v)
	p := lately[wordSlot(word, latePlans)].Load()
	if p == nil || p.word != word || p.elem == nil || p.methods || p.elem.typ.Kind() == reflect.Interface {
		return nil
	}
	return p
}

// reachesPointerMethod tells whether MarshalTerm would be called with a pointer
// into a value of that type, which it may then write to: nobody may write to the
// value in an interface.
func reachesPointerMethod(t reflect.Type) bool {
	switch {
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface || t.Implements(marshalerType):
		return false
	case reflect.PointerTo(t).Implements(marshalerType):
		return true
	case t.Kind() == reflect.Array:
		return reachesPointerMethod(t.Elem())
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			if reachesPointerMethod(t.Field(i).Type) {
				return true
			}
		}
	}
	return false
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
	p := &plan{typ: key.typ, pointer: pointerWord(key.typ)}
	w.made[key] = p
	if !planExact(p, key.form) && !planTime(p, key.form) {
		w.planKind(p, key.form)
	}
	p.reads = p.op
	planMethods(p)
	return p
}

// planExact fills in the plans of this package's types and of big.Int.
func planExact(p *plan, f form) bool {
	switch p.typ {
	case reflect.TypeFor[Atom]():
		p.op, p.encode, p.decode = opAtom, encodeAtomString, p.decodeAtomString
	case reflect.TypeFor[Charlist]():
		p.encode, p.decode = encodeCharlist, p.decodeText
	case reflect.TypeFor[big.Int]():
		p.encode, p.decode = encodeBigInt, p.decodeBigInt
	case reflect.TypeFor[Pid]():
		p.encode, p.decode = encodeThe((*Encoder).AppendPid), decodeThe(p, (*Decoder).Pid)
	case reflect.TypeFor[Ref]():
		p.encode, p.decode = encodeThe((*Encoder).AppendRef), decodeThe(p, (*Decoder).Ref)
	case reflect.TypeFor[Port]():
		p.encode, p.decode = encodeThe((*Encoder).appendPort), decodeThe(p, (*Decoder).Port)
	case reflect.TypeFor[Export]():
		p.encode, p.decode = encodeThe((*Encoder).appendExport), p.decodeDynamic
	case reflect.TypeFor[Fun]():
		p.encode, p.decode = encodeThe((*Encoder).appendFun), p.decodeDynamic
	case reflect.TypeFor[Record]():
		p.encode, p.decode = encodeThe((*Encoder).appendRecord), p.decodeDynamic
	case reflect.TypeFor[Tuple]():
		p.encode, p.decode = encodeThe((*Encoder).appendTuple), p.decodeDynamic
	case reflect.TypeFor[List]():
		p.encode, p.decode = encodeThe((*Encoder).appendList), p.decodeDynamic
	case reflect.TypeFor[ImproperList]():
		p.encode, p.decode = encodeThe((*Encoder).appendImproper), p.decodeDynamic
	case reflect.TypeFor[Map]():
		p.encode, p.decode = encodeThe((*Encoder).appendMap), p.decodeDynamic
	case reflect.TypeFor[Bitstring]():
		p.encode, p.decode = encodeThe((*Encoder).appendBitstring), p.decodeDynamic
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
		p.op, p.encode, p.decode = opBool, encodeBool, p.decodeBool
	case reflect.Int:
		planInt[int](p)
	case reflect.Int8:
		planInt[int8](p)
	case reflect.Int16:
		planInt[int16](p)
	case reflect.Int32:
		planInt[int32](p)
	case reflect.Int64:
		planInt[int64](p)
	case reflect.Uint:
		planUint[uint](p)
	case reflect.Uint8:
		planUint[uint8](p)
	case reflect.Uint16:
		planUint[uint16](p)
	case reflect.Uint32:
		planUint[uint32](p)
	case reflect.Uint64:
		planUint[uint64](p)
	case reflect.Uintptr:
		planUint[uintptr](p)
	case reflect.Float32:
		p.encode, p.decode = encodeFloat[float32], p.decodeFloat
	case reflect.Float64:
		p.op, p.encode, p.decode = opFloat, encodeFloat[float64], p.decodeFloat
	case reflect.String:
		planString(p, f)
		return
	case reflect.Interface:
		p.encode, p.decode = p.encodeInterface, p.decodeInterface
	case reflect.Pointer:
		w.planPointer(p, f)
		return
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			p.encode, p.decode = p.encodeBytes, p.decodeBytes
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

func planInt[T int | int8 | int16 | int32 | int64](p *plan) {
	p.integer, p.encode = true, encodeInt[T]
	p.decode = func(d *Decoder, v place) error { return decodeInt(d, p, at[T](v)) }
	if p.typ.Size() == 8 {
		p.op = opInt
	}
}

func planUint[T uint | uint8 | uint16 | uint32 | uint64 | uintptr](p *plan) {
	p.integer, p.encode = true, encodeUint[T]
	p.decode = func(d *Decoder, v place) error { return decodeUint(d, p, at[T](v)) }
	if p.typ.Size() == 8 {
		p.op = opUint
	}
}

// planMethods lets a type's own methods override what was planned for it.
func planMethods(p *plan) {
	switch t := p.typ; {
	case t.Kind() == reflect.Interface:
		return // what is inside counts
	case t.Implements(marshalerType):
		p.fields, p.op, p.methods, p.encode = nil, opOther, true, p.encodeMarshaler
	case t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(marshalerType):
		p.fields, p.op, p.methods, p.encode = nil, opOther, true, p.encodePointerMarshaler
	}
	if p.typ.Kind() != reflect.Pointer && reflect.PointerTo(p.typ).Implements(unmarshalerType) {
		p.integer, p.reads, p.decode = false, opOther, p.decodeUnmarshaler
	}
}

// broken makes a plan that fails with err whenever it is used.
func (p *plan) broken(err error) {
	p.fields, p.op = nil, opOther
	p.encode = func(_ *Encoder, dst []byte, _ place) ([]byte, error) {
		return refuse(dst, ErrUnsupported, "%v: %v", p.typ, err)
	}
	p.decode = func(*Decoder, place) error {
		return &UnmarshalError{Type: p.typ, Why: err.Error(), Err: ErrUnsupported}
	}
}

func planString(p *plan, f form) {
	switch f {
	case formDefault:
		p.op, p.encode, p.decode = opText, encodeString, p.decodeText
	case formAtom:
		p.op, p.encode, p.decode = opAtom, encodeAtomString, p.decodeAtomString
	case formCharlist:
		p.encode, p.decode = encodeCharlist, p.decodeText
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
	p.elem = elem
	toInterface := t.Kind() == reflect.Interface
	p.encode = func(e *Encoder, dst []byte, v place) ([]byte, error) {
		return elem.encodePointee(e, dst, v.pointee(), toInterface)
	}
	p.decode = func(d *Decoder, v place) error {
		if d.atNil() {
			v.valueOf(p).SetZero()
			return d.Skip()
		}
		if v.pointee().isNil() {
			v.valueOf(p).Set(reflect.New(elem.typ))
		}
		return elem.decode(d, v.pointee())
	}
}

// encodePointee writes what a pointer points at.
func (p *plan) encodePointee(e *Encoder, dst []byte, v place, isInterface bool) ([]byte, error) {
	switch {
	case v.isNil():
		return e.AppendAtom(dst, "nil")
	case !isInterface: // containers count the depth themselves
		return p.encode(e, dst, v)
	}
	if err := e.enter(); err != nil { // it may hold this very pointer
		return dst, err
	}
	dst, err := p.encode(e, dst, v)
	e.leave()
	return dst, err
}
