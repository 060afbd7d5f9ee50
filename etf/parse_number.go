package etf

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// digitValue is what c counts as a digit of a base up to 36.
func digitValue(c byte) (int, bool) {
	switch {
	case isDigit(c):
		return int(c - '0'), true
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 10, true
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10, true
	}
	return 0, false
}

// number reads an integer, a character or a float, with signs.
func (p *parser) number() (Term, error) {
	start := p.pos
	negative := false
	for p.peek() == '-' || p.peek() == '+' {
		if p.pos > start {
			return nil, p.expected("a number")
		}
		negative = p.peek() == '-'
		p.pos++
		p.space()
	}
	if p.peek() == '$' {
		r, err := p.char()
		if negative {
			r = -r
		}
		return int64(r), err
	}
	if !isDigit(p.peek()) {
		return nil, p.expected("a number")
	}
	digits, err := p.digits(10)
	if err != nil {
		return nil, err
	}
	base := 10
	switch {
	case p.peek() == '#':
		if base, err = strconv.Atoi(digits); err != nil || base < 2 || base > 36 {
			return nil, p.errorf("a base is 2 to 36")
		}
		p.pos++
		if digits, err = p.digits(base); err != nil {
			return nil, err
		}
	case p.peek() == '.' && p.pos+1 < len(p.src) && isDigit(p.src[p.pos+1]):
		return p.float(digits, negative)
	}
	return integer(digits, base, negative), nil
}

// char reads $c.
func (p *parser) char() (rune, error) {
	p.pos++
	if p.pos >= len(p.src) {
		return 0, p.expected("a character after $")
	}
	if p.peek() == '\\' {
		return p.escape()
	}
	r, n := utf8.DecodeRuneInString(p.src[p.pos:])
	p.pos += n
	return r, nil
}

// digits reads at least one digit of the base; single _ may stand between them.
func (p *parser) digits(base int) (string, error) {
	start := p.pos
	var b strings.Builder
	for {
		d, ok := digitValue(p.peek())
		if !ok || d >= base {
			break
		}
		b.WriteByte(p.src[p.pos])
		p.pos++
		if p.peek() == '_' && p.pos+1 < len(p.src) {
			if d, ok := digitValue(p.src[p.pos+1]); ok && d < base {
				p.pos++
			}
		}
		if b.Len() > parseMaxDigits {
			p.pos = start
			return "", p.errorf("a number has at most %d digits", parseMaxDigits)
		}
	}
	if b.Len() == 0 {
		return "", p.expected("a digit of base " + strconv.Itoa(base))
	}
	if w := p.word(); w != "" {
		return "", p.expected("the end of the number")
	}
	return b.String(), nil
}

// integer makes the Term for digits that are known to be good.
func integer(digits string, base int, negative bool) Term {
	if negative {
		digits = "-" + digits
	}
	if i, err := strconv.ParseInt(digits, base, 64); err == nil {
		return i
	}
	i, _ := new(big.Int).SetString(digits, base)
	return i
}

// float reads what follows the digits before the point.
func (p *parser) float(whole string, negative bool) (Term, error) {
	start := p.pos
	p.pos++
	var text strings.Builder
	text.WriteString(whole + ".")
	for { // the fraction's digits; an exponent ends them, so p.digits will not do
		if c := p.peek(); isDigit(c) {
			text.WriteString(p.run())
		} else if c == '_' && p.pos+1 < len(p.src) && isDigit(p.src[p.pos+1]) && isDigit(p.src[p.pos-1]) {
			p.pos++
		} else {
			break
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.pos++
		text.WriteByte('e')
		if c := p.peek(); c == '-' || c == '+' {
			text.WriteByte(c)
			p.pos++
		}
		if !isDigit(p.peek()) {
			return nil, p.expected("the exponent's digits")
		}
		text.WriteString(p.run())
	}
	if p.word() != "" {
		return nil, p.expected("the end of the number")
	}
	if text.Len() > parseMaxDigits {
		p.pos = start
		return nil, p.errorf("a number has at most %d digits", parseMaxDigits)
	}
	f, err := strconv.ParseFloat(text.String(), 64)
	if err != nil {
		p.pos = start
		return nil, p.errorf("this float is out of range")
	}
	if negative {
		f = -f
	}
	return f, nil
}

// run reads decimal digits, none of them grouped.
func (p *parser) run() string {
	start := p.pos
	for isDigit(p.peek()) {
		p.pos++
	}
	return p.src[start:p.pos]
}

// decimal reads a plain number up to most: an arity, a size, a part of a pid.
func (p *parser) decimal(most uint64) (uint64, error) {
	start := p.pos
	digits := p.run()
	if digits == "" {
		return 0, p.expected("a number")
	}
	v, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || v > most {
		p.pos = start
		return 0, p.errorf("expected a number up to %d", most)
	}
	return v, nil
}
