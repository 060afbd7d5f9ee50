package region

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/rpc"
)

// Primary stands for the primary region, whichever it is: the atom :primary of
// Fly.RPC. No region is called so.
const Primary = ":primary"

// Config says where the node is. The zero value asks the environment.
type Config struct {
	// Region is where the node is. Empty means FLY_REGION, else MY_REGION, else
	// "local".
	Region string
	// PrimaryRegion is the primary region. Empty means PRIMARY_REGION, else "local".
	PrimaryRegion string
	// Wait bounds how long a call waits for a node of its region to be found, if its
	// context does not. Default 5 s.
	Wait time.Duration
	// Measure is how often the round trips to the other nodes are measured. Default
	// 30 s.
	Measure time.Duration
}

// askTime is how long a node may take to say where it is, as in fly_rpc.ex.
const askTime = 5 * time.Second

// Regions knows where the nodes of a cluster are. Its methods may be called by
// several goroutines at once.
type Regions struct {
	node           *truss.Node
	mine, primary  string
	wait, interval time.Duration
	stop           context.CancelFunc
	done           chan struct{}

	mu      sync.Mutex
	peers   map[string]*peer
	found   bool          // some node has been found, ever
	changed chan struct{} // closed and replaced when any of this changes
}

// peer is a connected visible node.
type peer struct {
	region string        // "" until it has said so
	asked  bool          // it has been asked, whether it answered or not
	rtt    time.Duration // the shortest round trip of late
	stop   context.CancelFunc
}

// Start makes the node say where it is, and learn where others are, until Close. It
// starts rpc as well. Do it in truss.Config.Setup: a node with Fly.RPC asks only once,
// when it connects.
func Start(node *truss.Node, config Config) (*Regions, error) {
	r := &Regions{
		node:     node,
		mine:     cmp.Or(config.Region, os.Getenv("FLY_REGION"), os.Getenv("MY_REGION"), "local"),
		primary:  cmp.Or(config.PrimaryRegion, os.Getenv("PRIMARY_REGION"), "local"),
		wait:     cmp.Or(config.Wait, 5*time.Second),
		interval: cmp.Or(config.Measure, 30*time.Second),
		done:     make(chan struct{}),
		peers:    make(map[string]*peer),
		changed:  make(chan struct{}),
	}
	if err := r.serve(); err != nil {
		return nil, fmt.Errorf("region: start: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go r.follow(ctx, node.Events(ctx))
	return r, nil
}

// serve answers the two questions that Fly.RPC has (fly_rpc.ex, region/1).
func (r *Regions) serve() error {
	exported := truss.Funcs{"function_exported?": func(module, function etf.Atom, arity int) bool {
		return r.node.Exported(string(module), string(function), arity)
	}}
	if err := r.node.Export("Elixir.Fly.RPC", truss.Funcs{"my_region": r.Mine}); err != nil {
		return err
	}
	if err := r.node.Export("Elixir.Kernel", exported); err != nil {
		return err
	}
	return rpc.Start(r.node)
}

// Close ends the learning. What others ask is answered until the node is closed.
func (r *Regions) Close() {
	r.stop()
	<-r.done
}

// Mine is the region the node is in.
func (r *Regions) Mine() string { return r.mine }

// PrimaryRegion is the name of the primary region.
func (r *Regions) PrimaryRegion() string { return r.primary }

// IsPrimary tells whether the node is in the primary region.
func (r *Regions) IsPrimary() bool { return r.mine == r.primary }

// Nodes returns the other nodes known to be in a region, the nearest first.
func (r *Regions) Nodes(region string) []string {
	region = r.resolve(region)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.nodesIn(region)
}

// nodesIn is Nodes. r.mu is held.
func (r *Regions) nodesIn(region string) []string {
	var names []string
	for name, p := range r.peers {
		if p.region == region {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(r.peers[a].rtt, r.peers[b].rtt), cmp.Compare(a, b))
	})
	return names
}

// Known returns the nodes of every region that is known, the node itself included.
func (r *Regions) Known() map[string][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := make(map[string][]string)
	for _, p := range r.peers {
		if p.region != "" && known[p.region] == nil {
			known[p.region] = r.nodesIn(p.region)
		}
	}
	known[r.mine] = append([]string{r.node.Name()}, known[r.mine]...)
	return known
}

func (r *Regions) resolve(region string) string {
	if region == Primary {
		return r.primary
	}
	return region
}

// change makes a change, and wakes those who wait for one.
func (r *Regions) change(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
	close(r.changed)
	r.changed = make(chan struct{})
}
