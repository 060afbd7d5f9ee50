package rpc

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/truss-beam/truss/etf"
)

// text is a reason for people: text as it is, an Elixir exception or a Go panic by
// its message, anything else as a term.
func text(reason etf.Term) string {
	switch r := reason.(type) {
	case string:
		return r
	case []byte:
		if utf8.Valid(r) {
			return string(r)
		}
	case etf.Tuple:
		if len(r) == 2 && r[0] == etf.Term(etf.Atom("go_panic")) {
			return "panic: " + text(r[1])
		}
	case etf.Map:
		if s, ok := exceptionText(r); ok {
			return s
		}
	}
	return etf.Format(reason)
}

// exceptionText is "ArgumentError: message" of an Elixir exception.
func exceptionText(m etf.Map) (string, bool) {
	var kind etf.Atom
	var message string
	exception := false
	for _, pair := range m {
		switch pair.Key {
		case etf.Atom("__struct__"):
			kind, _ = pair.Value.(etf.Atom)
		case etf.Atom("__exception__"):
			exception = true
		case etf.Atom("message"):
			switch v := pair.Value.(type) {
			case string:
				message = v
			case []byte:
				message = string(v)
			}
		}
	}
	short, elixir := strings.CutPrefix(string(kind), "Elixir.")
	return short + ": " + message, exception && elixir && message != ""
}

// name is how a function is written where it was: calc:add/2 in Erlang,
// MyApp.Calc.add/2 in Elixir, and example.com/calc.Add of a Go stack.
func name(module, function etf.Atom, arity any) string {
	if elixir, ok := strings.CutPrefix(string(module), "Elixir."); ok {
		return fmt.Sprintf("%s.%s/%v", elixir, function, arity)
	}
	if strings.ContainsAny(string(module), "./") || module == "main" && arity == int64(0) {
		return fmt.Sprintf("%s.%s", module, function)
	}
	return fmt.Sprintf("%s:%s/%v", module, function, arity)
}

// frame is an entry of a stack: the function, and where it is, if known.
func frame(entry etf.Term) (function, at string) {
	f, ok := entry.(etf.Tuple)
	if !ok || len(f) < 3 {
		return etf.Format(entry), ""
	}
	module, isModule := f[0].(etf.Atom)
	called, isFunction := f[1].(etf.Atom)
	if !isModule || !isFunction {
		return etf.Format(entry), ""
	}
	arity, args := any(f[2]), ""
	if list, ok := f[2].(etf.List); ok {
		arity, args = int64(len(list)), argsText(list)
	}
	function = name(module, called, arity) + args
	if len(f) < 4 {
		return function, ""
	}
	file, line := location(f[3])
	switch {
	case file != "" && line != "":
		at = file + ":" + line
	default:
		at = file
	}
	return function, at
}

// argsText is the arguments of a call that no function took.
func argsText(args etf.List) string {
	const most = 200 // characters: what does not fit a line helps nobody
	printed := make([]string, len(args))
	for i, arg := range args {
		printed[i] = etf.Format(arg)
	}
	all := []rune("(" + strings.Join(printed, ", ") + ")")
	if len(all) > most {
		all = append(all[:most], '…', ')')
	}
	return string(all)
}

func location(term etf.Term) (file, line string) {
	list, _ := term.(etf.List)
	for _, entry := range list {
		pair, ok := entry.(etf.Tuple)
		if !ok || len(pair) != 2 {
			continue
		}
		switch pair[0] {
		case etf.Term(etf.Atom("file")):
			file = charlist(pair[1])
		case etf.Term(etf.Atom("line")):
			line = etf.Format(pair[1])
		}
	}
	return file, line
}

// charlist is a file name, a list of characters or a binary.
func charlist(term etf.Term) string {
	list, ok := term.(etf.List)
	if !ok {
		return strings.Trim(etf.Format(term), `"`)
	}
	var b strings.Builder
	for _, element := range list {
		r, ok := element.(int64)
		if !ok || r < 0 || r > utf8.MaxRune {
			return etf.Format(term)
		}
		b.WriteRune(rune(r))
	}
	return b.String()
}

// place is the innermost frame of a stack whose place is known, if it is the first.
func place(stack etf.List) string {
	if len(stack) == 0 {
		return ""
	}
	function, at := frame(stack[0])
	if at == "" {
		return ""
	}
	return function + " (" + at + ")"
}

func stackTrace(stack etf.List) string {
	var b strings.Builder
	for i, entry := range stack {
		if i > 0 {
			b.WriteByte('\n')
		}
		function, at := frame(entry)
		b.WriteString(function)
		if at != "" {
			b.WriteString("\n\t" + at)
		}
	}
	return b.String()
}
