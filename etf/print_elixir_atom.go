package etf

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// elixirOperators are the atoms of punctuation that Elixir 1.20 writes without
// quotes, and callOperators those it writes so after a dot, as in &:erlang.+/2.
// Found by asking inspect for every string of one to three such characters.
const (
	elixirOperators = " + - * / = ! < > & | ^ . @ % ++ -- -> ** == =~ != <- <= <> <~ >= && |> || ~> .. \\\\ {} +++ --- === !== <<< <<~ <~> >>> &&& ||| ~>> ... %{} <<>> ..// "
	callOperators   = " + - * / = ! < > & | ^ @ ++ -- ** == =~ != <- <= <> <~ >= && |> || ~> :: \\\\ +++ --- === !== <<< <<~ <|> <~> >>> &&& ||| ^^^ ~>> ~~~ "
)

func isOperator(list string, a Atom) bool {
	return a != "" && !strings.Contains(string(a), " ") && strings.Contains(list, " "+string(a)+" ")
}

// appendElixirAtom writes an atom as a value: nil, true, false, a module's name,
// or the atom after a colon.
func appendElixirAtom(b []byte, a Atom) []byte {
	switch {
	case a == "nil" || a == "true" || a == "false":
		return append(b, a...)
	case isElixirModule(a):
		if strings.HasPrefix(string(a), "Elixir.Elixir") || a == "Elixir" {
			return append(b, a...)
		}
		return append(b, a[len("Elixir."):]...)
	}
	b = append(b, ':')
	if isElixirIdentifier(string(a)) || isOperator(elixirOperators, a) {
		return append(b, a...)
	}
	return appendElixirText(b, string(a))
}

// appendElixirKey writes an atom as a key, in front of its colon.
func appendElixirKey(b []byte, a Atom) []byte {
	if isElixirIdentifier(string(a)) || isOperator(elixirOperators, a) {
		return append(b, a...)
	}
	return appendElixirText(b, string(a))
}

// appendElixirCall writes an atom as a function's name, behind a dot. There a
// capital would begin a module.
func appendElixirCall(b []byte, a Atom) []byte {
	first, _ := utf8.DecodeRuneInString(string(a))
	if isElixirIdentifier(string(a)) && !unicode.IsUpper(first) || isOperator(callOperators, a) {
		return append(b, a...)
	}
	return appendElixirText(b, string(a))
}

// isElixirModule tells whether a is what Elixir writes as an alias: Elixir, or
// Elixir. and then capitalised words of ASCII with dots between.
func isElixirModule(a Atom) bool {
	if a == "Elixir" {
		return true
	}
	rest, ok := strings.CutPrefix(string(a), "Elixir.")
	if !ok {
		return false
	}
	for word := range strings.SplitSeq(rest, ".") {
		if word == "" || word[0] < 'A' || word[0] > 'Z' {
			return false
		}
		for i := range len(word) {
			if _, alnum := digitValue(word[i]); !alnum && word[i] != '_' {
				return false
			}
		}
	}
	return true
}

// isElixirIdentifier tells whether s can stand without quotes: letters, digits,
// _ and @, then perhaps one ? or !. Elixir takes letters by the Unicode
// identifier rules in normal form C and refuses words that mix scripts; here the
// scripts are compared and words with combining marks refused, which errs
// towards quotes.
func isElixirIdentifier(s string) bool {
	if n := len(s); n > 1 && (s[n-1] == '?' || s[n-1] == '!') {
		s = s[:n-1]
	}
	var script *unicode.RangeTable
	for i, r := range s {
		switch {
		case r == '_' || i > 0 && (r == '@' || r >= '0' && r <= '9'):
		case !unicode.IsLetter(r) || r == 'ª' || r == 'º':
			return false
		case script == nil:
			script = scriptOf(r)
		case !unicode.Is(script, r) && script != scriptOf(r):
			return false
		}
	}
	return s != ""
}

// scriptOf returns the script of a letter. Those that Japanese mixes count as
// one, Han.
func scriptOf(r rune) *unicode.RangeTable {
	if unicode.In(r, unicode.Latin) {
		return unicode.Latin
	}
	if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) {
		return unicode.Han
	}
	for _, table := range unicode.Scripts {
		if table != unicode.Common && table != unicode.Inherited && unicode.Is(table, r) {
			return table
		}
	}
	return unicode.Common
}
