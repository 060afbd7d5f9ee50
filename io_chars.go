package truss

import (
	"errors"
	"unicode/utf8"

	"github.com/truss-beam/truss/etf"
)

var errChars = errors.New("not a list of characters or binaries")

// appendChars appends characters of the I/O protocol as UTF-8: a binary in the
// encoding, or a list, however deep, of binaries and code points (unicode:chardata()).
// A character may begin in one binary and end in the next.
func appendChars(dst []byte, encoding etf.Atom, chars etf.Term) ([]byte, error) {
	dst, err := flattenChars(dst, encoding, chars)
	if err == nil && !utf8.Valid(dst) {
		err = errChars
	}
	return dst, err
}

func flattenChars(dst []byte, encoding etf.Atom, chars etf.Term) (_ []byte, err error) {
	switch chars := chars.(type) {
	case []byte:
		if encoding != "latin1" {
			return append(dst, chars...), nil
		}
		for _, b := range chars {
			dst = utf8.AppendRune(dst, rune(b))
		}
		return dst, nil
	case etf.List:
		return flattenElements(dst, encoding, chars)
	case etf.ImproperList: // [C | Binary] is chardata, too
		if dst, err = flattenElements(dst, encoding, chars.Elems); err != nil {
			return dst, err
		}
		if tail, ok := chars.Tail.([]byte); ok {
			return flattenChars(dst, encoding, tail)
		}
	}
	return dst, errChars
}

func flattenElements(dst []byte, encoding etf.Atom, list etf.List) (_ []byte, err error) {
	for _, element := range list {
		if char, ok := element.(int64); ok {
			if char < 0 || char > utf8.MaxRune || !utf8.ValidRune(rune(char)) {
				return dst, errChars
			}
			dst = utf8.AppendRune(dst, rune(char))
			continue
		}
		if dst, err = flattenChars(dst, encoding, element); err != nil {
			return dst, err
		}
	}
	return dst, nil
}
