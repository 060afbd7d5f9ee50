package region

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/rpc"
)

// follow asks every visible node that connects where it is, and forgets those that
// go.
func (r *Regions) follow(ctx context.Context, events <-chan truss.NodeEvent) {
	defer close(r.done)
	var asking sync.WaitGroup
	defer asking.Wait()
	for event := range events {
		if event.Hidden {
			continue
		}
		if !event.Up {
			r.drop(event.Node)
			continue
		}
		r.drop(event.Node)
		peerCtx, stop := context.WithCancel(truss.NoConnect(ctx))
		p := &peer{stop: stop}
		r.change(func() { r.peers[event.Node] = p })
		asking.Go(func() { r.learn(peerCtx, event.Node, p) })
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.peers {
		p.stop()
	}
}

func (r *Regions) drop(node string) {
	r.change(func() {
		if p := r.peers[node]; p != nil {
			p.stop()
			delete(r.peers, node)
		}
	})
}

// learn asks a node until it has answered, or said that it has no region, and then
// measures how far away it is. It ends with ctx.
func (r *Regions) learn(ctx context.Context, node string, p *peer) {
	const most = 30 * time.Second
	for pause := time.Second; ; pause = min(2*pause, most) {
		region, rtt, err := r.ask(ctx, node)
		if ctx.Err() != nil {
			return
		}
		r.change(func() {
			p.asked = true
			p.region, p.rtt = region, rtt
			r.found = r.found || region != ""
		})
		if region != "" {
			r.node.Logger().Debug("region of a node", "peer", node, "region", region, "round_trip", rtt)
			break
		}
		r.node.Logger().Debug("a node does not tell its region", "peer", node, "error", err, "again_in", pause)
		if !sleep(ctx, pause) {
			return
		}
	}
	for sleep(ctx, r.interval) {
		if rtt, ok := r.measure(ctx, node); ok {
			r.change(func() { p.rtt = rtt })
		}
	}
}

var errNoRegions = errors.New("it has no Fly.RPC")

// ask is the two questions of Fly.RPC, the first of which tells a node that has
// regions from one that has not. The faster one says how far away the node is.
func (r *Regions) ask(ctx context.Context, node string) (region string, rtt time.Duration, err error) {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	supported, err := rpc.Call[bool](ctx, r.node, node, "Elixir.Kernel", "function_exported?", etf.Atom("Elixir.Fly.RPC"), etf.Atom("my_region"), 0)
	if err != nil {
		return "", 0, err
	}
	if !supported {
		return "", 0, errNoRegions
	}
	rtt, begin = time.Since(begin), time.Now()
	region, err = rpc.Call[string](ctx, r.node, node, "Elixir.Fly.RPC", "my_region")
	return region, min(rtt, time.Since(begin)), err
}

// measure is the shortest of a few round trips: what a longer one took beyond it was
// spent waiting for something else.
func (r *Regions) measure(ctx context.Context, node string) (time.Duration, bool) {
	const tries = 3
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	shortest := askTime
	for range tries {
		begin := time.Now()
		if err := r.node.Call(ctx, truss.Name{Name: "net_kernel", Node: node}, etf.Tuple{etf.Atom("is_auth"), etf.Atom(r.node.Name())}, nil); err != nil {
			return 0, false
		}
		shortest = min(shortest, time.Since(begin))
	}
	return shortest, true
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
