package truss

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// unknownKey is a Go error that is an Elixir exception.
type unknownKey struct{ key string }

func (e unknownKey) Error() string { return "no " + e.key }

func (e unknownKey) MarshalTerm() (etf.Term, error) {
	return etf.Map{
		{Key: etf.Atom("__struct__"), Value: etf.Atom("Elixir.KeyError")},
		{Key: etf.Atom("key"), Value: e.key},
	}, nil
}

type unprintable struct{ unknownKey }

func (unprintable) MarshalTerm() (etf.Term, error) { return nil, errors.New("never") }

type point struct{ X, Y int }

// sample has a function for each way one can end.
func sample() Funcs {
	return Funcs{
		"add":     func(a, b int) int { return a + b },
		"sum":     func(start int64, more ...uint8) (int64, error) { return start + int64(len(more)), nil },
		"move":    func(p point) point { return point{p.Y, p.X} },
		"keep":    func(m Message) Message { return m },
		"nothing": func() {},
		"fine":    func() error { return nil },
		"pid":     func(_ context.Context, p *Process) etf.Pid { return p.PID() },
		"alive":   func(ctx context.Context) bool { return ctx.Err() == nil },
		"fail":    func(text string) (int, error) { return 0, errors.New(text) },
		"wrap":    func() error { return fmt.Errorf("find: %w", unknownKey{"k"}) },
		"never":   func() error { return unprintable{unknownKey{"k"}} },
		"exit":    func(t etf.Term) error { return fmt.Errorf("so be it: %w", &ExitError{Reason: t}) },
		"throw":   func(t etf.Term) error { return &Exception{Class: ClassThrow, Reason: t} },
		"raise":   func(t etf.Term) error { return &Exception{Reason: t, Stack: etf.List{etf.Atom("own")}} },
		"index":   func(i int) int { return []int{1}[i] },
		"panic":   func(t etf.Term) { panic(t) },
		"null":    func() error { return (*Exception)(nil) },
	}
}

func applier(t testing.TB) *Process {
	n := &Node{}
	if err := n.Export("m", sample()); err != nil {
		t.Fatal(err)
	}
	p := n.newProcess()
	p.pid = etf.Pid{Node: "n@h", ID: 7, Creation: 9}
	return p
}

func parse(t testing.TB, text string) etf.Term {
	t.Helper()
	term, err := etf.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return term
}

// TestApply: what a function gets, and what its caller and its process's watchers
// see of it. Stacks are as those of OTP's error_handler and erlang:apply.
func TestApply(t *testing.T) {
	p := applier(t)
	for _, c := range []struct{ module, function, args, want, exit string }{
		{"m", "add", "[1, 2]", "3", ""},
		{"m", "sum", "[40]", "40", ""},
		{"m", "sum", "[40, 1, 1]", "42", ""},
		{"m", "move", "[#{x => 1, y => 2}]", "#{x => 2, y => 1}", ""},
		{"m", "keep", "[{a, [b | c], <<1>>}]", "{a, [b | c], <<1>>}", ""},
		{"m", "nothing", "[]", "ok", ""},
		{"m", "fine", "[]", "ok", ""},
		{"m", "alive", "[]", "true", ""},

		{"m", "fail", `[<<"why">>]`, `error <<"why">> [{m, fail, 1, []}]`, `{<<"why">>, [{m, fail, 1, []}]}`},
		{"m", "wrap", "[]", `error #{'__struct__' => 'Elixir.KeyError', key => <<"k">>} [{m, wrap, 0, []}]`, `{#{'__struct__' => 'Elixir.KeyError', key => <<"k">>}, [{m, wrap, 0, []}]}`},
		{"m", "never", "[]", `error <<"no k">> [{m, never, 0, []}]`, `{<<"no k">>, [{m, never, 0, []}]}`},
		{"m", "exit", "[{a, 1}]", "exit {a, 1} [{m, exit, 1, []}]", "{a, 1}"},
		{"m", "throw", "[{a, 1}]", "throw {a, 1} [{m, throw, 1, []}]", "{{nocatch, {a, 1}}, [{m, throw, 1, []}]}"},
		{"m", "raise", "[badarg]", "error badarg [own]", "{badarg, [own]}"},

		{"m", "add", "[1]", "error undef [{m, add, [1], []}]", "{undef, [{m, add, [1], []}]}"},
		{"m", "sum", "[]", "error undef [{m, sum, [], []}]", ""},
		{"m", "subtract", "[1, 2]", "error undef [{m, subtract, [1, 2], []}]", ""},
		{"x", "add", "[1, 2]", "error undef [{x, add, [1, 2], []}]", ""},
		{"m", "add", "[1, a]", "error function_clause [{m, add, [1, a], []}]", "{function_clause, [{m, add, [1, a], []}]}"},
		{"m", "add", "[1, 9223372036854775808]", "error function_clause [{m, add, [1, 9223372036854775808], []}]", ""},
		{"m", "sum", "[1, 2, 256]", "error function_clause [{m, sum, [1, 2, 256], []}]", ""},
		{"m", "add", "foo", "error badarg [{erlang, apply, [m, add, foo], []}]", ""},
		{"m", "add", "[1 | 2]", "error badarg [{erlang, apply, [m, add, [1 | 2]], []}]", ""},

		{"erlang", "apply", "[m, add, [1, 2]]", "3", ""},
		{"erlang", "apply", "[fun m:add/2, [1, 2]]", "3", ""},
		{"erlang", "apply", "[erlang, apply, [fun erlang:apply/2, [fun m:nothing/0, []]]]", "ok", ""},
		{"proc_lib", "init_p", "[parent, [ancestor], m, add, [1, 2]]", "3", ""},
		{"proc_lib", "init_p", "[parent, [ancestor], fun m:nothing/0]", "ok", ""},
		{"erlang", "apply", "[fun m:add/2, [1]]", "error {badarity, {fun m:add/2, [1]}} []", "{{badarity, {fun m:add/2, [1]}}, []}"},
		{"erlang", "apply", "[fun x:y/0, []]", "error undef [{x, y, [], []}]", ""},
		{"erlang", "apply", "[fun m:nothing/0, x]", "error badarg [{erlang, apply, [m, nothing, x], []}]", ""},
		{"erlang", "apply", "[x, []]", "error {badfun, x} []", ""},
		{"erlang", "apply", "[m, 1, []]", "error badarg [{erlang, apply, [m, 1, []], []}]", ""},
		{"erlang", "apply", "[<<1>>, add, []]", "error badarg [{erlang, apply, [<<1>>, add, []], []}]", ""},
		{"erlang", "apply", "[a]", "error undef [{erlang, apply, [a], []}]", ""},
		{"erlang", "apply", "x", "error badarg [{erlang, apply, [erlang, apply, x], []}]", ""},
		{"proc_lib", "init_p", "[]", "error undef [{proc_lib, init_p, [], []}]", ""},
		{"proc_lib", "init_p", "[a, b, c, d]", "error undef [{proc_lib, init_p, [a, b, c, d], []}]", ""},
		{"proc_lib", "init_p", "[a, b]", "error undef [{proc_lib, init_p, [a, b], []}]", ""},
	} {
		name := c.module + ":" + c.function + c.args
		value, err := p.Apply(t.Context(), c.module, c.function, parse(t, c.args))
		got := []etf.Term{value}
		var e *Exception
		if errors.As(err, &e) {
			got = []etf.Term{e.Class, e.Reason, e.Stack}
		}
		want := []etf.Term{}
		if class, rest, ok := strings.Cut(c.want, " "); ok && e != nil {
			pair := parse(t, "{"+class+", "+endOfReason(rest)+"}").(etf.Tuple)
			want = append(want, pair...)
		} else {
			want = append(want, parse(t, c.want))
		}
		if !sameTerms(t, got, want) {
			t.Errorf("%s gives %s", name, etf.Format(etf.List(got)))
		}
		if c.exit != "" && !sameTerms(t, []etf.Term{exitReason(err)}, []etf.Term{parse(t, c.exit)}) {
			t.Errorf("%s ends its process with %s, want %s", name, etf.Format(exitReason(err)), c.exit)
		}
	}
}

// endOfReason puts a comma between the reason and the stack: "R [S]" is "R, [S]".
func endOfReason(s string) string {
	at := strings.LastIndex(s, " [{")
	if at < 0 {
		at = strings.LastIndex(s, " [")
	}
	return s[:at] + "," + s[at:]
}

// sameTerms compares as terms what may still be Go values.
func sameTerms(t testing.TB, got, want []etf.Term) bool {
	t.Helper()
	a, errA := etf.Marshal(got)
	b, errB := etf.Marshal(want)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	x, errX := etf.Decode(a)
	y, errY := etf.Decode(b)
	return errX == nil && errY == nil && etf.Equal(x, y)
}

func TestApplyPassesTheProcess(t *testing.T) {
	p := applier(t)
	if pid, err := p.Apply(t.Context(), "m", "pid", etf.List{}); pid != p.pid || err != nil {
		t.Errorf("%v, %v", pid, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if alive, err := p.Apply(ctx, "m", "alive", etf.List{}); alive != false || err != nil {
		t.Errorf("%v, %v", alive, err)
	}
}

// TestApplyPanic: a panic is an error with the stack of the Go code, as Erlang's
// printers want it.
func TestApplyPanic(t *testing.T) {
	p := applier(t)
	for _, c := range []struct {
		function, args, reason string
		ours                   bool // its first frame is of this file
	}{
		{"index", "[5]", `{go_panic, <<"runtime error: index out of range [5] with length 1">>}`, true},
		{"panic", "[oops]", `{go_panic, <<"oops">>}`, true},
		{"null", "[]", `{go_panic, <<"runtime error: invalid memory address or nil pointer dereference">>}`, false},
	} {
		_, err := p.Apply(t.Context(), "m", c.function, parse(t, c.args))
		var e *Exception
		if !errors.As(err, &e) || !sameTerms(t, []etf.Term{e.Reason}, []etf.Term{parse(t, c.reason)}) {
			t.Errorf("%s: %v", c.function, err)
			continue
		}
		frame := etf.Format(e.Stack[0])
		if c.ours && !(strings.HasPrefix(frame, "{'github.com/truss-beam/truss','sample.func") && strings.Contains(frame, `/apply_test.go"},{line,`)) {
			t.Errorf("%s: the stack begins with %s", c.function, frame)
		}
		if len(e.Stack) > 2 {
			t.Errorf("%s: the stack goes on into the runtime: %s", c.function, etf.Format(e.Stack))
		}
		if len(e.goStack) == 0 {
			t.Errorf("%s: nothing for the log", c.function)
		}
	}
}

// TestApplyLimits: arguments and nesting beyond what Erlang has are refused before
// they cost anything.
func TestApplyLimits(t *testing.T) {
	p := applier(t)
	nested := etf.Term(etf.List{etf.Atom("m"), etf.Atom("nothing"), etf.List{}})
	for range maxUnwraps {
		nested = etf.List{etf.Atom("erlang"), etf.Atom("apply"), nested}
	}
	bytes := etf.Charlist(strings.Repeat("x", 256))
	atoms := make(etf.List, 256)
	for i := range atoms {
		atoms[i] = etf.Atom("a")
	}
	for name, c := range map[string]struct {
		module, function string
		args             any
	}{
		"nested": {"erlang", "apply", nested}, "a string": {"m", "sum", bytes}, "a list": {"m", "sum", atoms},
	} {
		_, err := p.Apply(t.Context(), c.module, c.function, c.args)
		var e *Exception
		if !errors.As(err, &e) || e.Reason != etf.Term(etf.Atom("system_limit")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.Apply(t.Context(), "m", "add", etf.Charlist("ab")); err != nil {
		t.Errorf("arguments in the form of a string: %v", err)
	}
	if got, err := p.Apply(t.Context(), "m", "add", make(chan int)); err == nil {
		t.Errorf("arguments that are no term: %v", got)
	}
}

const maxApplyAllocs = 6 // 2 without the race detector, with which a sync.Pool forgets some

// TestApplyAllocates guards what a call costs: what reflect makes of the results.
func TestApplyAllocates(t *testing.T) {
	p := applier(t)
	raw, err := encoded(etf.List{1000, 2000})
	if err != nil {
		t.Fatal(err)
	}
	c := mfa{module: "m", function: "add", args: Message{raw: raw}}
	if allocs := testing.AllocsPerRun(100, func() {
		if _, failed := p.apply(t.Context(), c); failed != nil {
			t.Error(failed)
		}
	}); allocs > maxApplyAllocs {
		t.Errorf("%v allocations, want at most %d", allocs, maxApplyAllocs)
	}
}

// FuzzApply: whatever bytes a peer sends as arguments, a function runs or an
// exception comes of it that can be sent back.
func FuzzApply(f *testing.F) {
	functions := []mfa{
		{module: "m", function: "add"}, {module: "m", function: "sum"}, {module: "m", function: "move"}, {module: "m", function: "keep"},
		{module: "m", function: "raise"}, {module: "erlang", function: "apply"}, {module: "proc_lib", function: "init_p"}, {module: "x", function: "y"},
	}
	for i, text := range []string{
		"[1, 2]", "[1, 2, 3]", "[#{x => 1, y => 2}]", "[{a}]", "[a]", "[m, add, [1, 2]]", "[a, b, fun m:nothing/0]", "[]",
		"[a | b]", "[erlang, apply, [fun m:add/2, [1]]]",
	} {
		term, err := etf.Parse(text)
		if err != nil {
			f.Fatal(err)
		}
		raw, err := encoded(term)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), raw)
		f.Add(uint8(i), raw[:len(raw)/2])
	}
	p := applier(f)
	f.Fuzz(func(t *testing.T, which uint8, raw []byte) {
		c := functions[int(which)%len(functions)]
		c.args = Message{raw: raw}
		value, failed := p.apply(t.Context(), c)
		reason := etf.Term(nil)
		if failed != nil {
			reason = exitReason(failed)
		}
		if failed != nil && failed.goStack != nil {
			t.Errorf("%s:%s panics: %v", c.module, c.function, failed)
		}
		if m, ok := value.(Message); ok {
			value = m.orUndefined()
		}
		if _, err := encoded(etf.Tuple{value, reason}); err != nil {
			t.Errorf("%s:%s: %v", c.module, c.function, err)
		}
	})
}
