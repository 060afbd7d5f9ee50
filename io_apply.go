package truss

import (
	"context"
	"fmt"

	"github.com/truss-beam/truss/etf"
)

// applyAt applies a function on a node that is connected, and returns its value. It
// speaks erpc's protocol (erpc.erl), which is all it shares with the package rpc:
// what serves I/O cannot depend on that.
func (n *Node) applyAt(ctx context.Context, node string, module, function etf.Atom, args etf.Term) (etf.Term, error) {
	p, err := n.visitor()
	if err != nil {
		return nil, err
	}
	defer p.leave()
	ref := n.newRef()
	child, err := p.SpawnRemote(NoConnect(ctx), SpawnRequest{
		Node: node, Module: "erpc", Function: "execute_call", Args: []any{ref, module, function, args}, Monitor: true,
	})
	if err != nil {
		return nil, err
	}
	m, err := p.receive(ctx, func(m Message) bool {
		down, ok := m.Signal().(Down)
		return ok && down.Ref == child.Ref
	})
	if err != nil {
		return nil, err
	}
	reason := m.Signal().(Down).Reason
	if result, ok := reason.(etf.Tuple); ok && len(result) == 3 && result[0] == etf.Term(ref) && result[1] == etf.Term(etf.Atom("return")) {
		return result[2], nil
	}
	return nil, fmt.Errorf("%s:%s on %s: %w", module, function, node, &ExitError{Reason: reason})
}
