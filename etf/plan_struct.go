package etf

import (
	"fmt"
	"reflect"
	"slices"
)

// structPlan is how the values of one struct type are written and read.
type structPlan struct {
	typ    reflect.Type
	shape  shape
	tag    Atom // the tuple's first element, or the Elixir struct's module; "" if none
	fields []field

	tagKey []byte // the tag's external form, as field.key

	byAtom, byBinary map[string]int // index of the field with that key
	required         bool           // whether any field is
}

// field is one element of the term.
type field struct {
	fieldTag
	index  []int // as reflect.Value.FieldByIndex takes it
	offset uintptr
	far    bool // it lies behind a pointer to an embedded struct: offset means nothing
	plan   *plan
	key    []byte // the key's external form, atoms as if there were no atom cache
	short  shortKey
}

// maxFields is how many fields a fieldSet holds.
const maxFields = 256

// fieldSet notes which fields were seen.
type fieldSet [maxFields / 64]uint64

func (s *fieldSet) has(i int) bool { return s[i/64]>>(i%64)&1 != 0 }
func (s *fieldSet) add(i int)      { s[i/64] |= 1 << (i % 64) }

func (w *planner) planStruct(p *plan) {
	s, err := w.structPlan(p.typ)
	if err != nil {
		p.broken(err)
		return
	}
	p.fields = s
	switch s.shape {
	case shapeTuple:
		p.encode, p.decode = s.encodeTuple, s.decodeTuple
	case shapeProplist:
		p.encode, p.decode = s.encodeProplist, s.decodeProplist
	default:
		p.encode, p.decode = s.encodeMap, s.decodeMap
	}
}

func (w *planner) structPlan(t reflect.Type) (*structPlan, error) {
	s := &structPlan{typ: t, byAtom: map[string]int{}, byBinary: map[string]int{}}
	if blank, ok := blankField(t); ok {
		var err error
		if s.shape, s.tag, err = parseShape(blank); err != nil {
			return nil, err
		}
	}
	var e Encoder
	var err error
	if s.tagKey, err = e.AppendAtom(nil, s.tag); err != nil {
		return nil, err
	}
	if err := w.collect(s, t, nil, nil); err != nil {
		return nil, err
	}
	if s.shape != shapeTuple {
		s.fields = dominant(s.fields)
	}
	if len(s.fields) > maxFields {
		return nil, fmt.Errorf("more than %d fields", maxFields)
	}
	for i := range s.fields {
		if err := s.addKey(i); err != nil {
			return nil, err
		}
		s.required = s.required || s.fields[i].required
	}
	return s, nil
}

// blankField returns the field called _ that has an etf tag.
func blankField(t reflect.Type) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if f := t.Field(i); f.Name == "_" && f.Tag.Get("etf") != "" {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// addKey prepares the key of a field.
func (s *structPlan) addKey(i int) (err error) {
	f := &s.fields[i]
	if s.shape == shapeTuple {
		if f.omitEmpty || f.binary || f.required {
			return fmt.Errorf("field %s: omitempty, binary and required mean nothing in a tuple", f.name)
		}
		return nil
	}
	var e Encoder
	switch {
	case f.binary:
		s.byBinary[f.name] = i
		f.key, err = e.appendText(nil, f.name)
	case s.shape == shapeStruct && f.name == structKey:
		return fmt.Errorf("%s is written by itself", structKey)
	default:
		s.byAtom[f.name] = i
		f.key, err = e.AppendAtom(nil, Atom(f.name))
	}
	f.short = newShortKey(f.key)
	return err
}

// collect adds the fields of t to s, those of embedded structs in their place.
// index leads from s.typ to t, through the types of around.
func (w *planner) collect(s *structPlan, t reflect.Type, index []int, around []reflect.Type) error {
	if slices.Contains(around, t) {
		return nil // embeds itself: whatever it has is there already
	}
	around = append(around, t)
	for i := range t.NumField() {
		sf := t.Field(i)
		if sf.Name == "_" {
			continue
		}
		tag, err := parseTag(sf)
		if err != nil {
			return err
		}
		if tag.skip {
			continue
		}
		path := append(slices.Clone(index), i)
		if inner, ok := w.embedded(sf, tag); ok {
			if err := w.collect(s, inner, path, around); err != nil {
				return err
			}
			continue
		}
		if !sf.IsExported() {
			continue
		}
		if tag.name == "" {
			tag.name = snakeCase(sf.Name)
		} else {
			tag.tagged = true
		}
		f := field{fieldTag: tag, index: path, plan: w.plan(planKey{sf.Type, tag.form})}
		f.offset, f.far = offsetOf(s.typ, path)
		s.fields = append(s.fields, f)
	}
	return nil
}

// embedded returns the struct whose fields count as the outer one's own: embedded,
// without a name in its tag, and a plain map by itself.
func (w *planner) embedded(sf reflect.StructField, tag fieldTag) (reflect.Type, bool) {
	t := sf.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if !sf.Anonymous || tag.name != "" || t.Kind() != reflect.Struct {
		return nil, false
	}
	_, shaped := blankField(t)
	special := planExact(&plan{typ: t}, formDefault) || planTime(&plan{typ: t}, formDefault)
	methods := reflect.PointerTo(t).Implements(marshalerType) || reflect.PointerTo(t).Implements(unmarshalerType)
	return t, !shaped && !special && !methods
}

// dominant leaves one field for each key, by Go's rules for embedded fields as
// encoding/json has them: the least nested, among equals the one with a name in
// its tag, and none if that does not decide.
func dominant(fields []field) []field {
	type key struct {
		name   string
		binary bool
	}
	better := func(a, b *field) bool {
		if len(a.index) != len(b.index) {
			return len(a.index) < len(b.index)
		}
		return a.tagged && !b.tagged
	}
	best, tied := map[key]*field{}, map[key]bool{}
	for i := range fields {
		f := &fields[i]
		k := key{f.name, f.binary}
		switch old := best[k]; {
		case old == nil || better(f, old):
			best[k], tied[k] = f, false
		case !better(old, f):
			tied[k] = true
		}
	}
	kept := make([]field, 0, len(fields))
	for i := range fields {
		k := key{fields[i].name, fields[i].binary}
		if best[k] == &fields[i] && !tied[k] {
			kept = append(kept, fields[i])
		}
	}
	return kept
}

// offsetOf returns where in a t a field lies, or that a pointer leads to it.
func offsetOf(t reflect.Type, index []int) (offset uintptr, far bool) {
	for i, n := range index {
		if t.Kind() == reflect.Pointer {
			return 0, true
		}
		f := t.Field(n)
		offset += f.Offset
		if i < len(index)-1 {
			t = f.Type
		}
	}
	return offset, false
}

// get returns the field's place, or false if it lies in an embedded struct whose
// pointer is nil.
func (s *structPlan) get(f *field, v place) (place, bool) {
	if !f.far {
		return v.field(f.offset), true
	}
	rv := v.value(s.typ)
	for i, n := range f.index {
		if i > 0 && rv.Kind() == reflect.Pointer {
			if rv.IsNil() {
				return v, false
			}
			rv = rv.Elem()
		}
		rv = rv.Field(n)
	}
	return placeOf(rv), true
}

// reach is get that makes the embedded structs that are missing.
func (s *structPlan) reach(f *field, v place) (place, error) {
	if !f.far {
		return v.field(f.offset), nil
	}
	rv := v.value(s.typ)
	for i, n := range f.index {
		if i > 0 && rv.Kind() == reflect.Pointer {
			if rv.IsNil() {
				if !rv.CanSet() {
					return v, &UnmarshalError{Type: rv.Type(), Why: "embedded pointer to an unexported struct", Err: ErrUnsupported}
				}
				rv.Set(reflect.New(rv.Type().Elem()))
			}
			rv = rv.Elem()
		}
		rv = rv.Field(n)
	}
	return placeOf(rv), nil
}
