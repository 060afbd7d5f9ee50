package etf

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Atom reads an atom. It does not allocate for atoms of the table given to Reset
// and for the well-known ones.
func (d *Decoder) Atom() (Atom, error) {
	if in := d.in[d.off:]; len(in) >= 2 && in[0] == extAtomCacheRef && int(in[1]) < len(d.atoms) {
		if a, ok := d.atoms[in[1]].(Atom); ok {
			d.off += 2
			d.took()
			return a, nil
		}
	}
	if d.off >= len(d.in) || d.in[d.off] != extSmallAtomUTF8 {
		if err := d.want(KindAtom); err != nil {
			return "", err
		}
	}
	t, err := d.atom()
	if err != nil {
		return "", err
	}
	d.took()
	return t.(Atom), nil
}

// atom reads an atom and returns it boxed: always an Atom if err is nil.
func (d *Decoder) atom() (Term, error) {
	if d.has(2) && d.in[d.off] == extAtomCacheRef {
		return d.atomRef()
	}
	text, head, latin1, err := d.atomText()
	if err != nil {
		return nil, err
	}
	at := d.off
	d.off += head + len(text)
	if latin1 {
		text = utf8Of(text)
	}
	return d.intern(at, text)
}

func (d *Decoder) atomRef() (Term, error) {
	i := int(d.in[d.off+1])
	if i >= len(d.atoms) {
		return nil, d.invalid(d.off, "atom reference beyond the header")
	}
	t := d.atoms[i]
	if _, ok := t.(Atom); !ok {
		return nil, d.invalid(d.off, "atom table holds no atom there")
	}
	d.off += 2
	return t, nil
}

// atomText returns the text of the atom spelled out at the current offset, and
// how many bytes stand before it. The offset stays.
func (d *Decoder) atomText() (text []byte, head int, latin1 bool, err error) {
	if d.off >= len(d.in) {
		return nil, 0, false, d.truncated(d.off, "atom")
	}
	switch d.in[d.off] {
	case extSmallAtomUTF8:
		head = 2
	case extAtomUTF8:
		head = 3
	case extSmallAtom:
		head, latin1 = 2, true
	case extAtom:
		head, latin1 = 3, true
	case extAtomCacheRef:
		return nil, 0, false, d.truncated(d.off, "atom reference")
	default:
		return nil, 0, false, d.invalid(d.off, "not an atom where only an atom may be")
	}
	if !d.has(head) {
		return nil, 0, false, d.truncated(d.off, "atom")
	}
	n := int(d.in[d.off+1])
	if head == 3 {
		n = int(binary.BigEndian.Uint16(d.in[d.off+1:]))
	}
	if !d.has(head + n) {
		return nil, 0, false, d.truncated(d.off, "atom")
	}
	if latin1 && n > maxAtomChars {
		return nil, 0, false, d.invalid(d.off, "atom of more than 255 characters")
	}
	return d.in[d.off+head : d.off+head+n], head, latin1, nil
}

// intern returns the boxed atom of that text, if possible one that exists: an
// Atom costs two allocations, and terms without a distribution header (files,
// term_to_binary) repeat the same few atoms for every record.
func (d *Decoder) intern(at int, text []byte) (Term, error) {
	recent := d.recent(text)
	if recent != nil {
		for i := range recent {
			if a, ok := recent[i].(Atom); ok && string(a) == string(text) {
				return recent[i], nil
			}
		}
	}
	t, known := wellKnown[string(text)]
	if !known {
		if err := d.checkAtom(at, text); err != nil {
			return nil, err
		}
		t = Atom(text)
	}
	if recent != nil {
		recent[0], recent[1] = t, recent[0]
	}
	return t, nil
}

func (d *Decoder) checkAtom(at int, text []byte) error {
	if d.made++; d.made > d.Limits.atoms() {
		return d.fail(at, ErrLimit, "more atoms than Limits.Atoms")
	}
	return d.checkText(at, text)
}

func (d *Decoder) checkText(at int, text []byte) error {
	if !utf8.Valid(text) {
		return d.invalid(at, "atom is not UTF-8")
	}
	if len(text) > maxAtomChars && utf8.RuneCount(text) > maxAtomChars {
		return d.invalid(at, "atom of more than 255 characters")
	}
	return nil
}

// recent returns the two places where an atom of that text may be among the
// recent ones, or nil if there is no table of them yet. (With one place each, two
// frequent atoms of one hash drove each other out all the time; a third is rare, and
// costs allocations, no more.)
func (d *Decoder) recent(text []byte) *[2]Term {
	if d.seen == nil {
		// For one short input making the table costs more than it saves.
		if d.unseen++; len(d.in) < tableInput && d.unseen < tableAtoms {
			return nil
		}
		d.seen = make([][2]Term, tableSize(len(d.in)))
	}
	return &d.seen[atomHash(text)&uint64(len(d.seen)-1)]
}

const (
	tableInput = 512 // how long an input has a table at once
	tableAtoms = 32  // and after how many atoms a decoder of many inputs gets one
)

// tableSize is how many entries a table is to have for an input of so many bytes.
func tableSize(input int) int { return min(1<<bits.Len(uint(max(input, tableInput)/128)), 256) }

// atomHash looks at the length and the 8 bytes at each end: Elixir's modules
// begin alike, enumerated names (key_1, key_2) differ at the end.
func atomHash(text []byte) uint64 {
	var a, b uint64
	switch n := len(text); {
	case n >= 8:
		a, b = binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[n-8:])
	case n >= 4:
		a, b = uint64(binary.LittleEndian.Uint32(text)), uint64(binary.LittleEndian.Uint32(text[n-4:]))
	case n > 0:
		a, b = uint64(text[0])<<8|uint64(text[n/2]), uint64(text[n-1])
	}
	hi, lo := bits.Mul64(a^bits.RotateLeft64(b, 29)^uint64(len(text)), 0x9e3779b97f4a7c15)
	return hi ^ lo
}

// utf8Of converts Latin-1.
func utf8Of(latin1 []byte) []byte {
	out := make([]byte, 0, 2*len(latin1))
	for _, c := range latin1 {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

// wellKnown holds the atoms of everyday messages, boxed. Never written to.
var wellKnown = boxAtoms(
	"ok", "error", "true", "false", "nil", "undefined", "normal", "shutdown", "killed", "kill", "noproc",
	"noconnection", "nodedown", "nodeup", "timeout", "badrpc", "badarg", "undef", "exit", "throw", "return",
	"reply", "noreply", "stop", "yes", "no", "alias", "infinity", "rex", "erpc", "erlang", "call", "cast",
	"$gen_call", "$gen_cast", "is_auth", "DOWN", "EXIT", "process", "node", "monitor", "link", "user", "pg",
	"global_name_server", "net_kernel", "spawn", "apply", "io_request", "io_reply", "put_chars", "unicode",
	"__struct__", "__exception__", "Elixir.String", "Elixir.Date", "Elixir.DateTime", "Elixir.MapSet",
	"id", "name", "type", "value", "key", "data", "message", "reason", "state", "status", "pid", "ref", "",
)

func boxAtoms(names ...string) map[string]Term {
	m := make(map[string]Term, len(names))
	for _, name := range names {
		m[name] = Atom(name)
	}
	return m
}

// AppendAtom appends an atom: as a reference into the header of the frame if
// Cache has one, else spelled out.
func (e *Encoder) AppendAtom(dst []byte, a Atom) ([]byte, error) {
	if e.Cache == nil {
		if out, ok := appendShortAtom(dst, a); ok {
			return out, nil
		}
	}
	if e.Cache != nil {
		if i, ok := e.Cache.Ref(a); ok {
			return append(dst, extAtomCacheRef, i), nil
		}
	}
	if !validAtom(a) {
		return refuse(dst, ErrInvalid, "atom %.40q is not UTF-8 of at most 255 characters", string(a))
	}
	if len(a) <= 0xff {
		dst = append(dst, extSmallAtomUTF8, byte(len(a)))
	} else {
		dst = append(dst, extAtomUTF8)
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(a)))
	}
	return append(dst, a...), nil
}

// appendShortAtom spells out an atom of 4 to 16 ASCII characters, as most are: it
// is looked at and copied in two words, which may overlap.
func appendShortAtom(dst []byte, a Atom) ([]byte, bool) {
	const high, room = 0x8080808080808080, 2 + 16
	b, at := bytesOf(string(a)), len(dst)
	n := len(b)
	if n < 4 || n > 16 || cap(dst)-at < room {
		return dst, false
	}
	out := dst[at : at+room]
	if n >= 8 {
		first, last := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
		if (first|last)&high != 0 {
			return dst, false
		}
		binary.LittleEndian.PutUint64(out[2:], first)
		binary.LittleEndian.PutUint64(out[2+n-8:], last)
	} else {
		first, last := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[n-4:])
		if (first|last)&(high>>32) != 0 {
			return dst, false
		}
		binary.LittleEndian.PutUint32(out[2:], first)
		binary.LittleEndian.PutUint32(out[2+n-4:], last)
	}
	out[0], out[1] = extSmallAtomUTF8, byte(n)
	return dst[:at+2+n], true
}

func validAtom(a Atom) bool {
	if len(a) <= maxAtomChars && ascii(string(a)) {
		return true
	}
	if !utf8.ValidString(string(a)) {
		return false
	}
	return len(a) <= maxAtomChars || utf8.RuneCountInString(string(a)) <= maxAtomChars
}

// ascii looks at eight bytes at once; for the usual atom that is faster than what
// utf8.ValidString does to prepare.
func ascii(s string) bool {
	const high = 0x8080808080808080
	b := bytesOf(s)
	switch n := len(b); {
	case n > 8:
		all := binary.LittleEndian.Uint64(b[n-8:])
		for ; len(b) > 8; b = b[8:] {
			all |= binary.LittleEndian.Uint64(b)
		}
		return all&high == 0
	case n == 8:
		return binary.LittleEndian.Uint64(b)&high == 0
	case n >= 4:
		return (binary.LittleEndian.Uint32(b)|binary.LittleEndian.Uint32(b[n-4:]))&(high>>32) == 0
	case n > 0:
		return (b[0]|b[n/2]|b[n-1])&0x80 == 0
	}
	return true
}
