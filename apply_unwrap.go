package truss

import (
	"github.com/truss-beam/truss/etf"
)

// maxUnwraps bounds how often functions that only apply others may be nested.
// Libraries nest two or three; each level costs a pass over the arguments.
const maxUnwraps = 16

// unwraps tells whether a function only applies another: erlang:apply/2,3, and
// proc_lib:init_p/3,5, which proc_lib:spawn and its kin ask a node to run.
func unwraps(module, function etf.Atom) bool {
	return module == "erlang" && function == "apply" || module == "proc_lib" && function == "init_p"
}

// unwrapped is the function that is meant in the end.
func (c mfa) unwrapped() (mfa, *Exception) {
	for range maxUnwraps {
		if !unwraps(c.module, c.function) {
			return c, nil
		}
		inner, failed := c.inner()
		if failed != nil {
			return c, failed
		}
		c = inner
	}
	return c, &Exception{Class: ClassError, Reason: etf.Atom("system_limit"), Stack: etf.List{}}
}

// inner is what a function that unwraps applies. The parent and the ancestors
// that init_p is given name who spawned; Go processes keep no such dictionary.
func (c mfa) inner() (mfa, *Exception) {
	args, ok := c.args.arguments(nil)
	if !ok {
		return c, c.notArguments()
	}
	arity := len(args)
	if c.function == "init_p" && arity >= 2 {
		args = args[2:]
	}
	switch {
	case c.function == "init_p" && arity == 3:
		return applyFun(args[0], noArguments())
	case len(args) == 3:
		return applyNamed(args)
	case c.function == "apply" && arity == 2:
		return applyFun(args[0], args[1])
	}
	return c, c.exception("undef", nil)
}

// applyNamed is apply(Module, Function, Args).
func applyNamed(args []Message) (mfa, *Exception) {
	c := mfa{args: args[2]}
	m, f := args[0].decoder(), args[1].decoder()
	var err error
	if c.module, err = m.Atom(); err == nil {
		c.function, err = f.Atom()
	}
	if err != nil {
		return c, badArgument(args[0].orUndefined(), args[1].orUndefined(), args[2].orUndefined())
	}
	return c, nil
}

// applyFun is apply(Fun, Args).
func applyFun(fun, args Message) (mfa, *Exception) {
	term := fun.orUndefined()
	export, ok := term.(etf.Export)
	if !ok {
		return mfa{}, badFun("badfun", term)
	}
	c := mfa{module: export.Module, function: export.Function, args: args}
	given, ok := args.arguments(nil)
	if !ok {
		return c, c.notArguments()
	}
	if len(given) != int(export.Arity) {
		return c, badFun("badarity", etf.Tuple{export, args.orUndefined()})
	}
	return c, nil
}

func noArguments() Message {
	raw, _ := encoded(etf.List{}) // the empty list always encodes
	return Message{raw: raw}
}

// badFun is the error of a fun that cannot be applied: {badfun, Fun} also for a
// fun that is code of a BEAM's module, as a BEAM says that has another version of
// the module.
func badFun(what etf.Atom, about etf.Term) *Exception {
	return &Exception{Class: ClassError, Reason: etf.Tuple{what, about}, Stack: etf.List{}}
}
