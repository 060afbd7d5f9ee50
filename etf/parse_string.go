package etf

import (
	"strings"
	"unicode/utf8"
)

// stringLiterals reads "…" and the strings adjacent to it, which are one string.
func (p *parser) stringLiterals() (string, error) {
	var all strings.Builder
	for {
		if strings.HasPrefix(p.src[p.pos:], `"""`) {
			return "", p.errorf("triple-quoted strings are not read")
		}
		s, err := p.quoted('"')
		if err != nil {
			return "", err
		}
		all.WriteString(s)
		mark := p.pos
		p.space()
		if p.peek() != '"' {
			p.pos = mark
			return all.String(), nil
		}
	}
}

// quoted reads up to the closing quote, with the cursor on the opening one, and
// resolves the escapes. Code points that are no characters (surrogates) cannot
// be held by a Go string and are refused.
func (p *parser) quoted(quote byte) (string, error) {
	start := p.pos
	p.pos++
	var b strings.Builder
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; c {
		case quote:
			p.pos++
			return b.String(), nil
		case '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			if !utf8.ValidRune(r) {
				return "", p.errorf("\\x{%X} is not a Unicode character", r)
			}
			b.WriteRune(r)
		default:
			b.WriteByte(c)
			p.pos++
		}
	}
	p.pos = start
	return "", p.errorf("this %c is never closed", quote)
}

// escape reads a backslash and what it escapes.
func (p *parser) escape() (rune, error) {
	start := p.pos
	p.pos++
	if p.pos >= len(p.src) {
		return 0, p.expected("a character after the backslash")
	}
	r, n := utf8.DecodeRuneInString(p.src[p.pos:])
	p.pos += n
	switch r {
	case 'b':
		return '\b', nil
	case 'd':
		return 0x7f, nil
	case 'e':
		return 0x1b, nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 's':
		return ' ', nil
	case 't':
		return '\t', nil
	case 'v':
		return '\v', nil
	case '0', '1', '2', '3', '4', '5', '6', '7':
		p.pos--
		return p.digitRun(8, 3), nil
	case '^':
		if c := p.peek(); c >= '@' && c <= '_' || c >= 'a' && c <= 'z' {
			p.pos++
			return rune(c & 31), nil
		}
		return 0, p.expected("a letter after \\^")
	case 'x':
		return p.hexEscape(start)
	}
	return r, nil
}

// hexEscape reads what follows the \x at start: two digits, or any number in braces.
func (p *parser) hexEscape(start int) (rune, error) {
	digits := 2
	braces := p.peek() == '{'
	if braces {
		p.pos++
		digits = 8
	}
	mark := p.pos
	r := p.digitRun(16, digits)
	n := p.pos - mark
	switch {
	case braces && n > 0 && p.peek() == '}' && r >= 0 && r <= utf8.MaxRune:
		p.pos++
		return r, nil
	case !braces && n == 2:
		return r, nil
	}
	p.pos = start
	return 0, p.errorf("expected \\xHH or \\x{H…} up to 10FFFF")
}

// digitRun reads up to most digits of a base.
func (p *parser) digitRun(base rune, most int) rune {
	var v rune
	for range most {
		d, ok := digitValue(p.peek())
		if !ok || d >= int(base) {
			break
		}
		v = v*base + rune(d)
		p.pos++
	}
	return v
}

// sigil reads ~"…" and its kin (OTP 27): ~ and ~b make a UTF-8 binary, ~s a
// string; capitals take the text as it is.
func (p *parser) sigil() (Term, error) {
	start := p.pos
	p.pos++
	kind := byte('b')
	if c := p.peek(); c != '"' {
		kind = c
		p.pos++
	}
	if p.peek() != '"' || strings.HasPrefix(p.src[p.pos:], `"""`) || !strings.ContainsRune("bBsS", rune(kind)) {
		p.pos = start
		return nil, p.errorf(`expected a sigil ~"…", ~b"…", ~B"…", ~s"…" or ~S"…"`)
	}
	text, err := "", error(nil)
	if kind == 'B' || kind == 'S' {
		n := strings.IndexByte(p.src[p.pos+1:], '"')
		if n < 0 {
			return nil, p.errorf("this \" is never closed")
		}
		text = p.src[p.pos+1 : p.pos+1+n]
		p.pos += n + 2
	} else {
		text, err = p.quoted('"')
	}
	if kind == 'b' || kind == 'B' {
		return []byte(text), err
	}
	return codePoints(Charlist(text)), err
}
