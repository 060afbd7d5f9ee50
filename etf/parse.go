package etf

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// What one text may cost. They are constants, not options: text comes from
// people and command lines, and nothing people write comes near them.
const (
	parseMaxDepth  = 1_000
	parseMaxDigits = 100_000 // reading a number is quadratic in its digits
	parseMaxSized  = 1 << 20 // bytes in all of segments such as 0:1000000, and of binaries in binaries
)

// ParseError says where a text stopped being a term, and why.
type ParseError struct {
	Line, Column int    // both from 1; Column counts characters
	Msg          string // what was expected, or what is wrong
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("etf: line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// Parse reads one term in Erlang's syntax, as a shell or file:consult reads it:
//
//	{hello, [1, 2.5, $a], "list", <<"binary", 7:16>>, #{key => 'Quoted Atom'}}
//
// Comments and a final full stop may be there. Beyond literals it reads fun
// m:f/1, the sigils ~"…", ~b, ~B, ~s and ~S (OTP 27), native records
// #mod:name{field = 1} (OTP 29, taken for exported ones: others cannot be named
// outside their module), and pids, ports and references as Format writes them.
// It does not read variables, expressions, comprehensions, triple-quoted
// strings, or funs that are not external.
//
// The syntax is chapter "Data Types" and "Bit Syntax Expressions" of the Erlang
// reference manual. Differences: a character above 255 in <<"…">> without /utf8
// is refused, not truncated, and so are two equal keys in a map. Nesting is
// limited to 1,000 and a number to 100,000 digits. The error is a *ParseError.
func Parse(s string) (Term, error) {
	p := &parser{src: s, sized: parseMaxSized}
	if !utf8.ValidString(s) {
		p.pos = invalidAt(s)
		return nil, p.errorf("the text is not UTF-8")
	}
	t, err := p.term()
	if err != nil {
		return nil, err
	}
	p.space()
	if p.peek() == '.' {
		p.pos++
		p.space()
	}
	if p.pos < len(p.src) {
		return nil, p.expected("the end of the text")
	}
	return t, nil
}

func invalidAt(s string) int {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return i
			}
		}
	}
	return len(s)
}

// parser is a cursor over a text. It reads by recursive descent, without tokens.
type parser struct {
	src   string
	pos   int
	depth int
	sized int // how much of parseMaxSized is left
}

// errorf makes a ParseError for the place where the cursor is.
func (p *parser) errorf(format string, args ...any) error {
	read := p.src[:min(p.pos, len(p.src))]
	line := 1 + strings.Count(read, "\n")
	col := 1 + utf8.RuneCountInString(read[strings.LastIndexByte(read, '\n')+1:])
	return &ParseError{Line: line, Column: col, Msg: fmt.Sprintf(format, args...)}
}

// expected makes the error "expected X, found Y" for the cursor's place.
func (p *parser) expected(what string) error {
	if p.pos >= len(p.src) {
		return p.errorf("expected %s, found the end of the text", what)
	}
	if w := p.word(); w != "" {
		return p.errorf("expected %s, found %s", what, clip(w))
	}
	r, _ := utf8.DecodeRuneInString(p.src[p.pos:])
	return p.errorf("expected %s, found %q", what, r)
}

func clip(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// peek returns the byte under the cursor, 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.src) {
		return p.src[p.pos]
	}
	return 0
}

// space skips blanks and comments.
func (p *parser) space() {
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == '%':
			n := strings.IndexByte(p.src[p.pos:], '\n')
			if n < 0 {
				p.pos = len(p.src)
				return
			}
			p.pos += n
		case c <= ' ':
			p.pos++
		case strings.HasPrefix(p.src[p.pos:], "\u00a0"):
			p.pos += len("\u00a0")
		default:
			return
		}
	}
}

// eat skips blanks and then tok, if that is what comes.
func (p *parser) eat(tok string) bool {
	p.space()
	if strings.HasPrefix(p.src[p.pos:], tok) {
		p.pos += len(tok)
		return true
	}
	return false
}

func (p *parser) need(tok string) error {
	if p.eat(tok) {
		return nil
	}
	return p.expected(tok)
}

// word returns the letters, digits, _ and @ under the cursor, without reading them.
func (p *parser) word() string {
	rest := p.src[p.pos:]
	for i, r := range rest {
		if !isNameRune(r) {
			return rest[:i]
		}
	}
	return rest
}

// term reads one term of any type.
func (p *parser) term() (Term, error) {
	p.space()
	if p.depth++; p.depth > parseMaxDepth {
		return nil, p.errorf("nested deeper than %d", parseMaxDepth)
	}
	defer func() { p.depth-- }()
	switch c := p.peek(); {
	case c == '{':
		p.pos++
		elems, err := p.elements("}")
		return Tuple(elems), err
	case c == '[':
		p.pos++
		return p.list()
	case c == '#':
		return p.hash()
	case c == '<':
		return p.angle()
	case c == '"':
		text, err := p.stringLiterals()
		return codePoints(Charlist(text)), err
	case c == '~':
		return p.sigil()
	case c == '$' || c == '-' || c == '+' || isDigit(c):
		return p.number()
	default:
		return p.wordTerm()
	}
}

// elements reads comma-separated terms up to the closing token, which may come
// at once.
func (p *parser) elements(closing string) ([]Term, error) {
	elems := []Term{}
	if p.eat(closing) {
		return elems, nil
	}
	for {
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		elems = append(elems, t)
		if p.eat(closing) {
			return elems, nil
		}
		if !p.eat(",") {
			return nil, p.expected(", or " + closing)
		}
	}
}

// list reads what follows [.
func (p *parser) list() (Term, error) {
	elems := List{}
	if p.eat("]") {
		return elems, nil
	}
	for {
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		elems = append(elems, t)
		switch {
		case p.eat("]"):
			return elems, nil
		case p.eat(","):
		case p.eat("|"):
			tail, err := p.term()
			if err != nil {
				return nil, err
			}
			return consTail(elems, tail), p.need("]")
		default:
			return nil, p.expected(", or | or ]")
		}
	}
}

// consTail puts elems in front of tail, which may itself be a list: [a | [b]]
// is [a, b].
func consTail(elems List, tail Term) Term {
	switch tail := tail.(type) {
	case List:
		return append(elems, tail...)
	case ImproperList:
		return ImproperList{Elems: append(elems, tail.Elems...), Tail: tail.Tail}
	}
	return ImproperList{Elems: elems, Tail: tail}
}

// wordTerm reads an atom or a fun, and explains what else a word could be.
func (p *parser) wordTerm() (Term, error) {
	if w := p.word(); w == "fun" {
		p.pos += len(w)
		return p.export()
	}
	a, err := p.atom()
	if err != nil {
		return nil, err
	}
	return a, nil
}

// export reads what follows fun: module:function/arity. Reserved words may stand
// bare there, as OTP prints them: fun erlang:and/2.
func (p *parser) export() (Term, error) {
	var x Export
	var err error
	p.space()
	if x.Module, err = p.anyAtom(); err != nil {
		return nil, err
	}
	if err = p.need(":"); err != nil {
		return nil, err
	}
	p.space()
	if x.Function, err = p.anyAtom(); err != nil {
		return nil, err
	}
	if err = p.need("/"); err != nil {
		return nil, err
	}
	p.space()
	arity, err := p.decimal(255)
	x.Arity = uint8(arity)
	return x, err
}
