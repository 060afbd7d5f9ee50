package etf

import "unicode/utf8"

// isReserved tells whether Erlang reserves the word, so that the atom needs
// quotes. The list is that of OTP 29: maybe and else came with 27.
func isReserved(s string) bool {
	switch s {
	case "after", "and", "andalso", "band", "begin", "bnot", "bor", "bsl", "bsr", "bxor", "case", "catch",
		"cond", "div", "else", "end", "fun", "if", "let", "maybe", "not", "of", "or", "orelse", "receive",
		"rem", "try", "when", "xor":
		return true
	}
	return false
}

// isNameStart tells whether a bare atom may begin with r: a lower-case letter
// of Latin-1, as in io_lib:quote_atom.
func isNameStart(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'ß' && r <= 'ÿ' && r != '÷'
}

// isNameRune tells whether r may stand inside a bare atom (or a variable).
func isNameRune(r rune) bool {
	return isNameStart(r) || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '@' ||
		r >= 'À' && r <= 'Þ' && r != '×'
}

// atom reads a bare or quoted atom, with the cursor on it.
func (p *parser) atom() (Atom, error) {
	// OTP 25 prints maybe and else bare, so they are let through.
	if w := p.word(); isReserved(w) && w != "maybe" && w != "else" {
		return "", p.errorf("%s is a reserved word; as an atom it is written '%s'", w, w)
	}
	return p.anyAtom()
}

// anyAtom reads an atom that may be a bare reserved word.
func (p *parser) anyAtom() (Atom, error) {
	start := p.pos
	if p.peek() == '\'' {
		s, err := p.quoted('\'')
		if err == nil && utf8.RuneCountInString(s) > maxAtomChars {
			p.pos = start
			err = p.errorf("an atom has at most %d characters", maxAtomChars)
		}
		return Atom(s), err
	}
	w := p.word()
	first, _ := utf8.DecodeRuneInString(w)
	switch {
	case w == "":
		return "", p.expected("a term")
	case !isNameStart(first) && (first < '0' || first > '9'):
		return "", p.errorf("%s is a variable; as an atom it is written '%s'", clip(w), clip(w))
	case !isNameStart(first):
		return "", p.expected("an atom")
	case utf8.RuneCountInString(w) > maxAtomChars:
		return "", p.errorf("an atom has at most %d characters", maxAtomChars)
	}
	p.pos += len(w)
	return Atom(w), nil
}
