package cli

import (
	"errors"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/rpc"
)

// serveRPC lets others call the node's functions, and gives it the one of Erlang's
// own that truss nodes asks every node for.
func serveRPC(node *truss.Node) error {
	err := node.Export("erlang", truss.Funcs{"nodes": func(kinds ...etf.Atom) (etf.List, error) {
		return nodesOf(node, kinds)
	}})
	return errors.Join(err, rpc.Start(node))
}

// nodesOf is erlang:nodes/0,1 with the arguments that a Truss node has an answer
// to. To others it says what a BEAM says that lacks the function.
func nodesOf(node *truss.Node, kinds []etf.Atom) (etf.List, error) {
	undef := &truss.Exception{Class: truss.ClassError, Reason: etf.Atom("undef")}
	args := etf.List{}
	for _, kind := range kinds {
		args = append(args, kind)
	}
	undef.Stack = etf.List{etf.Tuple{etf.Atom("erlang"), etf.Atom("nodes"), args, etf.List{}}}
	kind := etf.Atom("visible")
	switch len(kinds) {
	case 0:
	case 1:
		kind = kinds[0]
	default:
		return nil, undef
	}
	var names []string
	switch kind {
	case "visible":
		names = node.Nodes()
	case "hidden":
		names = node.HiddenNodes()
	case "connected":
		names = append(node.Nodes(), node.HiddenNodes()...)
	case "this":
		names = []string{node.Name()}
	default:
		return nil, undef
	}
	list := make(etf.List, 0, len(names))
	for _, name := range names {
		list = append(list, etf.Atom(name))
	}
	return list, nil
}

func atomOf(t etf.Term) etf.Atom {
	atom, _ := t.(etf.Atom)
	return atom
}
