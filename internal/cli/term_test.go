package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/truss-beam/truss/etf"
)

func TestReadTerm(t *testing.T) {
	for _, tt := range []struct{ arg, in, want string }{
		{"{a, [1]}", "", "{a,[1]}"},
		{"-", "#{k => <<\"v\">>}.\n", `#{k => <<"v">>}`},
		{"-1", "", "-1"},
	} {
		term, err := (&terminal{in: strings.NewReader(tt.in)}).readTerm(tt.arg)
		if err != nil || etf.Format(term) != tt.want {
			t.Errorf("%q with %q on standard input: %v, %v", tt.arg, tt.in, term, err)
		}
	}
}

// TestReadTermErrors wants to be shown where the mistake is.
func TestReadTermErrors(t *testing.T) {
	long := strings.Repeat("a, ", 100)
	for _, tt := range []struct{ text, where, shown string }{
		{"{add, 1 2}", "column 9: ", "{add, 1  ⟶ 2}"},
		{"{add,\n 1 2}", "line 2, column 4: ", " 1  ⟶ 2}"},
		{"self()", "column 5: ", "self ⟶ ()"},
		{"", "column 1: ", " ⟶ "},
		{"{" + long + "B, " + long + "c}", "column 302: ", "… a, a, a, a, a, a, a, a, a, a, a, a, a,  ⟶ B, a, "},
	} {
		_, err := (&terminal{}).readTerm(tt.text)
		var f *failure
		if !errors.As(err, &f) || f.code != exitUsage {
			t.Errorf("%q: %v is no usage error", tt.text, err)
			continue
		}
		if !strings.Contains(err.Error(), "TERM is wrong at "+tt.where) || !strings.Contains(err.Error(), tt.shown) {
			t.Errorf("%q: %q lacks %q or %q", tt.text, err, tt.where, tt.shown)
		}
		var parse *etf.ParseError
		if !errors.As(err, &parse) {
			t.Errorf("%q: the *etf.ParseError is lost", tt.text)
		}
		if len(err.Error()) > 300 {
			t.Errorf("%q: %d bytes of error", tt.text[:20], len(err.Error()))
		}
	}
}

// brokenReader fails.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestReadTermFromStdin(t *testing.T) {
	if _, err := (&terminal{in: brokenReader{}}).readTerm("-"); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("a broken standard input: %v", err)
	}
	endless := &terminal{in: zeros{}}
	if _, err := endless.readTerm("-"); err == nil || !strings.Contains(err.Error(), "more than 67108864 bytes") {
		t.Errorf("an endless standard input: %v", err)
	}
}

// zeros is an endless number.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '0'
	}
	return len(b), nil
}

func TestMarked(t *testing.T) {
	for _, tt := range []struct {
		text         string
		line, column int
		want         string
	}{
		{"abc", 1, 1, " ⟶ abc"},
		{"abc", 1, 4, "abc ⟶ "},
		{"abc", 1, 9, "abc ⟶ "},
		{"Zoë x", 1, 5, "Zoë  ⟶ x"},
		{"a\nb", 2, 1, " ⟶ b"},
		{"a\nb", 3, 1, "a\nb"},
	} {
		if got := marked(tt.text, tt.line, tt.column); got != tt.want {
			t.Errorf("%q at %d:%d: %q, want %q", tt.text, tt.line, tt.column, got, tt.want)
		}
	}
}
