package cli

import (
	"fmt"
	"strings"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // tried, and it did not work
	exitUsage  = 2 // not tried: the command line makes no sense
)

// failure is how a command fails: one line for a person, or an object for a
// program.
type failure struct {
	code  int
	doing string // what could not be done: "cannot connect"
	node  string // with whom, or ""
	err   error  // why
	hint  string // what to do, or ""
}

func (f *failure) Error() string {
	var b strings.Builder
	if f.doing != "" {
		b.WriteString(f.doing + ": ")
	}
	b.WriteString(f.cause())
	if f.hint != "" {
		b.WriteString(" (" + f.hint + ")")
	}
	return b.String()
}

func (f *failure) Unwrap() error { return f.err }

// object is what --json prints.
func (f *failure) object() any {
	return struct {
		Error string `json:"error"`
		Doing string `json:"doing,omitempty"`
		Node  string `json:"node,omitempty"`
		Cause string `json:"cause"`
		Hint  string `json:"hint,omitempty"`
		Exit  int    `json:"exit"`
	}{f.Error(), f.doing, f.node, f.cause(), f.hint, f.code}
}

// cause is why, without the library's name, which stands before the whole, and on
// one line, to keep scripts that read line by line in step.
func (f *failure) cause() string {
	text := strings.TrimPrefix(f.err.Error(), "truss: ")
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}

// usage is the failure of a command line that makes no sense.
func usage(format string, args ...any) error {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...)}
}
