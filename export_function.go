package truss

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/truss-beam/truss/etf"
)

// function is an exported Go function and what Export found out about it.
type function struct {
	name     etf.Atom
	value    reflect.Value
	context  bool           // its first parameter is a context.Context
	process  bool           // the next one is a *Process
	params   []reflect.Type // the others; of a variadic one the last is the element
	variadic bool
	result   bool // it returns a value
	fails    bool // its last result is an error

	spare sync.Pool // of *arguments
}

var (
	contextType = reflect.TypeFor[context.Context]()
	processType = reflect.TypeFor[*Process]()
	messageType = reflect.TypeFor[Message]()
	errorType   = reflect.TypeFor[error]()
)

func planFunction(name etf.Atom, value reflect.Value) (*function, error) {
	if value.Kind() != reflect.Func || value.IsNil() {
		return nil, errors.New("not a function")
	}
	t := value.Type()
	f := &function{name: name, value: value, variadic: t.IsVariadic()}
	for in := range t.Ins() {
		switch {
		case in == contextType && !f.context && !f.process && len(f.params) == 0:
			f.context = true
		case in == processType && !f.process && len(f.params) == 0:
			f.process = true
		default:
			f.params = append(f.params, in)
		}
	}
	if f.variadic {
		last := len(f.params) - 1
		f.params[last] = f.params[last].Elem()
	}
	for i, param := range f.params {
		if why := unfit(param, unmarshalerType, nil); why != "" && param != messageType {
			return nil, fmt.Errorf("parameter %d of %v: %s", i+1, t, why)
		}
	}
	return f, f.planResults(t)
}

func (f *function) planResults(t reflect.Type) error {
	n := t.NumOut()
	if n > 0 && t.Out(n-1) == errorType {
		f.fails = true
		n--
	}
	switch n {
	case 0:
		return nil
	case 1:
		f.result = true
		if why := unfit(t.Out(0), marshalerType, nil); why != "" {
			return fmt.Errorf("result of %v: %s", t, why)
		}
		return nil
	}
	return fmt.Errorf("%v returns more than a value and an error: return an etf.Tuple or a struct", t)
}

var (
	marshalerType   = reflect.TypeFor[etf.TermMarshaler]()
	unmarshalerType = reflect.TypeFor[etf.TermUnmarshaler]()
)

// unfit tells why no term can ever be a t, or "". by is the interface of types
// that convert themselves; seen are the types that t is part of.
func unfit(t, by reflect.Type, seen []reflect.Type) string {
	if t.Implements(by) || reflect.PointerTo(t).Implements(by) {
		return ""
	}
	for _, outer := range seen {
		if outer == t {
			return ""
		}
	}
	seen = append(seen, t)
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return fmt.Sprintf("no Erlang term is a %v", t)
	case reflect.Interface:
		if t.NumMethod() > 0 && by == unmarshalerType {
			return fmt.Sprintf("the interface %v does not say which type to decode into", t)
		}
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return unfit(t.Elem(), by, seen)
	case reflect.Map:
		if why := unfit(t.Key(), by, seen); why != "" {
			return why
		}
		return unfit(t.Elem(), by, seen)
	case reflect.Struct:
		for field := range t.Fields() {
			if field.IsExported() && field.Tag.Get("etf") != "-" {
				if why := unfit(field.Type, by, seen); why != "" {
					return why
				}
			}
		}
	}
	return ""
}

func (f *function) accepts(arity int) bool {
	if f.variadic {
		return arity >= len(f.params)-1
	}
	return arity == len(f.params)
}

// call runs the function, and takes the arguments back.
func (f *function) call(a *arguments) (any, error) {
	out := f.value.Call(a.in)
	a.clear()
	f.spare.Put(a)
	if f.fails {
		if err, failed := out[len(out)-1].Interface().(error); failed {
			return nil, err
		}
	}
	if !f.result {
		return etf.Atom("ok"), nil
	}
	return out[0].Interface(), nil
}
