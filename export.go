package truss

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/truss-beam/truss/etf"
)

// Export makes Go functions callable as functions of an Erlang module on this
// node: Node.spawn and spawn_link start them from a BEAM, SpawnRemote from Go. The
// name of an Elixir module is "Elixir.MyApp.Calc".
//
// functions is either a Funcs, or a value whose exported methods are the
// functions, each under its name in snake case: AddAll is add_all, HTTPGet http_get.
// Methods may be called by several processes at once.
//
//	func (Math) Add(a, b int) int                                      math:add/2
//	func (Math) Sum(numbers ...float64) float64                        math:sum/N, any N
//	func (Math) Find(ctx context.Context, key string) (Row, error)     math:find/1
//	func (Math) Loop(ctx context.Context, p *truss.Process) error      math:loop/0
//
// A function may take a context.Context, done when its process has been ended,
// and then the *Process it runs in; neither counts as an argument. The others are
// whatever etf.Unmarshal can fill, or a Message to decode later. It returns a
// value that etf.Marshal takes, an error, both in this order, or nothing (which is
// ok to a caller).
//
// What a caller sees is what it sees of a BEAM: undef for what is not exported
// with this arity, function_clause for an argument that does not fit its type. An
// *ExitError is an exit, an *Exception whatever it says; an error that is an
// etf.TermMarshaler is an error with that term as reason, any other an error with
// its text, a binary, as reason. A panic is the error {go_panic, Text} with its
// stack, and harms nothing else.
//
// Export can be called several times for a module, but not twice for a function
// name. The error says which function cannot be exported, and why; none is then.
func (n *Node) Export(module string, functions any) error {
	if err := checkAtom(module); err != nil {
		return fmt.Errorf("truss: export of module %q: %w", module, err)
	}
	planned, err := planFunctions(functions)
	if err != nil {
		return fmt.Errorf("truss: export of module %s: %w", module, err)
	}
	return n.exports.add(etf.Atom(module), planned)
}

// Funcs are Go functions under the exact names they are exported by.
//
//	node.Export("math", truss.Funcs{"add": func(a, b int) int { return a + b }})
type Funcs map[string]any

// Exported tells whether Export has made such a function callable, as
// erlang:function_exported/3.
func (n *Node) Exported(module, function string, arity int) bool {
	f := n.exports.find(etf.Atom(module), etf.Atom(function))
	return f != nil && f.accepts(arity)
}

// exports is the table of a node's exported functions, by module and name.
type exports struct {
	mu sync.RWMutex
	m  map[etf.Atom]map[etf.Atom]*function
}

func (t *exports) find(module, name etf.Atom) *function {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.m[module][name]
}

func (t *exports) add(module etf.Atom, functions []*function) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range functions {
		if t.m[module][f.name] != nil || unwraps(module, f.name) {
			return fmt.Errorf("truss: %s:%s is exported already", module, f.name)
		}
	}
	if t.m == nil {
		t.m = make(map[etf.Atom]map[etf.Atom]*function)
	}
	if t.m[module] == nil {
		t.m[module] = make(map[etf.Atom]*function, len(functions))
	}
	for _, f := range functions {
		t.m[module][f.name] = f
	}
	return nil
}

// planFunctions plans all functions of what Export was given.
func planFunctions(functions any) ([]*function, error) {
	values, err := functionValues(functions)
	if err != nil {
		return nil, err
	}
	var planned []*function
	for _, name := range slices.Sorted(maps.Keys(values)) { // sorted: the same mistakes give the same error
		if err := checkAtom(string(name)); err != nil {
			return nil, fmt.Errorf("function %q: %w", name, err)
		}
		f, err := planFunction(name, values[name])
		if err != nil {
			return nil, fmt.Errorf("function %s: %w", name, err)
		}
		planned = append(planned, f)
	}
	return planned, nil
}

func functionValues(functions any) (map[etf.Atom]reflect.Value, error) {
	values := make(map[etf.Atom]reflect.Value)
	if funcs, ok := functions.(Funcs); ok {
		for name, f := range funcs {
			values[etf.Atom(name)] = reflect.ValueOf(f)
		}
		return values, nil
	}
	v := reflect.ValueOf(functions)
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, fmt.Errorf("%T has no methods to call", functions)
	}
	for method, value := range v.Methods() {
		name := etf.Atom(snakeCase(method.Name))
		if _, taken := values[name]; taken {
			return nil, fmt.Errorf("two methods of %v would be %s: give the names in a truss.Funcs", v.Type(), name)
		}
		values[name] = value
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("%v has no exported methods", v.Type())
	}
	return values, nil
}

func checkAtom(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("a name cannot be empty")
	case !utf8.ValidString(name):
		return fmt.Errorf("a name must be UTF-8")
	case utf8.RuneCountInString(name) > 255:
		return fmt.Errorf("a name has at most 255 characters")
	}
	return nil
}
