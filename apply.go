package truss

import (
	"context"
	"runtime/debug"
	"slices"

	"github.com/truss-beam/truss/etf"
)

// Apply calls an exported function in the calling goroutine, on behalf of p, as
// apply/3: the function gets ctx and p if it asks for them. args is a Message that
// holds a list, or anything that encodes to one.
//
// The value is what the function returned, the atom ok if it returns none. The
// error is always an *Exception, also for a function that is not exported (undef),
// arguments that do not fit (function_clause), and a panic. erlang:apply/2,3 is
// followed to what it applies; of funs only those that name a function, such as
// fun m:f/1 and &M.f/1, can be: others are code of the BEAM, and badfun here.
func (p *Process) Apply(ctx context.Context, module, function string, args any) (any, error) {
	list, err := NewMessage(args)
	if err != nil {
		return nil, exceptionOf(err, call{})
	}
	value, failed := p.apply(ctx, mfa{module: etf.Atom(module), function: etf.Atom(function), args: list})
	if failed != nil {
		return nil, failed
	}
	return value, nil
}

// encoded is a value as a process of this node receives it.
func encoded(v any) ([]byte, error) {
	e := etf.Encoder{Records: true}
	return e.Append(nil, v)
}

// mfa is a function to apply to a list of arguments, which are still encoded.
type mfa struct {
	module, function etf.Atom
	args             Message
}

func (p *Process) apply(ctx context.Context, c mfa) (value any, failed *Exception) {
	defer func() {
		if r := recover(); r != nil {
			value, failed = nil, panicked(r, debug.Stack())
		}
	}()
	value, at, err := p.invoke(ctx, c)
	if err != nil {
		return nil, exceptionOf(err, at)
	}
	return value, nil
}

// invoke is apply without what is made of panics and errors. err is the function's own,
// at says which, or an *Exception that tells where it was.
func (p *Process) invoke(ctx context.Context, c mfa) (value any, at call, err error) {
	c, failed := c.unwrapped()
	if failed != nil {
		return nil, at, failed
	}
	var few [8]Message
	args, ok := c.args.arguments(few[:0])
	if !ok {
		return nil, at, c.notArguments()
	}
	f := p.node.exports.find(c.module, c.function)
	if f == nil || !f.accepts(len(args)) {
		return nil, at, c.exception("undef", nil)
	}
	in := f.arguments(len(args))
	if err := in.fill(ctx, p, args); err != nil {
		return nil, at, c.exception("function_clause", err)
	}
	value, err = f.call(in)
	return value, call{c.module, c.function, len(args)}, err
}

// call is the call of a function.
type call struct {
	module, function etf.Atom
	arity            int
}

// stack is that of who was called, and no deeper.
func (c call) stack() etf.List {
	return etf.List{etf.Tuple{c.module, c.function, int64(c.arity), etf.List{}}}
}

// exception is an error that Erlang raises before a function is entered. Its
// stack has the arguments instead of the arity.
func (c mfa) exception(reason etf.Atom, cause error) *Exception {
	return &Exception{
		Class: ClassError, Reason: reason, cause: cause,
		Stack: etf.List{etf.Tuple{c.module, c.function, c.args.orUndefined(), etf.List{}}},
	}
}

// notArguments is what apply/3 says of arguments that are no list, are too many,
// or cannot be read.
func (c mfa) notArguments() *Exception {
	e := badArgument(c.module, c.function, c.args.orUndefined())
	if _, list := e.Stack[0].(etf.Tuple)[2].(etf.List)[2].(etf.List); list {
		e.Reason = etf.Atom("system_limit")
	}
	return e
}

func badArgument(args ...etf.Term) *Exception {
	return &Exception{
		Class: ClassError, Reason: etf.Atom("badarg"),
		Stack: etf.List{etf.Tuple{etf.Atom("erlang"), etf.Atom("apply"), etf.List(args), etf.List{}}},
	}
}

// orUndefined is the term of a message, or undefined for one that cannot be read.
func (m Message) orUndefined() etf.Term {
	term, err := m.Term()
	if err != nil {
		return etf.Atom("undefined")
	}
	return term
}

// maxArity is how many arguments a function of Erlang can have.
const maxArity = 255

// arguments appends the elements of a message that is a list of arguments, undecoded;
// false if it is something else, or too long.
func (m Message) arguments(args []Message) ([]Message, bool) {
	if m.Signal() != nil {
		return nil, false
	}
	d := m.decoder()
	for {
		n, str, err := d.List()
		if err != nil {
			return nil, false
		}
		if len(args)+n > maxArity {
			return nil, false
		}
		args = slices.Grow(args, n)
		for _, b := range str {
			args = append(args, Message{raw: new(etf.Encoder).AppendInt(nil, int64(b))})
		}
		if n == 0 || str != nil {
			return args, true
		}
		for range n {
			rest := d.Rest()
			if err := d.Skip(); err != nil {
				return nil, false
			}
			size := len(rest) - len(d.Rest())
			args = append(args, Message{raw: rest[:size:size], from: m.from})
		}
	}
}
