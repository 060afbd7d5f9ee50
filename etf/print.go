package etf

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Format returns t in Erlang's syntax, on one line, as io:format("~0tkp", [T])
// of OTP 29 shows it on a system with Unicode: lists and binaries that are text
// as text, maps in the order of their keys.
//
//	{ok,#{<<"name">> => <<"Zoë"/utf8>>,tags => ["a",b]}}
//
// What Format writes, Parse reads back to an equal term, with three exceptions:
// funs that are not external print as #Fun<…>, the flag Record.Exported does not
// show, and Parse has limits of its own. Pids, ports and references have their
// node and creation where OTP prints a number that means something on one node
// only: #Pid<a@host/1712345678.93.0>.
//
// A Go value that is no canonical Term prints as the term it encodes to, or as
// #Go<type> if it cannot be encoded.
func Format(t Term) string { return string(appendErlang(nil, t)) }

// FormatElixir returns t as Elixir 1.20's inspect does with unlimited width and
// sorted maps: :ok, "text", ~c"text", [a: 1], %{key: 1}, MyApp.User.
//
// A map that has an Elixir module under :__struct__ prints as
// %MyApp.User{name: "Zoë"} with its fields sorted, which is how inspect shows
// structs without an implementation of their own for Inspect; it has one for
// ranges, dates and others. Pids, ports and references print as in Format, and
// an atom that mixes scripts or has combining marks is always quoted.
func FormatElixir(t Term) string { return string(appendElixir(nil, t)) }

// String returns the tuple as Format does.
func (t Tuple) String() string { return Format(t) }

// String returns the list as Format does.
func (l List) String() string { return Format(l) }

// String returns the list as Format does.
func (l ImproperList) String() string { return Format(l) }

// String returns the map as Format does.
func (m Map) String() string { return Format(m) }

// String returns the bitstring as Format does.
func (b Bitstring) String() string { return Format(b) }

// String returns the pid as Format does.
func (p Pid) String() string { return Format(p) }

// String returns the port as Format does.
func (p Port) String() string { return Format(p) }

// String returns the reference as Format does.
func (r Ref) String() string { return Format(r) }

// String returns the external fun as Format does.
func (x Export) String() string { return Format(x) }

// String returns the fun as Format does, which does not tell all of it.
func (f Fun) String() string { return Format(f) }

// String returns the record as Format does.
func (r Record) String() string { return Format(r) }

// sortedEntries returns a map's associations in the term order of their keys.
// Where 1 and 1.0 are both keys, which Compare takes for equal, 1 comes first.
func sortedEntries(m Map, compare func(a, b Term) int) []MapEntry {
	if len(m) < 2 {
		return m
	}
	entries := slices.Clone(m)
	slices.SortFunc(entries, func(a, b MapEntry) int {
		if c := compare(a.Key, b.Key); c != 0 {
			return c
		}
		return compareKeys(a.Key, b.Key)
	})
	return entries
}

// compareKeys is the order of maps:iterator(M, ordered): the term order, but
// integers before floats.
func compareKeys(a, b Term) int {
	_, floatA := a.(float64)
	_, floatB := b.(float64)
	switch {
	case floatA && !floatB && isInteger(b):
		return 1
	case floatB && !floatA && isInteger(a):
		return -1
	}
	return Compare(a, b)
}

func isInteger(t Term) bool {
	switch t.(type) {
	case int64, *big.Int, int:
		return true
	}
	return false
}

// listText returns the characters of a list of integers for which ok holds, or
// false if it holds anything else or nothing.
func listText(l List, ok func(rune) bool) (string, bool) {
	var b strings.Builder
	for _, t := range l {
		i, isInt := t.(int64)
		if !isInt || i < 0 || i > math.MaxInt32 || !ok(rune(i)) {
			return "", false
		}
		b.WriteRune(rune(i))
	}
	return b.String(), len(l) > 0
}

// appendIdentifier writes node/creation.part.part> after an opening such as #Pid<.
func appendIdentifier(b []byte, open string, node Atom, creation uint32, parts ...uint64) []byte {
	b = append(b, open...)
	b = appendErlangAtom(b, node)
	b = append(b, '/')
	b = strconv.AppendUint(b, uint64(creation), 10)
	for _, part := range parts {
		b = append(b, '.')
		b = strconv.AppendUint(b, part, 10)
	}
	return append(b, '>')
}

// refParts returns a reference's words in OTP's order of printing: last first.
func refParts(r Ref) []uint64 {
	parts := make([]uint64, 0, len(r.Words))
	for i := int(min(r.Len, uint8(len(r.Words)))) - 1; i >= 0; i-- {
		parts = append(parts, uint64(r.Words[i]))
	}
	return parts
}

// appendShortFloat writes the shortest digits that read back as f, in the
// notation that is shorter; ties are plain. From 2^53 on, where not every
// integer is a float, it is always scientific. As float_to_binary(F, [short]).
func appendShortFloat(b []byte, f float64) []byte {
	plain := strconv.AppendFloat(nil, f, 'f', -1, 64)
	if !strings.Contains(string(plain), ".") {
		plain = append(plain, ".0"...)
	}
	digits, exp, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	if !strings.Contains(digits, ".") {
		digits += ".0"
	}
	n, _ := strconv.Atoi(exp)
	scientific := digits + "e" + strconv.Itoa(n)
	if math.Abs(f) >= 1<<53 || len(scientific) < len(plain) {
		return append(b, scientific...)
	}
	return append(b, plain...)
}

// maxDecimalBits is up to where integers print in decimal (90,000 digits). Beyond,
// where conversion would take a sender's choice of minutes, they print in base 16.
const maxDecimalBits = 300_000

// appendBigText writes a large integer; hex is how the language marks base 16.
func appendBigText(b []byte, i *big.Int, hex string) []byte {
	switch {
	case i == nil:
		return append(b, "nil"...)
	case i.BitLen() <= maxDecimalBits:
		return i.Append(b, 10)
	case i.Sign() < 0:
		b = append(b, '-')
	}
	return new(big.Int).Abs(i).Append(append(b, hex...), 16)
}
