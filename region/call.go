package region

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/truss-beam/truss/rpc"
)

// ErrNoNode: no node is known in the region asked for. Nothing was called.
var ErrNoNode = errors.New("no node in the region")

// Call calls a function in a region, as Fly.RPC's rpc_region/3 and, with Primary,
// rpc_primary/2: on the node itself if it is there, else on the nearest node of the
// region, and on the next if that one surely has not run the function. The module
// must be there: a BEAM's, or Exported by a Truss node; Elixir's are
// "Elixir.MyApp.Orders".
//
// Errors are rpc.Call's, of the last node tried, and ErrNoNode, which says what regions
// are known, and which nodes that are connected have told none.
func Call[T any](ctx context.Context, r *Regions, region, module, function string, args ...any) (T, error) {
	var none T
	region = r.resolve(region)
	if region == r.mine {
		return rpc.Call[T](ctx, r.node, r.node.Name(), module, function, args...)
	}
	nodes, err := r.await(ctx, region)
	if err != nil {
		return none, err
	}
	for _, node := range nodes {
		var value T
		value, err = rpc.Call[T](ctx, r.node, node, module, function, args...)
		if err == nil || !rpc.NotSent(err) || ctx.Err() != nil {
			return value, err
		}
		r.node.Logger().Info("call in a region goes to the next node", "region", region, "peer", node, "error", err)
	}
	return none, err
}

// await returns the nodes of a region. If none is known it waits while one may still
// turn up: until the first node has been found, and while nodes that have connected
// have not been asked.
func (r *Regions) await(ctx context.Context, region string) ([]string, error) {
	bounded, cancel := ctx, context.CancelFunc(func() {})
	if _, limited := ctx.Deadline(); !limited {
		bounded, cancel = context.WithTimeout(ctx, r.wait)
	}
	defer cancel()
	for {
		r.mu.Lock()
		nodes, changed, settled := r.nodesIn(region), r.changed, r.settled()
		r.mu.Unlock()
		if len(nodes) > 0 {
			return nodes, nil
		}
		if settled {
			return nil, r.noNode(region, nil)
		}
		select {
		case <-changed:
		case <-bounded.Done():
			return nil, r.noNode(region, ctx.Err())
		case <-r.done:
			return nil, r.noNode(region, errors.New("regions closed"))
		}
	}
}

// settled tells whether all there is to know is known. r.mu is held.
func (r *Regions) settled() bool {
	for _, p := range r.peers {
		if !p.asked {
			return false
		}
	}
	return r.found
}

func (r *Regions) noNode(region string, cause error) error {
	var known []string
	all := r.Known()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		known = append(known, fmt.Sprintf("%s (%s)", name, strings.Join(all[name], ", ")))
	}
	err := fmt.Errorf("region: %s: %w; known are %s%s", region, ErrNoNode, strings.Join(known, ", "), r.others())
	if cause != nil {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}

// others says why no more is known: the nodes that tell no region, or that there are
// none.
func (r *Regions) others() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	none := r.nodesIn("")
	switch {
	case len(r.peers) == 0:
		return "; no other node is connected"
	case len(none) == 0:
		return ""
	case len(none) == 1:
		return "; " + none[0] + " has told none"
	}
	return "; " + strings.Join(none, ", ") + " have told none"
}
