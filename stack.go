package truss

import (
	"path"
	"reflect"
	"runtime"
	"strings"

	"github.com/truss-beam/truss/etf"
)

// maxFrames is how much of a stack is told: Erlang tells 8 by default, but a Go
// stack has more that is not ours.
const maxFrames = 20

// panicStack is the stack of the panic being recovered from, in the shape of an
// Erlang stack trace, which Erlang's and Elixir's printers expect beside an
// error: {Module, Function, Arity, [{file, "x.go"}, {line, N}]}, where the package
// stands for the module. Go keeps no arity at run time; it is 0.
func panicStack() etf.List {
	var pcs [128]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	ours := reflect.TypeFor[Process]().PkgPath()
	stack, panicking := etf.List{}, false
	for len(stack) < maxFrames {
		frame, more := frames.Next()
		module, function := splitFunction(frame.Function)
		switch {
		case module == "runtime" && function == "gopanic":
			panicking = true // what comes before is the recovery
		case !panicking, module == "runtime", module == "reflect":
		case module == ours && (function == "(*function).call" || function == "(*Process).invoke" || function == "(*Process).apply" || function == "(*Process).run"):
			return stack
		default:
			stack = append(stack, stackFrame(module, function, frame))
		}
		if !more {
			return stack
		}
	}
	return stack
}

// stackFrame names the file by its last two elements: the rest is where the
// program was built, and of no use where it runs.
func stackFrame(module, function string, frame runtime.Frame) etf.Tuple {
	dir, file := path.Split(frame.File)
	location := etf.List{
		etf.Tuple{etf.Atom("file"), etf.Charlist(path.Join(path.Base(dir), file))},
		etf.Tuple{etf.Atom("line"), int64(frame.Line)},
	}
	return etf.Tuple{clippedAtom(module), clippedAtom(function), int64(0), location}
}

// splitFunction splits "example.com/a/b.(*T).Method" after the package.
func splitFunction(name string) (module, function string) {
	slash := strings.LastIndexByte(name, '/') + 1
	if dot := strings.IndexByte(name[slash:], '.'); dot >= 0 {
		return name[:slash+dot], name[slash+dot+1:]
	}
	return "", name
}

// clippedAtom is an atom of at most 255 characters: names of generic functions
// can be longer.
func clippedAtom(s string) etf.Atom {
	s = strings.ToValidUTF8(s, "?")
	if runes := []rune(s); len(runes) > 255 {
		s = string(runes[:255])
	}
	return etf.Atom(s)
}
