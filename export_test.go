package truss

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/truss-beam/truss/etf"
)

func TestSnakeCase(t *testing.T) {
	for name, want := range map[string]string{
		"Add": "add", "AddAll": "add_all", "HTTPGet": "http_get", "GetURL": "get_url", "ID": "id",
		"V2Ray": "v2_ray", "A": "a", "With_Underscore": "with_underscore", "ÄrgerMich": "ärger_mich", "already": "already",
	} {
		if got := snakeCase(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

type twoAlike struct{}

func (twoAlike) HTTPGet() {}
func (twoAlike) HttpGet() {}

type hidden struct{}

func (hidden) add() {}

type keepsChan struct {
	Deep []map[string]*struct{ C chan int }
}

type tree struct{ Children []tree }

// selfMade converts itself, though it holds what no term can be.
type selfMade struct{ F func() }

func (*selfMade) UnmarshalTerm(etf.Term) error  { return nil }
func (selfMade) MarshalTerm() (etf.Term, error) { return etf.Atom("made"), nil }

// TestExportErrors: what can never be called is refused when it is exported, and
// the error says which function, and what about it.
func TestExportErrors(t *testing.T) {
	hidden{}.add()
	var nobody *twoAlike
	for _, c := range []struct {
		module    string
		functions any
		says      string
	}{
		{"", Funcs{"f": func() {}}, "cannot be empty"},
		{"\xff", Funcs{"f": func() {}}, "UTF-8"},
		{strings.Repeat("ä", 256), Funcs{"f": func() {}}, "255 characters"},
		{"m", Funcs{"": func() {}}, "cannot be empty"},
		{"m", nil, "has no methods"},
		{"m", nobody, "has no methods"},
		{"m", hidden{}, "truss.hidden has no exported methods"},
		{"m", twoAlike{}, "two methods of truss.twoAlike would be http_get"},
		{"m", Funcs{"f": 1}, "function f: not a function"},
		{"m", Funcs{"f": (func())(nil)}, "function f: not a function"},
		{"m", Funcs{"f": func(int, chan int) {}}, "parameter 2 of func(int, chan int): no Erlang term is a chan int"},
		{"m", Funcs{"f": func(keepsChan) {}}, "no Erlang term is a chan int"},
		{"m", Funcs{"f": func(...func()) {}}, "no Erlang term is a func()"},
		{"m", Funcs{"f": func(error) {}}, "the interface error does not say"},
		{"m", Funcs{"f": func(int, context.Context) {}}, "context.Context does not say"},
		{"m", Funcs{"f": func() complex64 { return 0 }}, "result of func() complex64"},
		{"m", Funcs{"f": func() (int, string) { return 0, "" }}, "more than a value and an error"},
		//lint:ignore ST1008 the wrong order is the point
		{"m", Funcs{"f": func() (error, int) { return nil, 0 }}, "more than a value and an error"},
		{"erlang", Funcs{"apply": func() {}}, "erlang:apply is exported already"},
	} {
		var n Node
		err := n.Export(c.module, c.functions)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%T: %v, want %q", c.functions, err, c.says)
		}
		if len(n.exports.m) != 0 {
			t.Errorf("%T: exported in spite of %v", c.functions, err)
		}
	}
}

func TestExport(t *testing.T) {
	var n Node
	if err := n.Export("m", Funcs{
		"any":     func(etf.Term) any { return nil },
		"both":    func(context.Context, *Process, int) error { return nil },
		"process": func(*Process) {},
		"some":    func(time.Duration, tree, *[]selfMade, Message, map[string]selfMade) selfMade { return selfMade{} },
		"many":    func(context.Context, string, ...int) {},
		"failure": func() (error, error) { return nil, nil }, // odd, but an error can be a result
	}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		function string
		arities  []int // of those from 0 to 6
	}{
		{"any", []int{1}}, {"both", []int{1}}, {"process", []int{0}}, {"some", []int{5}},
		{"many", []int{1, 2, 3, 4, 5, 6}}, {"failure", []int{0}}, {"none", nil},
	} {
		var got []int
		for arity := range 7 {
			if n.Exported("m", c.function, arity) {
				got = append(got, arity)
			}
		}
		if len(got) != len(c.arities) || len(got) > 0 && got[0] != c.arities[0] {
			t.Errorf("%s is exported with arities %v, want %v", c.function, got, c.arities)
		}
	}
	// More functions for the module, but none twice.
	if err := n.Export("m", Funcs{"more": func() {}}); err != nil || !n.Exported("m", "more", 0) || !n.Exported("m", "any", 1) {
		t.Errorf("a second Export: %v", err)
	}
	err := n.Export("m", Funcs{"another": func() {}, "more": func() {}})
	if err == nil || !strings.Contains(err.Error(), "m:more is exported already") || n.Exported("m", "another", 0) {
		t.Errorf("the same function again: %v", err)
	}
}
