package truss

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/epmd"
	"github.com/truss-beam/truss/etf"
)

// Node is one node of a cluster, as much a node as any BEAM. A program may run
// several. All methods may be called by several goroutines at once.
type Node struct {
	// Set by Start, never changed.
	name     string
	config   Config
	log      *slog.Logger
	creation uint32
	port     int
	listener net.Listener     // nil with NoListen
	epmd     *epmd.Membership // nil with Epmd "none" or NoListen
	caller   *Process         // whom Send and its like speak for

	processes processes
	names     names
	aliases   aliases
	refs      refs
	peers     peers
	admission admission
	watch     watch
	exports   exports
	output    output
	children  atomic.Int64 // processes started by requests that run
	jobs      chan func()  // to the workers
	workers   atomic.Int32 // that wait for one
	slabs     slabs
	polling   atomic.Bool // some process polls: see poll.go
	lingering atomic.Bool // and some reader goroutine

	localLinks sync.Mutex // held while both ends of a link on this node change

	life      context.Context // until Close begins
	endLife   context.CancelFunc
	closeOnce sync.Once
	running   sync.WaitGroup // every goroutine of the node
	closed    error          // set by closeOnce
}

// Start makes the program a node: it listens, is found by its name, and accepts
// and makes connections until Close. ctx bounds the start alone.
func Start(ctx context.Context, config Config) (*Node, error) {
	config, err := config.resolved(os.Getenv)
	if err != nil {
		return nil, err
	}
	n := &Node{name: config.Name, config: config, jobs: make(chan func())}
	n.life, n.endLife = context.WithCancel(context.Background())
	n.log = config.Logger.With("node", n.name)
	n.peers.up = make(map[string]*conn)
	n.peers.attempts = make(map[string]*attempt)
	if config.AutoConnect == AutoConnectOnce {
		n.peers.lost = make(map[string]bool)
	}
	var giver *conn
	if config.NameFrom != "" {
		giver, err = n.askName(ctx)
	} else {
		err = n.listen(ctx)
	}
	if err != nil {
		n.endLife()
		return nil, err
	}
	n.processes.node, n.processes.creation = etf.Atom(n.name), n.creation
	if err := n.startSystem(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	if config.Setup != nil { // peers that dial meanwhile wait to be accepted
		if err := config.Setup(n); err != nil {
			return nil, errors.Join(err, n.Close())
		}
	}
	if giver != nil {
		_, a, _, _ := n.peers.dialling(giver.name, func() {}) // the first attempt of a node that lives: no error
		n.start(a, false, giver)
	}
	if n.listener != nil {
		n.running.Go(n.acceptLoop)
	}
	n.running.Go(n.tickLoop)
	n.log.Info("node started", "port", n.port, "hidden", config.Hidden)
	return n, nil
}

// listen opens the port and makes it known, which also settles the creation.
func (n *Node) listen(ctx context.Context) error {
	if n.config.NoListen {
		n.creation = randomCreation()
		return nil
	}
	addr := net.JoinHostPort(n.config.Listen, strconv.Itoa(n.config.Port))
	listener, err := n.config.Network.Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("truss: cannot listen for other nodes: %w", err)
	}
	n.listener = listener
	if n.port, err = portOf(listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	if n.config.Epmd == epmdNone {
		n.creation = randomCreation()
		return nil
	}
	if n.epmd, err = epmd.Join(ctx, n.epmdConfig()); err != nil {
		return errors.Join(fmt.Errorf("truss: %w", err), listener.Close())
	}
	n.creation = n.epmd.Creation()
	return nil
}

func portOf(addr net.Addr) (int, error) {
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return 0, fmt.Errorf("truss: listening on %v, which has no port", addr)
	}
	return strconv.Atoi(port)
}

// randomCreation is the creation of a node without epmd: at least 4, for 0 to 3
// are what nodes before OTP 23 had.
func randomCreation() uint32 {
	for {
		if c := challenge(); c >= 4 {
			return c
		}
	}
}

// self is what the node says of itself in handshakes.
func (n *Node) self() dist.Local {
	flags := dist.FlagsSupported
	if n.config.Hidden {
		flags &^= dist.FlagPublished
	}
	if n.creation == 0 {
		flags |= dist.FlagNameMe // see askName
	}
	return dist.Local{Name: n.name, Flags: flags, Creation: n.creation}
}

// Name returns the node's full name.
func (n *Node) Name() string { return n.name }

// Port returns the port the node accepts connections on, 0 with NoListen.
func (n *Node) Port() int { return n.port }

// Hidden tells whether other nodes leave this one out of their Nodes.
func (n *Node) Hidden() bool { return n.config.Hidden }

// acceptLoop accepts connections until the listener is closed.
func (n *Node) acceptLoop() {
	for {
		socket, err := n.listener.Accept()
		if err == nil {
			n.running.Go(func() { n.accept(socket) })
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		// Out of file descriptors, most likely. What net/http does: go on, not hot.
		n.log.Error("cannot accept connections", "error", err)
		select {
		case <-time.After(100 * time.Millisecond):
		case <-n.life.Done():
			return
		}
	}
}

// start makes a connection that has finished its handshake the one to its peer,
// after an older one, if there is one, has been dealt with.
func (n *Node) start(a *attempt, incoming bool, c *conn) {
	older, ok := n.peers.finish(c.name, a, incoming, c, nil)
	for older != nil {
		older.fail(ErrReplaced)
		<-older.done
		older, ok = n.peers.finish(c.name, a, incoming, c, nil)
	}
	if !ok {
		_ = c.socket.Close() // the node is closing, or the peer's dial took over
		return
	}
	n.log.Info("node up", "peer", c.name, "hidden", c.hidden)
	n.watch.publish(NodeEvent{Node: c.name, Up: true, Hidden: c.hidden})
	n.running.Go(c.readLoop)
}

// lost deals with the end of a connection: whatever depended on it learns of it,
// and only then can the peer be connected to anew. It runs on the reader
// goroutine, as its last act.
func (n *Node) lost(c *conn) {
	reason := c.reason()
	c.mu.Lock()
	related := c.related
	c.related = nil
	for _, s := range c.streams {
		close(s.ended)
	}
	c.streams = nil
	c.mu.Unlock()
	for p := range related {
		p.peerLost(c)
	}
	c.spawningsLost(reason)
	n.peers.remove(c, func() {
		n.watch.publish(NodeEvent{Node: c.name, Hidden: c.hidden, Reason: reason})
	})
	n.log.Info("node down", "peer", c.name, "reason", reason)
	close(c.done)
}
