package global

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/rpc"
)

// Config says how a node takes part. The zero value is OTP's default.
type Config struct {
	// NoConnectAll is kernel's connect_all false: this node joins no partition.
	// Names are its own then, and it connects to nobody by itself.
	NoConnectAll bool

	// AllowOverlap is kernel's prevent_overlapping_partitions false. All nodes of a
	// cluster must have the same.
	AllowOverlap bool

	// MultiName lets RegisterName give a process several names: kernel's
	// global_multi_name_action allow. It means trouble when partitions that use
	// the names differently are joined.
	MultiName bool
}

// ErrHasName: the process to register has a global name already, and
// Config.MultiName is not set.
var ErrHasName = errors.New("global: the process has another name already")

// serverName is what global_name_server is registered as.
const serverName = "global_name_server"

// Global is global on one node. Its methods may be called by several goroutines
// at once.
type Global struct {
	node   *truss.Node
	ctx    context.Context // ends with global
	cancel context.CancelFunc
	tasks  sync.WaitGroup // goroutines that feed or send

	server    *truss.Process
	group     *truss.Process // global_group
	locker    *truss.Process
	registrar *truss.Process

	// mu guards what follows. Under it events go into the machine, and what comes
	// out is put in order; nothing waits.
	mu       sync.Mutex
	closed   bool
	machine  *machine
	timers   map[int64]*time.Timer
	outboxes map[string]*outbox
	helpers  map[etf.Pid]*truss.Process // whose pids calls are made with
	watching map[watched]bool           // name servers that helpers monitor
	custom   map[string]ResolveFunc     // methods of names that this node has registered, by key
}

// watched is the global_name_server of a node, monitored by a helper.
type watched struct {
	helper etf.Pid
	node   string
}

// Start makes a node take part in global. It registers global_name_server, and
// exports the functions of Erlang's module global that other nodes call, by rpc, which
// it starts as well (rpc.Start). Nodes
// connected already are joined; call it in truss.Config.Setup all the same, for a
// BEAM that connects waits until it is there.
//
// The error is truss.ErrNameTaken if the node has it already, or truss.ErrClosed.
func Start(node *truss.Node, config Config) (*Global, error) {
	g := &Global{
		node:     node,
		timers:   make(map[int64]*time.Timer),
		outboxes: make(map[string]*outbox),
		helpers:  make(map[etf.Pid]*truss.Process),
		watching: make(map[watched]bool),
		custom:   make(map[string]ResolveFunc),
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	if err := g.start(config); err != nil {
		g.cancel()
		return nil, fmt.Errorf("global: %w", err)
	}
	return g, nil
}

func (g *Global) start(config Config) (err error) {
	if err := rpc.Start(g.node); err != nil { // BEAMs resolve our names by erpc
		return err
	}
	g.mu.Lock() // whatever arrives waits until all is there
	defer g.mu.Unlock()
	if g.locker, err = g.helper(); err != nil {
		return err
	}
	if g.registrar, err = g.helper(); err != nil {
		return err
	}
	g.machine = newMachine(g.node.Name(), g.locker.PID(), g.registrar.PID(), rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))
	g.machine.connectAll = !config.NoConnectAll && !g.node.Hidden()
	g.machine.prevent = !config.AllowOverlap
	g.machine.multiName = config.MultiName
	if g.server, err = g.node.Spawn(g.serve, truss.Registered(serverName)); err != nil {
		return err
	}
	if g.group, err = g.node.Spawn(g.serveGroup, truss.Registered(groupName)); err != nil {
		return err
	}
	g.server.MonitorNodes()
	if err := g.export(); err != nil {
		return err
	}
	for _, peer := range g.node.Nodes() {
		g.step(nodeUp{peer})
	}
	return nil
}

// Close leaves the cluster, as Disconnect, and ends global. The node itself goes
// on; a node that is closed needs no Close of its global.
func (g *Global) Close(ctx context.Context) error {
	_, err := g.Disconnect(ctx)
	g.cancel()
	select {
	case <-g.server.Context().Done():
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return err
}

// Disconnect disconnects from all visible nodes without their taking it for a
// loss of connections that the others have to be told of: global:disconnect/0. It
// returns which, when they are gone.
func (g *Global) Disconnect(ctx context.Context) ([]string, error) {
	left := make(chan []string, 1)
	g.feed(leaving{func(nodes []string) { left <- nodes }})
	nodes, err := wait(ctx, g, left)
	var errs []error
	for _, node := range nodes {
		if err := g.node.Disconnect(ctx, node); err != nil && !errors.Is(err, truss.ErrNoConnection) {
			errs = append(errs, err)
		}
	}
	return nodes, errors.Join(append(errs, err)...)
}

// Sync waits until this node shares its names with all nodes it is connected to,
// or those given: global:sync/0,1. Nodes that go away are not waited for.
func (g *Global) Sync(ctx context.Context, nodes ...string) error {
	done := make(chan struct{}, 1)
	s := &syncing{done: func() { done <- struct{}{} }}
	g.feed(syncWith{s, nodes})
	_, err := wait(ctx, g, done)
	if err != nil {
		g.mu.Lock()
		s.given = true
		g.mu.Unlock()
		return fmt.Errorf("global: sync: %w", err)
	}
	return nil
}

// wait waits for an answer, the caller's patience, or the end of global.
func wait[T any](ctx context.Context, g *Global, answer <-chan T) (value T, err error) {
	select {
	case value = <-answer:
		return value, nil
	case <-ctx.Done():
		return value, context.Cause(ctx)
	case <-g.ctx.Done():
		return value, truss.ErrClosed
	}
}
