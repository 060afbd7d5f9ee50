package cli

import (
	"context"
	"errors"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// rex answers what truss nodes asks, in the form in which a BEAM's rex is asked
// (rpc.erl): {call, Module, Function, Args, GroupLeader}. It knows erlang:nodes/0,1
// and what the node Exports; to any other call it says what a BEAM says that lacks
// the function.
type rex struct{ node *truss.Node }

func (r rex) HandleCall(ctx context.Context, _ truss.From, request truss.Message) (any, error) {
	term, err := request.Term()
	if err != nil {
		return nil, err
	}
	call, ok := term.(etf.Tuple)
	if !ok || len(call) != 5 || call[0] != etf.Term(etf.Atom("call")) {
		return etf.Tuple{etf.Atom("badrpc"), etf.Atom("badcall")}, nil
	}
	module, function := call[1], call[2]
	args, _ := call[3].(etf.List)
	if module == etf.Term(etf.Atom("erlang")) && function == etf.Term(etf.Atom("nodes")) {
		if names, ok := r.nodes(args); ok {
			return names, nil
		}
	}
	if m, f := string(atomOf(module)), string(atomOf(function)); r.node.Exported(m, f, len(args)) {
		return r.apply(ctx, m, f, args), nil
	}
	undef := etf.Tuple{etf.Atom("undef"), etf.List{etf.Tuple{module, function, call[3], etf.List{}}}}
	return etf.Tuple{etf.Atom("badrpc"), etf.Tuple{etf.Atom("EXIT"), undef}}, nil
}

// apply calls an exported function in a process of its own.
func (r rex) apply(ctx context.Context, module, function string, args etf.List) etf.Term {
	var result etf.Term = etf.Tuple{etf.Atom("badrpc"), etf.Tuple{etf.Atom("EXIT"), etf.Atom("killed")}}
	done := make(chan struct{})
	if _, err := r.node.Spawn(func(ctx context.Context, p *truss.Process) error {
		defer close(done)
		value, err := p.Apply(ctx, module, function, args)
		var failed *truss.Exception
		if errors.As(err, &failed) {
			value = etf.Tuple{etf.Atom("badrpc"), etf.Tuple{etf.Atom("EXIT"), etf.Tuple{failed.Reason, failed.Stack}}}
		}
		result = value
		return nil
	}); err != nil {
		return result
	}
	select {
	case <-done:
		return result
	case <-ctx.Done():
		return etf.Tuple{etf.Atom("badrpc"), etf.Atom("timeout")}
	}
}

func atomOf(t etf.Term) etf.Atom {
	atom, _ := t.(etf.Atom)
	return atom
}

// nodes is erlang:nodes/0,1 with the arguments that a Truss node has an answer to.
func (r rex) nodes(args etf.List) (etf.List, bool) {
	var kind etf.Term = etf.Atom("visible")
	switch len(args) {
	case 0:
	case 1:
		kind = args[0]
	default:
		return nil, false
	}
	var names []string
	switch kind {
	case etf.Term(etf.Atom("visible")):
		names = r.node.Nodes()
	case etf.Term(etf.Atom("hidden")):
		names = r.node.HiddenNodes()
	case etf.Term(etf.Atom("connected")):
		names = append(r.node.Nodes(), r.node.HiddenNodes()...)
	case etf.Term(etf.Atom("this")):
		names = []string{r.node.Name()}
	default:
		return nil, false
	}
	list := make(etf.List, 0, len(names))
	for _, name := range names {
		list = append(list, etf.Atom(name))
	}
	return list, true
}
