package rpc

import (
	"context"
	"iter"

	"github.com/truss-beam/truss"
)

// Result is what one of many nodes has answered.
type Result[T any] struct {
	Node  string
	Value T
	Err   error // as Call's
}

// Each calls a function on several nodes at once and yields their results as they
// come: a collection of erpc's requests. Without nodes it calls all visible ones and
// from itself. Whoever breaks out of the loop gives up the rest.
//
//	for r := range rpc.Each[int](ctx, node, nil, "erlang", "system_info", etf.Atom("process_count")) {
//		fmt.Println(r.Node, r.Value, r.Err)
//	}
func Each[T any](ctx context.Context, from *truss.Node, nodes []string, module, function string, args ...any) iter.Seq[Result[T]] {
	return func(yield func(Result[T]) bool) {
		nodes := nodesOr(from, nodes)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		results := make(chan Result[T], len(nodes)) // so that nobody is left waiting to be heard
		for _, node := range nodes {
			go func() {
				value, err := Call[T](ctx, from, node, module, function, args...)
				results <- Result[T]{node, value, err}
			}()
		}
		for range nodes {
			if !yield(<-results) {
				return
			}
		}
	}
}

// Multicall calls a function on several nodes at once, as erpc:multicall/5, and waits
// until each has answered or failed, or ctx ends. Without nodes it calls all visible
// ones and from itself. Every node is in exactly one of the results: with its value,
// or with the error that Call would have returned.
func Multicall[T any](ctx context.Context, from *truss.Node, nodes []string, module, function string, args ...any) (values map[string]T, bad map[string]error) {
	values, bad = make(map[string]T), make(map[string]error)
	for r := range Each[T](ctx, from, nodes, module, function, args...) {
		if r.Err != nil {
			bad[r.Node] = r.Err
			continue
		}
		values[r.Node] = r.Value
	}
	return values, bad
}

// Multicast casts to several nodes, as erpc:multicast/4. Without nodes it casts to
// all visible ones and from itself. The errors are of those that cannot be reached.
func Multicast(ctx context.Context, from *truss.Node, nodes []string, module, function string, args ...any) (bad map[string]error) {
	bad = make(map[string]error)
	for _, node := range nodesOr(from, nodes) {
		if err := Cast(ctx, from, node, module, function, args...); err != nil {
			bad[node] = err
		}
	}
	return bad
}

func nodesOr(from *truss.Node, nodes []string) []string {
	if len(nodes) == 0 {
		return append(from.Nodes(), from.Name())
	}
	return nodes
}
