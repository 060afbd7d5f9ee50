package truss

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/truss-beam/truss/etf"
)

// Methods makes a Server of a Go value: its exported methods answer the requests
// {name, Args...}, or name alone, each under its name in snake case.
//
//	type Calc struct{ total int }
//	func (c *Calc) Add(a, b int) int { c.total += a + b; return c.total }
//
//	node.Serve("calc", truss.Methods(&Calc{}))
//	iex> GenServer.call({:calc, node}, {:add, 1, 2})
//
// What methods may take and return is what Export says, and one runs at a time. An
// error, a request that fits no method included, is the reply {error, Text}; an
// *ExitError ends the server. A cast runs the method, too, and its error is logged.
// Methods of a Server other than HandleCall (HandleCast, HandleInfo, HandleEvent,
// State, Terminate) are what they are for every Server. A value that cannot be
// served so is an error of Serve.
func Methods(value any) Server {
	m := &methods{value: value, functions: make(map[etf.Atom]*function)}
	funcs, err := serverMethods(value)
	if err != nil {
		m.err = fmt.Errorf("truss: Methods: %w", err)
		return m
	}
	planned, err := planFunctions(funcs)
	if err != nil {
		m.err = fmt.Errorf("truss: Methods(%T): %w", value, err)
	}
	for _, f := range planned {
		m.functions[f.name] = f
	}
	return m
}

type methods struct {
	value     any
	functions map[etf.Atom]*function
	err       error
}

// serverMethods are the methods that are requests.
func serverMethods(value any) (Funcs, error) {
	all, err := functionValues(value)
	if err != nil {
		return nil, err
	}
	for _, part := range []reflect.Type{
		reflect.TypeFor[CastHandler](), reflect.TypeFor[InfoHandler](), reflect.TypeFor[EventHandler](),
		reflect.TypeFor[StateHolder](), reflect.TypeFor[Terminator](),
	} {
		if reflect.TypeOf(value).Implements(part) {
			delete(all, etf.Atom(snakeCase(part.Method(0).Name)))
		}
	}
	funcs := make(Funcs, len(all))
	for name, f := range all {
		funcs[string(name)] = f.Interface()
	}
	return funcs, nil
}

func (m *methods) HandleCall(ctx context.Context, from From, request Message) (any, error) {
	return m.run(ctx, from.on, request)
}

// cast runs the method in p.
func (m *methods) cast(ctx context.Context, p *Process, request Message) error {
	_, err := m.run(ctx, p, request)
	if _, exit := errors.AsType[*ExitError](err); exit {
		return err
	}
	if err != nil {
		p.node.log.Error("cast failed", "pid", p.pid, "request", request.Tag(), "error", err)
	}
	return nil
}

func (m *methods) run(ctx context.Context, p *Process, request Message) (any, error) {
	name, args := request.Tag(), []Message(nil)
	if elements, err := request.Elements(); err == nil && len(elements) > 0 {
		args = elements[1:]
	}
	f := m.functions[name]
	if f == nil || !f.accepts(len(args)) {
		return nil, fmt.Errorf("%T has no method for %s/%d", m.value, name, len(args))
	}
	in := f.arguments(len(args))
	if err := in.fill(ctx, p, args); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f.call(in)
}
