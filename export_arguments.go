package truss

import (
	"context"
	"fmt"
	"reflect"
)

// arguments are those of a function's call. They are used again for the next one: to
// make them takes as long as to decode what goes into them. The function gets copies.
type arguments struct {
	in []reflect.Value // what the function is called with: what the others point to

	context *context.Context // nil if it takes none
	process **Process        // nil if it takes none
	args    []argument
}

// argument is where one is decoded to, or put as it is.
type argument struct {
	decoded any      // a pointer
	encoded *Message // nil unless the function wants a Message
}

// arguments are as many as f accepts, empty.
func (f *function) arguments(arity int) *arguments {
	if a, ok := f.spare.Get().(*arguments); ok && len(a.args) == arity { // which only variadic ones change
		return a
	}
	a := &arguments{in: make([]reflect.Value, 0, arity+2), args: make([]argument, arity)}
	add := func(t reflect.Type) any {
		v := reflect.New(t)
		a.in = append(a.in, v.Elem())
		return v.Interface()
	}
	if f.context {
		a.context = add(contextType).(*context.Context)
	}
	if f.process {
		a.process = add(processType).(**Process)
	}
	for i := range a.args {
		a.args[i].decoded = add(f.params[min(i, len(f.params)-1)])
		a.args[i].encoded, _ = a.args[i].decoded.(*Message)
	}
	return a
}

// fill decodes the arguments.
func (a *arguments) fill(ctx context.Context, p *Process, args []Message) error {
	if a.context != nil {
		*a.context = ctx
	}
	if a.process != nil {
		*a.process = p
	}
	for i, arg := range args {
		if to := a.args[i].encoded; to != nil {
			*to = arg
		} else if err := arg.Unmarshal(a.args[i].decoded); err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return nil
}

// clear forgets the arguments, which may be large.
func (a *arguments) clear() {
	for _, v := range a.in {
		v.SetZero()
	}
}
