package etf

import (
	"fmt"
	"math/big"
	"strconv"
	"unicode/utf8"
)

// appendErlang writes any term.
func appendErlang(b []byte, t Term) []byte {
	switch t := t.(type) {
	case int64:
		return strconv.AppendInt(b, t, 10)
	case *big.Int:
		return appendBigText(b, t, "16#")
	case float64:
		return appendShortFloat(b, t)
	case Atom:
		return appendErlangAtom(b, t)
	case []byte:
		return appendErlangBinary(b, t, 8)
	case Bitstring:
		return appendErlangBinary(b, t.Bytes, t.Bits)
	case Tuple:
		return append(appendErlangSeq(append(b, '{'), t), '}')
	case List:
		if text, ok := listText(t, isErlangText); ok {
			return appendErlangText(b, text, '"')
		}
		return append(appendErlangSeq(append(b, '['), t), ']')
	case ImproperList:
		b = append(appendErlangSeq(append(b, '['), t.Elems), '|')
		return append(appendErlang(b, t.Tail), ']')
	case Map:
		return appendErlangMap(b, t)
	case Record:
		return appendErlangRecord(b, t)
	case Pid:
		return appendIdentifier(b, "#Pid<", t.Node, t.Creation, uint64(t.ID), uint64(t.Serial))
	case Port:
		return appendIdentifier(b, "#Port<", t.Node, t.Creation, t.ID)
	case Ref:
		return appendIdentifier(b, "#Ref<", t.Node, t.Creation, refParts(t)...)
	case Export:
		b = append(appendBareAtom(append(b, "fun "...), t.Module), ':')
		b = append(appendBareAtom(b, t.Function), '/')
		return strconv.AppendUint(b, uint64(t.Arity), 10)
	case Fun:
		b = append(appendErlangAtom(append(b, "#Fun<"...), t.Module), '.')
		b = append(strconv.AppendUint(b, uint64(t.OldIndex), 10), '.')
		return append(strconv.AppendUint(b, uint64(t.OldUniq), 10), '>')
	case opaque: // what canonical makes of a value without external form
		return fmt.Appendf(b, "#Go<%T>", t.value)
	}
	return appendErlang(b, canonical(t))
}

func appendErlangSeq(b []byte, elems []Term) []byte {
	for i, t := range elems {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendErlang(b, t)
	}
	return b
}

func appendErlangMap(b []byte, m Map) []byte {
	b = append(b, "#{"...)
	for i, e := range sortedEntries(m, compareKeys) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendErlang(b, e.Key), " => "...)
		b = appendErlang(b, e.Value)
	}
	return append(b, '}')
}

func appendErlangRecord(b []byte, r Record) []byte {
	b = append(appendErlangAtom(append(b, '#'), r.Module), ':')
	b = append(appendErlangAtom(b, r.Name), '{')
	for i := range min(len(r.Fields), len(r.Values)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendErlangAtom(b, r.Fields[i]), " = "...)
		b = appendErlang(b, r.Values[i])
	}
	return append(b, '}')
}

// appendErlangAtom writes an atom, in quotes where OTP 29 has them.
func appendErlangAtom(b []byte, a Atom) []byte {
	if isReserved(string(a)) {
		return appendErlangText(b, string(a), '\'')
	}
	return appendBareAtom(b, a)
}

// appendBareAtom writes an atom, reserved words without quotes: in external funs
// OTP has fun erlang:and/2.
func appendBareAtom(b []byte, a Atom) []byte {
	for i, r := range string(a) {
		if i == 0 && !isNameStart(r) || !isNameRune(r) {
			return appendErlangText(b, string(a), '\'')
		}
	}
	if a == "" {
		return appendErlangText(b, string(a), '\'')
	}
	return append(b, a...)
}

// appendErlangBinary writes a binary, as text if it is text in UTF-8 or else in
// Latin-1: <<"é"/utf8>> and <<"é">> are different binaries. bits is how many bits
// of the last byte count.
func appendErlangBinary(b, data []byte, bits uint8) []byte {
	if bits == 8 && len(data) > 0 {
		if utf8.Valid(data) {
			if text := string(data); allRunes(text, isErlangText) {
				b = append(appendErlangText(append(b, "<<"...), text, '"'), ">>"...)
				if utf8.RuneCountInString(text) < len(text) {
					b = append(b[:len(b)-2], "/utf8>>"...)
				}
				return b
			}
		} else if text := latin1(data); allRunes(text, isErlangText) {
			return append(appendErlangText(append(b, "<<"...), text, '"'), ">>"...)
		}
	}
	b = append(b, "<<"...)
	for i, c := range data {
		if i > 0 {
			b = append(b, ',')
		}
		if i == len(data)-1 && bits < 8 {
			b = append(strconv.AppendUint(b, uint64(c>>(8-bits)), 10), ':')
			c = bits
		}
		b = strconv.AppendUint(b, uint64(c), 10)
	}
	return append(b, ">>"...)
}

func allRunes(s string, ok func(rune) bool) bool {
	for _, r := range s {
		if !ok(r) {
			return false
		}
	}
	return true
}

// latin1 returns the text that data is in Latin-1.
func latin1(data []byte) string {
	text := make([]rune, len(data))
	for i, c := range data {
		text[i] = rune(c)
	}
	return string(text)
}

// isErlangText is io_lib's printable_unicode_list for one character.
func isErlangText(r rune) bool {
	switch {
	case r >= '\b' && r <= '\r', r == 0x1b: // \b \t \n \v \f \r, \e
		return true
	case r >= ' ' && r <= '~':
		return true
	}
	return r >= 0xa0 && r < 0xd800 || r > 0xdfff && r < 0xfffe || r > 0xffff && r <= utf8.MaxRune
}

// appendErlangText writes text in quotes, with io_lib's escapes.
func appendErlangText(b []byte, text string, quote byte) []byte {
	b = append(b, quote)
	for _, r := range text {
		if r == rune(quote) || r == '\\' {
			b = append(b, '\\', byte(r))
			continue
		}
		if c, ok := erlangEscape(r); ok {
			b = append(b, '\\', c)
			continue
		}
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			b = append(b, '\\', byte('0'+r>>6), byte('0'+r>>3&7), byte('0'+r&7))
			continue
		}
		b = utf8.AppendRune(b, r)
	}
	return append(b, quote)
}

// erlangEscape returns the letter that stands for r after a backslash.
func erlangEscape(r rune) (byte, bool) {
	switch r {
	case '\b':
		return 'b', true
	case '\t':
		return 't', true
	case '\n':
		return 'n', true
	case '\v':
		return 'v', true
	case '\f':
		return 'f', true
	case '\r':
		return 'r', true
	case 0x1b:
		return 'e', true
	case 0x7f:
		return 'd', true
	}
	return 0, false
}
