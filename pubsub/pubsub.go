package pubsub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/pg"
)

// Scope is the pg scope that all PubSubs of a node share.
const Scope = "Elixir.Phoenix.PubSub"

// maxPool bounds the groups that peers can make this node join.
const maxPool = 1024

var (
	// ErrClosed: the PubSub was closed, or its node.
	ErrClosed = errors.New("pubsub: closed")
	// ErrDispatcher: a dispatcher that Config.Dispatchers does not name. A peer
	// without such a module would crash, so nothing was sent.
	ErrDispatcher = errors.New("pubsub: unknown dispatcher")
)

// Config says which PubSub to be part of. Only Name is needed.
type Config struct {
	// Name is the name the PubSub has on all nodes, as an Elixir application
	// writes it: "MyApp.PubSub", or "my_pubsub" for :my_pubsub.
	Name string

	// PoolSize is Phoenix's pool_size: how many workers receive. Default 1. A node
	// also receives on whatever more its peers use, so a smaller one loses nothing.
	PoolSize int

	// BroadcastPoolSize is how many of them are sent to, by topic; default and most
	// is PoolSize. A peer without the worker that a topic belongs to gets its
	// messages by the first: pools can change size one node at a time.
	BroadcastPoolSize int

	// PublishOnly makes a node that broadcasts and is sent nothing. Subscribers then
	// get only what the node itself broadcasts.
	PublishOnly bool

	// Dispatchers are the dispatcher modules in use besides Phoenix's, by full name
	// ("Elixir.MyApp.Dispatcher"), and what each does on this node; nil delivers to
	// all. Every BEAM of the cluster must have the module.
	Dispatchers map[string]Dispatcher

	// Scope is the node's scope called Scope. Nil starts one. A node with several
	// PubSubs starts it once, pg.Start(node, pubsub.Scope), and gives it to each.
	Scope *pg.Scope
}

// PubSub is one PubSub on one node. Its methods may be called by several
// goroutines at once.
type PubSub struct {
	// Set by Start, never changed.
	config  Config // with defaults filled in
	node    *truss.Node
	adapter string // the name of the first group
	scope   *pg.Scope
	table   *table
	ctx     context.Context // until Close or the node's end
	cancel  context.CancelFunc
	running sync.WaitGroup // the follower
	senders []*truss.Process

	routes atomic.Pointer[routes]

	mu      sync.RWMutex // guards what follows
	closed  bool
	workers map[int]*truss.Process // by number in the pool, from 1
}

// routes is where broadcasts go, for each of the BroadcastPoolSize.
type routes [][]etf.Pid

// Start makes a node part of a PubSub. It returns at once; peers are found as
// they connect. The error is truss.ErrNameTaken if the node has a PubSub of the
// name, or a scope of its own that Config.Scope should be.
func Start(node *truss.Node, config Config) (*PubSub, error) {
	config, err := config.resolved()
	if err != nil {
		return nil, err
	}
	ps := &PubSub{
		config:  config,
		node:    node,
		adapter: "Elixir." + strings.TrimPrefix(config.Name, "Elixir.") + ".Adapter",
		scope:   config.Scope,
		table:   newTable(),
		workers: make(map[int]*truss.Process),
	}
	ps.ctx, ps.cancel = context.WithCancel(context.Background())
	ps.routes.Store(&routes{})
	if ps.scope == nil {
		if ps.scope, err = pg.Start(node, Scope); err != nil {
			ps.cancel()
			return nil, fmt.Errorf("pubsub: %w (if another PubSub of this node has the scope, give both one Config.Scope)", err)
		}
	}
	if err := ps.start(); err != nil {
		_ = ps.Close() // err says what is wrong
		return nil, fmt.Errorf("pubsub: start %s: %w", ps.config.Name, err)
	}
	return ps, nil
}

// resolved fills in the defaults of a copy.
func (c Config) resolved() (Config, error) {
	if c.Name == "" {
		return c, errors.New("pubsub: Config.Name is empty: it is the name of the PubSub in the peers, such as MyApp.PubSub")
	}
	if c.PoolSize == 0 {
		c.PoolSize = 1
	}
	if c.BroadcastPoolSize == 0 {
		c.BroadcastPoolSize = c.PoolSize
	}
	if c.PoolSize < 1 || c.PoolSize > maxPool || c.BroadcastPoolSize < 1 || c.BroadcastPoolSize > c.PoolSize {
		return c, fmt.Errorf("pubsub: PoolSize %d and BroadcastPoolSize %d: want 1 to %d, the second no larger than the first", c.PoolSize, c.BroadcastPoolSize, maxPool)
	}
	c.Dispatchers = maps.Clone(c.Dispatchers)
	return c, nil
}

func (ps *PubSub) start() error {
	for range ps.config.BroadcastPoolSize {
		sender, err := ps.node.Spawn(ps.idle)
		if err != nil {
			return err
		}
		ps.senders = append(ps.senders, sender)
	}
	_, events, err := ps.scope.MonitorScope(ps.ctx) // before the workers: what they make others do is seen
	if err != nil {
		return err
	}
	if !ps.config.PublishOnly {
		for number := 1; number <= ps.config.PoolSize; number++ {
			if err := ps.work(number); err != nil {
				return err
			}
		}
	}
	ps.running.Go(func() { ps.follow(events) })
	return nil
}

// idle is a process that others send for: those that a topic belongs to have one
// sender, so its messages keep their order.
func (ps *PubSub) idle(life context.Context, p *truss.Process) error {
	p.TrapExit(true)
	for {
		if _, err := p.Receive(ps.ctx); err != nil {
			return &truss.ExitError{Reason: etf.Atom("shutdown")}
		}
	}
}

// Close takes the node out of the PubSub. Subscriptions get nothing any more.
func (ps *PubSub) Close() error {
	ps.mu.Lock()
	ps.closed = true
	processes := append(make([]*truss.Process, 0, len(ps.workers)+len(ps.senders)), ps.senders...)
	for _, worker := range ps.workers {
		processes = append(processes, worker)
	}
	ps.mu.Unlock()
	ps.cancel()
	for _, p := range processes {
		<-p.Context().Done()
	}
	if ps.config.Scope == nil {
		_ = ps.scope.Close() // never fails
	}
	ps.running.Wait()
	ps.table.clear()
	return nil
}

// Subscribe makes a subscriber get what is broadcast on a topic from now on.
// Subscribing twice means getting everything twice. Metadata is for dispatchers.
func (ps *PubSub) Subscribe(topic string, to Subscriber, metadata ...any) (*Subscription, error) {
	if to == nil || len(metadata) > 1 {
		return nil, errors.New("pubsub: Subscribe wants one subscriber and at most one value as metadata")
	}
	s := &Subscription{pubsub: ps, to: to}
	if len(metadata) == 1 {
		s.metadata = metadata[0]
	}
	ps.mu.RLock()
	defer ps.mu.RUnlock()
	if ps.closed {
		return nil, fmt.Errorf("subscribe to %s: %w", topic, ErrClosed)
	}
	if p, ok := to.(process); ok {
		s.stop = context.AfterFunc(p.Context(), func() {
			ps.mu.Lock() // not before Subscribe is through
			defer ps.mu.Unlock()
			ps.table.remove(s)
		})
	}
	ps.table.add(topic, s)
	return s, nil
}
