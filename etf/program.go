package etf

import (
	"encoding/binary"
	"slices"
)

// program is how the values of a struct type are written, one or many that lie next
// to each other: the same steps for each, in one loop, where plans would call each
// other for every field.
type program struct {
	steps []step

	// What is the same for every value, but for the references that an atom cache
	// makes of atoms. Without one, the steps' prefixes have it.
	head  []byte      // the header of the map or tuple
	atoms [2]constant // what follows it: the tag, in a map under its key
	tags  int         // how many of atoms there are
}

// constant is an atom or a binary that is known to be valid.
type constant struct {
	atom Atom   // empty if it is a binary
	wire []byte // its external form, an atom's as if there were no atom cache
}

// step writes one field.
type step struct {
	prefix [prefixRoom]byte // what stands before the part that differs
	size   uint8            // of prefix; 0 if all of it is in long
	op     op
	offset uintptr
	plan   *plan
	long   []byte   // the prefix, if it is too long for there
	key    constant // the field's, in a map
}

const (
	// prefixRoom is a size at which copying all is faster than copying what counts.
	prefixRoom = 32
	// stepRoom has place for a prefix, and for the longest integer or float.
	stepRoom = prefixRoom + 16
)

// compile makes the program of a plan that has one. The plans of all that p consists
// of are complete, but their programs need not be.
func (p *plan) compile() {
	if p.fields == nil {
		return
	}
	if p.program = p.fields.program(); p.program != nil {
		p.encode = p.program.one
	}
}

// program makes the program of a struct all of whose fields' plans are complete.
// There is none if it depends on the value which fields are written.
func (s *structPlan) program() *program {
	unsteady := func(f field) bool { return f.far || f.omitEmpty }
	if s.shape == shapeProplist || len(s.fields) == 0 || slices.ContainsFunc(s.fields, unsteady) {
		return nil
	}
	p := &program{}
	switch s.shape {
	case shapeTuple:
		p.head = new(Encoder).AppendTuple(nil, s.arity())
		if s.tag != "" {
			p.atoms, p.tags = [2]constant{{s.tag, s.tagKey}}, 1
		}
	case shapeStruct:
		p.head = mapHeader(len(s.fields) + 1)
		key, _ := new(Encoder).AppendAtom(nil, structKey)
		p.atoms, p.tags = [2]constant{{structKey, key}, {s.tag, s.tagKey}}, 2
	default:
		p.head = mapHeader(len(s.fields))
	}
	prefix := slices.Clone(p.head)
	for _, a := range p.atoms[:p.tags] {
		prefix = append(prefix, a.wire...)
	}
	for i := range s.fields {
		f := &s.fields[i]
		st := step{op: f.plan.op, offset: f.offset, plan: f.plan, key: constant{wire: f.key}}
		if !f.binary && s.shape != shapeTuple {
			st.key.atom = Atom(f.name)
		}
		p.steps = append(p.steps, newStep(st, append(prefix, f.key...)))
		prefix = nil
	}
	return p
}

func mapHeader(n int) []byte { return binary.BigEndian.AppendUint32([]byte{extMap}, uint32(n)) }

// newStep puts the prefix into st, and behind it the tag of values that have but one.
func newStep(st step, prefix []byte) step {
	switch st.op {
	case opText:
		prefix = append(prefix, extBinary)
	case opFloat:
		prefix = append(prefix, extNewFloat)
	}
	if len(prefix) > prefixRoom {
		st.long = prefix
		return st
	}
	st.size = uint8(copy(st.prefix[:], prefix))
	return st
}
