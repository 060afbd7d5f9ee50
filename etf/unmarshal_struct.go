package etf

import "bytes"

// What readKey returns for keys that belong to no field.
const (
	keyUnknown = -1
	keyStruct  = -2 // __struct__, where it matters
)

// readKey reads a key and returns the index of its field. next is the field that
// comes next if the term has the order of the Go type, as all that we write have:
// its key is compared as the bytes that it would be, which halves the time.
func (s *structPlan) readKey(d *Decoder, next int) (int, error) {
	if next < len(s.fields) && bytes.HasPrefix(d.in[d.off:], s.fields[next].key) {
		d.off += len(s.fields[next].key)
		d.took()
		return next, nil
	}
	switch d.Kind() {
	case KindAtom:
		n, err := d.readName()
		if err != nil {
			return 0, err
		}
		if next < len(s.fields) && !s.fields[next].binary && n.is(s.fields[next].name) {
			return next, nil
		}
		if i, ok := n.in(s.byAtom); ok {
			return i, nil
		}
		if s.shape == shapeStruct && n.is(structKey) {
			return keyStruct, nil
		}
		return keyUnknown, nil
	case KindBinary:
		b, err := d.Binary()
		if err != nil {
			return 0, err
		}
		if i, ok := s.byBinary[string(b)]; ok {
			return i, nil
		}
		return keyUnknown, nil
	}
	return keyUnknown, d.Skip()
}

// decodeMap reads a map, or an Elixir struct, into the fields it has keys for.
func (s *structPlan) decodeMap(d *Decoder, v place) error {
	at := d.off
	if err := d.enter(at); err != nil {
		return err
	}
	n, err := d.Map()
	if err != nil {
		return d.cannot(s.typ, err)
	}
	var seen fieldSet
	checked, next := s.shape != shapeStruct, 0
	for n > 0 {
		read, err := s.decodeInOrder(d, n, next, v, &seen)
		if err != nil {
			return err
		}
		next += read
		if n -= read; n == 0 {
			break
		}
		n--
		i, err := s.readKey(d, next)
		if err != nil {
			return err
		}
		switch {
		case i == keyStruct:
			if err := s.checkTag(d); err != nil {
				return within(err, "."+structKey)
			}
			checked = true
		case i == keyUnknown:
			if err := d.Skip(); err != nil {
				return err
			}
		case seen.has(i):
			d.off = at
			return d.misfit(s.typ, ErrInvalid, "the key %s is there twice", s.fields[i].name)
		default:
			seen.add(i)
			next = i + 1
			if err := s.decodeField(d, i, v); err != nil {
				return err
			}
		}
	}
	if !checked {
		d.off = at
		return d.misfit(s.typ, ErrKind, "it has no %s", structKey)
	}
	d.leave()
	return s.checkRequired(d, at, &seen)
}

// decodeInOrder reads of n entries those that come as the fields from next on do, and
// tells how many: nearly always all there are. A key that is not short, or far, ends it.
func (s *structPlan) decodeInOrder(d *Decoder, n, next int, v place, seen *fieldSet) (read int, err error) {
	for ; read < n && next < len(s.fields); read++ {
		f := &s.fields[next]
		if !f.short.opens(d.in[d.off:]) || f.far || seen.has(next) {
			break
		}
		d.off += f.short.length
		d.took()
		seen.add(next)
		if !f.plan.short(d, v.field(f.offset)) {
			if err := s.decodeField(d, next, v); err != nil {
				return read, err
			}
		}
		next++
	}
	return read, nil
}

// checkTag reads an atom that must be the struct's tag.
func (s *structPlan) checkTag(d *Decoder) error {
	if in := d.in[d.off:]; len(in) >= 2 && in[0] == extAtomCacheRef && int(in[1]) < len(d.atoms) {
		if a, ok := d.atoms[in[1]].(Atom); ok && a == s.tag {
			d.off += 2
			d.took()
			return nil
		}
	}
	if bytes.HasPrefix(d.in[d.off:], s.tagKey) {
		d.off += len(s.tagKey)
		d.took()
		return nil
	}
	n, size, err := d.peekName()
	if err != nil {
		return d.cannot(s.typ, err)
	}
	if !n.is(string(s.tag)) {
		return d.misfit(s.typ, ErrKind, "want %s", Format(s.tag))
	}
	d.off += size
	d.took()
	return nil
}

// checkRequired fails for the first required field that was not seen in the term
// that began at at.
func (s *structPlan) checkRequired(d *Decoder, at int, seen *fieldSet) error {
	if !s.required {
		return nil
	}
	for i := range s.fields {
		if s.fields[i].required && !seen.has(i) {
			d.off = at
			return d.misfit(s.typ, ErrKind, "the key %s is required", s.fields[i].name)
		}
	}
	return nil
}

// decodeField reads the value of the i-th field, for which plan.short has not been enough.
func (s *structPlan) decodeField(d *Decoder, i int, v place) error {
	f := &s.fields[i]
	fv, err := s.reach(f, v)
	if err == nil {
		err = f.plan.decode(d, fv)
	}
	if err != nil {
		return within(err, "."+f.name)
	}
	return nil
}

// decodeTuple reads a tuple of exactly the struct's fields.
func (s *structPlan) decodeTuple(d *Decoder, v place) error {
	at := d.off
	if err := d.enter(at); err != nil {
		return err
	}
	n, err := d.Tuple()
	if err != nil {
		return d.cannot(s.typ, err)
	}
	if n != s.arity() {
		d.off = at
		return d.misfit(s.typ, ErrKind, "want %d elements", s.arity())
	}
	if s.tag != "" {
		if err := s.checkTag(d); err != nil {
			return within(err, ".(tag)")
		}
	}
	for i := range s.fields {
		f := &s.fields[i]
		if !f.far && f.plan.short(d, v.field(f.offset)) {
			continue
		}
		if err := s.decodeField(d, i, v); err != nil {
			return err
		}
	}
	d.leave()
	return nil
}

// decodeProplist reads a list as the module proplists does: pairs, atoms alone
// that mean true, the first of several counts, anything else is skipped.
func (s *structPlan) decodeProplist(d *Decoder, v place) error {
	at := d.off
	var seen fieldSet
	next := 0
	err := d.eachElement(s.typ, func(int) {}, oneByOne(func(d2 *Decoder, _ int) error {
		n := 1
		switch d2.Kind() {
		case KindAtom:
		case KindTuple:
			var err error
			if n, err = d2.Tuple(); err != nil || n != 2 {
				return skipAfter(d2, n, err)
			}
		default:
			return d2.Skip()
		}
		i, err := s.readKey(d2, next)
		if err != nil || i < 0 || seen.has(i) {
			return skipAfter(d2, n-1, err)
		}
		seen.add(i)
		next = i + 1
		if n == 2 {
			return s.decodeField(d2, i, v)
		}
		var yes Decoder
		yes.Reset(atomTrue, nil)
		return s.decodeField(&yes, i, v)
	}))
	if err != nil {
		return err
	}
	return s.checkRequired(d, at, &seen)
}

// The external forms of true and false. Never written to.
var (
	atomTrue  = []byte{extSmallAtomUTF8, 4, 't', 'r', 'u', 'e'}
	atomFalse = []byte{extSmallAtomUTF8, 5, 'f', 'a', 'l', 's', 'e'}
)

// skipAfter skips n terms, unless there is an error already.
func skipAfter(d *Decoder, n int, err error) error {
	for range n {
		if err == nil {
			err = d.Skip()
		}
	}
	return err
}
