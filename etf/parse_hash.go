package etf

import "strings"

// hash reads what begins with #: a map, a native record, or an identifier.
func (p *parser) hash() (Term, error) {
	start := p.pos
	p.pos++
	for _, id := range []struct {
		open string
		read func(node Atom, creation uint32) (Term, error)
	}{{"Pid<", p.pid}, {"Port<", p.port}, {"Ref<", p.ref}} {
		if strings.HasPrefix(p.src[p.pos:], id.open) {
			p.pos += len(id.open)
			return p.identifier(id.read)
		}
	}
	if strings.HasPrefix(p.src[p.pos:], "Fun<") {
		p.pos = start
		return nil, p.errorf("#Fun<…> does not say what the fun is made of; only fun m:f/1 can be read")
	}
	if p.eat("{") {
		return p.mapTerm()
	}
	return p.record()
}

// mapTerm reads what follows #{.
func (p *parser) mapTerm() (Term, error) {
	m := Map{}
	if p.eat("}") {
		return m, nil
	}
	var starts []int // where each key is, to point at a second equal one
	for {
		p.space()
		starts = append(starts, p.pos)
		key, err := p.term()
		if err != nil {
			return nil, err
		}
		if err := p.need("=>"); err != nil {
			return nil, err
		}
		value, err := p.term()
		if err != nil {
			return nil, err
		}
		m = append(m, MapEntry{key, value})
		if p.eat("}") {
			break
		}
		if !p.eat(",") {
			return nil, p.expected(", or }")
		}
	}
	if len(m) == 1 {
		return m, nil
	}
	// Keys are equal exactly if they print alike: maps in them print sorted.
	seen := make(map[string]bool, len(m))
	for i := range m {
		text := Format(m[i].Key)
		if seen[text] {
			p.pos = starts[i]
			return nil, p.errorf("the key %s is there twice", clip(text))
		}
		seen[text] = true
	}
	return m, nil
}

// record reads what follows # of a native record: mod:name{field = value, …}.
func (p *parser) record() (Term, error) {
	r := Record{Exported: true, Fields: []Atom{}, Values: []Term{}}
	if c := p.peek(); c != '\'' && p.word() == "" {
		return nil, p.expected("{ of a map, or a native record's module")
	}
	var err error
	if r.Module, err = p.atom(); err != nil {
		return nil, err
	}
	if err = p.need(":"); err != nil {
		return nil, err
	}
	if r.Name, err = p.atom(); err != nil {
		return nil, err
	}
	if err = p.need("{"); err != nil {
		return nil, err
	}
	if p.eat("}") {
		return r, nil
	}
	seen := map[Atom]bool{}
	for {
		p.space()
		start := p.pos
		field, err := p.atom()
		if err != nil {
			return nil, err
		}
		if seen[field] {
			p.pos = start
			return nil, p.errorf("the field %s is there twice", field)
		}
		seen[field] = true
		if err := p.need("="); err != nil {
			return nil, err
		}
		value, err := p.term()
		if err != nil {
			return nil, err
		}
		r.Fields = append(r.Fields, field)
		r.Values = append(r.Values, value)
		if p.eat("}") {
			return r, nil
		}
		if !p.eat(",") {
			return nil, p.expected(", or }")
		}
	}
}

// identifier reads node/creation of a pid, port or reference, and the rest of
// it with read.
func (p *parser) identifier(read func(Atom, uint32) (Term, error)) (Term, error) {
	node, err := p.atom()
	if err != nil {
		return nil, err
	}
	if err := p.exactly('/'); err != nil {
		return nil, err
	}
	creation, err := p.decimal(1<<32 - 1)
	if err != nil {
		return nil, err
	}
	t, err := read(node, uint32(creation))
	if err != nil {
		return nil, err
	}
	return t, p.exactly('>')
}

// exactly reads one character, with no blanks before it.
func (p *parser) exactly(c byte) error {
	if p.peek() != c {
		return p.expected(string(c))
	}
	p.pos++
	return nil
}

// part reads .N of an identifier.
func (p *parser) part(most uint64) (uint64, error) {
	if err := p.exactly('.'); err != nil {
		return 0, err
	}
	return p.decimal(most)
}

func (p *parser) pid(node Atom, creation uint32) (Term, error) {
	id, err := p.part(1<<32 - 1)
	if err != nil {
		return nil, err
	}
	serial, err := p.part(1<<32 - 1)
	return Pid{Node: node, ID: uint32(id), Serial: uint32(serial), Creation: creation}, err
}

func (p *parser) port(node Atom, creation uint32) (Term, error) {
	id, err := p.part(1<<64 - 1)
	return Port{Node: node, ID: id, Creation: creation}, err
}

// ref reads the words of a reference, which stand in reverse as OTP prints them.
func (p *parser) ref(node Atom, creation uint32) (Term, error) {
	r := Ref{Node: node, Creation: creation}
	for p.peek() == '.' && int(r.Len) < len(r.Words) {
		w, err := p.part(1<<32 - 1)
		if err != nil {
			return nil, err
		}
		copy(r.Words[1:], r.Words[:r.Len])
		r.Words[0] = uint32(w)
		r.Len++
	}
	return r, nil
}
