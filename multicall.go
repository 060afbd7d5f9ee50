package truss

import (
	"context"
	"slices"
	"sync"
)

// MultiCall calls the gen_servers registered under one name on several nodes at
// once, as gen_server:multi_call/4, and waits until each has replied or failed, or
// ctx ends. Without nodes it calls all visible ones and from itself.
//
// Every node is in exactly one of the results: with its reply, or with the error
// that Call would have returned.
func MultiCall[T any](ctx context.Context, from *Node, nodes []string, name string, request any) (replies map[string]T, bad map[string]error) {
	if nodes == nil {
		nodes = append(from.Nodes(), from.Name())
	}
	replies, bad = make(map[string]T), make(map[string]error)
	var mu sync.Mutex
	var calls sync.WaitGroup
	for _, node := range slices.Compact(slices.Sorted(slices.Values(nodes))) {
		calls.Go(func() {
			reply, err := Call[T](ctx, from, Name{Name: name, Node: node}, request)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				bad[node] = err
			} else {
				replies[node] = reply
			}
		})
	}
	calls.Wait()
	return replies, bad
}
