package discovery_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/truss-beam/truss/discovery"
	"github.com/truss-beam/truss/discovery/static"
)

// toy stands in for *truss.Node.
type toy struct {
	mu   sync.Mutex
	up   []string
	stop context.CancelFunc
}

func (t *toy) Name() string                             { return "app@10.0.0.1" }
func (t *toy) Disconnect(context.Context, string) error { return nil }

func (t *toy) Nodes() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.up)
}

func (t *toy) Connect(_ context.Context, name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Println("connect to", name)
	t.up = append(t.up, name)
	t.stop()
	return nil
}

func ExampleRun() {
	ctx, stop := context.WithCancel(context.Background())
	node := &toy{stop: stop}
	// Every machine may have the same list: a node does not call itself.
	err := discovery.Run(ctx, node, static.Strategy{Nodes: []string{"app@10.0.0.1", "app@10.0.0.2"}})
	fmt.Println(err)
	// Output:
	// connect to app@10.0.0.2
	// context canceled
}

func ExamplePoll() {
	ctx, stop := context.WithCancel(context.Background())
	fmt.Println(discovery.Poll(ctx, func(u discovery.Update) {
		fmt.Println("report", u.Peers[0].Name)
		stop()
	}, func(context.Context) (discovery.Update, time.Duration) {
		// Here a real strategy asks its source.
		return discovery.Update{Peers: []discovery.Peer{{Name: "app@10.0.0.2"}}}, 5 * time.Second
	}))
	// Output:
	// report app@10.0.0.2
	// context canceled
}
