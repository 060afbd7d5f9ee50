package etf

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// appendElixir writes any term.
func appendElixir(b []byte, t Term) []byte {
	switch t := t.(type) {
	case int64:
		return strconv.AppendInt(b, t, 10)
	case *big.Int:
		return appendBigText(b, t, "0x")
	case float64:
		return appendElixirFloat(b, t)
	case Atom:
		return appendElixirAtom(b, t)
	case []byte:
		return appendElixirBinary(b, t, 8)
	case Bitstring:
		return appendElixirBinary(b, t.Bytes, t.Bits)
	case Tuple:
		return append(appendElixirSeq(append(b, '{'), t), '}')
	case List:
		return appendElixirList(b, t)
	case ImproperList:
		b = append(appendElixirSeq(append(b, '['), t.Elems), " | "...)
		return append(appendElixir(b, t.Tail), ']')
	case Map:
		return appendElixirMap(b, t)
	case Record: // Elixir 1.20 has no syntax of its own for it
		return appendErlangRecord(b, t)
	case Pid:
		return appendIdentifier(b, "#PID<", t.Node, t.Creation, uint64(t.ID), uint64(t.Serial))
	case Port:
		return appendIdentifier(b, "#Port<", t.Node, t.Creation, t.ID)
	case Ref:
		return appendIdentifier(b, "#Reference<", t.Node, t.Creation, refParts(t)...)
	case Export:
		b = append(appendElixirAtom(append(b, '&'), t.Module), '.')
		b = append(appendElixirCall(b, t.Function), '/')
		return strconv.AppendUint(b, uint64(t.Arity), 10)
	case Fun:
		b = fmt.Appendf(b, "#Function<%d.%d/%d in ", t.Index, t.OldUniq, t.Arity)
		return append(appendElixirAtom(b, t.Module), '>')
	case opaque: // what canonical makes of a value without external form
		return fmt.Appendf(b, "#Go<%T>", t.value)
	}
	return appendElixir(b, canonical(t))
}

func appendElixirSeq(b []byte, elems []Term) []byte {
	for i, t := range elems {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendElixir(b, t)
	}
	return b
}

// appendElixirFloat writes a float: plainly up to 1.0e16 if it is whole, else as
// Erlang does.
func appendElixirFloat(b []byte, f float64) []byte {
	if abs := math.Abs(f); abs >= 1 && abs < 1e16 && math.Trunc(f) == f {
		return append(strconv.AppendFloat(b, f, 'f', -1, 64), ".0"...)
	}
	return appendShortFloat(b, f)
}

// appendElixirList writes a charlist, a keyword list or any other list.
func appendElixirList(b []byte, l List) []byte {
	if text, ok := listText(l, isElixirCharlist); ok {
		return appendElixirText(append(b, "~c"...), text)
	}
	b = append(b, '[')
	if pairs, ok := keywords(l); ok {
		return append(appendKeywords(b, pairs), ']')
	}
	return append(appendElixirSeq(b, l), ']')
}

// keywords returns the pairs of a list of {atom, value}, which has at least one
// and no module names among its atoms.
func keywords(l List) ([]MapEntry, bool) {
	pairs := make([]MapEntry, 0, len(l))
	for _, t := range l {
		pair, ok := t.(Tuple)
		if !ok || len(pair) != 2 || !isKeyword(pair[0]) {
			return nil, false
		}
		pairs = append(pairs, MapEntry{pair[0], pair[1]})
	}
	return pairs, len(pairs) > 0
}

func isKeyword(t Term) bool {
	a, ok := t.(Atom)
	return ok && !strings.HasPrefix(string(a), "Elixir.")
}

func appendKeywords(b []byte, pairs []MapEntry) []byte {
	for i, e := range pairs {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(appendElixirKey(b, e.Key.(Atom)), ": "...)
		b = appendElixir(b, e.Value)
	}
	return b
}

func appendElixirMap(b []byte, m Map) []byte {
	b = append(b, '%')
	entries := sortedEntries(m, Compare)
	plain := func(e MapEntry) bool { return !isKeyword(e.Key) }
	if slices.ContainsFunc(entries, plain) || len(entries) == 0 {
		b = append(b, '{')
		for i, e := range entries {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(appendElixir(b, e.Key), " => "...)
			b = appendElixir(b, e.Value)
		}
		return append(b, '}')
	}
	at := slices.IndexFunc(entries, func(e MapEntry) bool { return e.Key == Atom("__struct__") })
	if at >= 0 {
		if name, ok := entries[at].Value.(Atom); ok && isElixirModule(name) {
			b = appendElixirAtom(b, name)
			entries = slices.Concat(entries[:at], entries[at+1:])
		}
	}
	return append(appendKeywords(append(b, '{'), entries), '}')
}

// appendElixirBinary writes a string if the bytes are printable UTF-8, else the
// bytes. bits is how many bits of the last byte count.
func appendElixirBinary(b, data []byte, bits uint8) []byte {
	if bits == 8 && utf8.Valid(data) && allRunes(string(data), isElixirText) {
		return appendElixirText(b, string(data))
	}
	b = append(b, "<<"...)
	for i, c := range data {
		if i > 0 {
			b = append(b, ", "...)
		}
		if i == len(data)-1 && bits < 8 {
			b = fmt.Appendf(b, "%d::size(%d)", c>>(8-bits), bits)
		} else {
			b = strconv.AppendUint(b, uint64(c), 10)
		}
	}
	return append(b, ">>"...)
}

// isElixirCharlist is List.ascii_printable?/1 for one character.
func isElixirCharlist(r rune) bool {
	return r >= ' ' && r <= '~' || r >= '\a' && r <= '\r' || r == 0x1b
}

// isElixirText is String.printable?/1 for one character.
func isElixirText(r rune) bool {
	return isElixirCharlist(r) || r == 0x7f || r >= 0xa0 && r < 0xfffe || r > 0xffff
}

// appendElixirText writes text in double quotes, with the escapes of inspect.
func appendElixirText(b []byte, text string) []byte {
	b = append(b, '"')
	for i, r := range text {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '#' && strings.HasPrefix(text[i:], "#{"):
			b = append(b, '\\', '#')
		case r == 0:
			b = append(b, '\\', '0')
		case r == '\a':
			b = append(b, '\\', 'a')
		case r < ' ' || r >= 0x7f && r < 0xa0:
			if c, ok := erlangEscape(r); ok {
				b = append(b, '\\', c)
			} else {
				b = fmt.Appendf(b, "\\x%02X", r)
			}
		case isInvisible(r):
			b = fmt.Appendf(b, "\\u%04X", r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// isInvisible tells which characters Elixir 1.20 escapes lest they deceive:
// blanks other than the space, joiners and marks of direction. Found by asking
// inspect for every code point.
func isInvisible(r rune) bool {
	switch {
	case r == 0xa0, r == 0x34f, r == 0x61c, r == 0x205f, r == 0xfeff:
		return true
	case r >= 0x2000 && r <= 0x200f, r >= 0x2028 && r <= 0x202e:
		return true
	case r >= 0x2060 && r <= 0x2069:
		return r != 0x2065
	}
	return r >= 0xfff9 && r <= 0xfffc
}
