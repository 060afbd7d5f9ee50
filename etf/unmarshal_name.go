package etf

import "unicode/utf8"

// name is the text of an atom where it lies, in the input or in the header's atom
// table: looking something up by it allocates nothing.
type name struct {
	text []byte
	atom Atom // if text is nil
}

// is tells whether the name is s.
func (n name) is(s string) bool {
	if n.text != nil {
		return string(n.text) == s
	}
	return string(n.atom) == s
}

// in returns what m has for the name.
func (n name) in(m map[string]int) (int, bool) {
	if n.text != nil {
		i, ok := m[string(n.text)]
		return i, ok
	}
	i, ok := m[string(n.atom)]
	return i, ok
}

func (n name) String() string { return string(n.text) + string(n.atom) }

// peekName returns the atom that comes next, and how long it is on the wire.
func (d *Decoder) peekName() (n name, size int, err error) {
	if err := d.want(KindAtom); err != nil {
		return n, 0, err
	}
	if d.has(2) && d.in[d.off] == extAtomCacheRef {
		at := d.off
		t, err := d.atomRef()
		d.off = at
		if err != nil {
			return n, 0, err
		}
		return name{atom: t.(Atom)}, 2, nil
	}
	text, head, latin1, err := d.atomText()
	if err != nil {
		return n, 0, err
	}
	size = head + len(text)
	if latin1 && !isASCII(text) {
		text = utf8Of(text)
	}
	return name{text: text}, size, d.checkText(d.off, text)
}

func isASCII(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// readName is peekName that consumes the atom.
func (d *Decoder) readName() (name, error) {
	n, size, err := d.peekName()
	if err != nil {
		return n, err
	}
	d.off += size
	d.took()
	return n, nil
}

// atNil tells whether the atom nil (Elixir) or undefined (Erlang) comes next.
func (d *Decoder) atNil() bool {
	if d.Kind() != KindAtom {
		return false
	}
	n, _, err := d.peekName()
	return err == nil && (n.is("nil") || n.is("undefined"))
}
