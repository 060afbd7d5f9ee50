package truss

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"

	"github.com/truss-beam/truss/dist"
)

// peers is the table of a node's connections and of the attempts to make one.
// Every decision that two sides dialling at once, or a peer coming back, ask for
// is made under its lock, one after the other (protocol: "status" of the
// handshake).
type peers struct {
	mu       sync.Mutex
	closed   bool
	up       map[string]*conn
	attempts map[string]*attempt
	lost     map[string]bool // peers whose connection was lost; nil unless AutoConnectOnce asks
}

// attempt is one try to get a connection to a peer, by whichever side. There is
// at most one per peer; whoever wants the connection waits for it.
type attempt struct {
	done chan struct{} // closed when it is decided
	err  error         // why there is no connection; set before done is closed

	// Guarded by peers.mu.
	cancel   context.CancelFunc // ends our dial, if there is one
	awaiting bool               // our dial was refused, the peer's is to come
	incoming bool               // the peer's dial carries the attempt: ours, if any, was given up
}

// find returns the live connection to a peer, or nil.
func (t *peers) find(name string) *conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.up[name]
}

// live returns all live connections.
func (t *peers) live() []*conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	conns := make([]*conn, 0, len(t.up))
	for _, c := range t.up {
		conns = append(conns, c)
	}
	return conns
}

// dialling returns the connection to name, or else the attempt to make one:
// ours to carry out if started is true.
func (t *peers) dialling(name string, cancel context.CancelFunc) (c *conn, a *attempt, started bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return nil, nil, false, ErrClosed
	case t.up[name] != nil:
		return t.up[name], nil, false, nil
	case t.attempts[name] != nil:
		return nil, t.attempts[name], false, nil
	}
	a = &attempt{done: make(chan struct{}), cancel: cancel}
	t.attempts[name] = a
	return nil, a, true, nil
}

// accepting decides what to answer a peer that dialled us. With StatusOK and
// StatusOKSimultaneous the attempt returned is the caller's to carry out; with
// StatusAlive the attempt starts only if the peer insists (insisted); with
// StatusClose the attempt, if any, is another handshake of the same peer.
func (t *peers) accepting(ours, theirs string) (dist.Status, *attempt) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.attempts[theirs]
	switch {
	case t.closed:
		return dist.StatusClose, nil
	case a != nil && a.incoming:
		return dist.StatusClose, a
	case a != nil:
		status := dist.StatusOKSimultaneous
		if !a.awaiting {
			status = dist.Simultaneous(ours, theirs)
		}
		if status != dist.StatusOKSimultaneous {
			return status, nil
		}
		a.incoming = true
		a.cancel()
		return status, a
	case t.up[theirs] != nil:
		return dist.StatusAlive, nil
	}
	a = &attempt{done: make(chan struct{}), incoming: true}
	t.attempts[theirs] = a
	return dist.StatusOK, a
}

// insisted starts an attempt for a peer that we believe connected and that
// answered "true" to alive; nil if another attempt is under way.
func (t *peers) insisted(theirs string) *attempt {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.attempts[theirs] != nil {
		return nil
	}
	a := &attempt{done: make(chan struct{}), incoming: true}
	t.attempts[theirs] = a
	return a
}

// awaits notes that our dial was refused in favour of the peer's, which is to
// come; false if it has come already.
func (t *peers) awaits(a *attempt) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	a.awaiting = true
	return !a.incoming
}

// carries tells whether our dial still carries the attempt.
func (t *peers) carries(a *attempt) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !a.incoming
}

// finish decides an attempt: with c as the new connection, or with err. It does
// nothing if the other side's dial carries the attempt. If there is an older
// connection to the same peer it only returns that, for the caller to end first.
func (t *peers) finish(name string, a *attempt, incoming bool, c *conn, err error) (older *conn, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.incoming != incoming {
		return nil, false
	}
	if c != nil && t.closed {
		c, err = nil, ErrClosed
	}
	if c != nil && t.up[name] != nil {
		return t.up[name], false
	}
	delete(t.attempts, name)
	if c != nil {
		t.up[name] = c
	}
	a.err = err
	close(a.done)
	return nil, c != nil
}

// remove takes a lost connection out and tells of it as one: the peer is not
// among Nodes when its Down comes, and cannot be up again before.
func (t *peers) remove(c *conn, tell func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer tell()
	if t.up[c.name] == c {
		delete(t.up, c.name)
	}
	if t.lost != nil {
		t.lost[c.name] = true
	}
}

// wasUp tells whether there was a connection to name before.
func (t *peers) wasUp(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost[name]
}

// close refuses new connections from now on, and gives up our dials.
func (t *peers) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, a := range t.attempts {
		if a.cancel != nil {
			a.cancel()
		}
	}
}

// Nodes returns the names of the connected visible nodes, sorted, as nodes/0.
func (n *Node) Nodes() []string { return n.nodes(func(c *conn) bool { return !c.hidden }) }

// HiddenNodes returns the names of the connected hidden nodes, sorted, as
// nodes(hidden): those that are hidden, or to which this node is.
func (n *Node) HiddenNodes() []string { return n.nodes(func(c *conn) bool { return c.hidden }) }

func (n *Node) nodes(want func(*conn) bool) []string {
	var names []string
	for _, c := range n.peers.live() {
		if want(c) {
			names = append(names, c.name)
		}
	}
	sort.Strings(names)
	return names
}

// Connect makes sure there is a connection to the node called name, and waits
// until there is. It is not an error if there was one already.
func (n *Node) Connect(ctx context.Context, name string) error {
	_, err := n.connect(ctx, name, "")
	return err
}

// ConnectAddr is Connect to a node whose address, "HOST:PORT", is known
// otherwise than from its name and epmd, such as from a DNS SRV record.
func (n *Node) ConnectAddr(ctx context.Context, name, addr string) error {
	_, err := n.connect(ctx, name, addr)
	return err
}

// Disconnect ends the connection to a node and waits until its loss has been
// dealt with: every link and monitor over it has fired. ErrNoConnection if there
// is none.
func (n *Node) Disconnect(ctx context.Context, name string) error {
	c := n.peers.find(name)
	if c == nil {
		return noConnection(name, nil)
	}
	c.fail(ErrDisconnected)
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// connected returns the live connection to a node, or nil; it makes none.
func (n *Node) connected(name string) *conn { return n.peers.find(name) }

// connection returns the connection to a node for a signal to it, connecting
// first unless the node is configured not to.
func (n *Node) connection(ctx context.Context, name string) (*conn, error) {
	if c := n.peers.find(name); c != nil {
		return c, nil
	}
	if !mayConnect(ctx) {
		return nil, noConnection(name, nil)
	}
	switch auto := n.config.AutoConnect; {
	case auto == AutoConnectNever:
		return nil, noConnection(name, errors.New("AutoConnect is never"))
	case auto == AutoConnectOnce && n.peers.wasUp(name):
		return nil, noConnection(name, errors.New("AutoConnect is once, and the connection was lost"))
	}
	return n.connect(ctx, name, "")
}

// maxTries bounds how often a connect goes on when dials of the peer fail that it
// had waited for instead of dialling: one that was given up over there may still
// be waiting to be accepted here.
const maxTries = 4

func (n *Node) connect(ctx context.Context, name, addr string) (*conn, error) {
	if err := n.checkPeerName(name); err != nil {
		return nil, err
	}
	if !n.allows(name) {
		return nil, noConnection(name, errNotAllowed)
	}
	for tries := 1; ; tries++ {
		// The attempt outlives this caller's context: others may wait for it too.
		dialCtx, cancel := context.WithCancel(context.Background())
		c, a, started, err := n.peers.dialling(name, cancel)
		switch {
		case started:
			n.running.Go(func() {
				defer cancel()
				n.dial(dialCtx, name, addr, a)
			})
		default:
			cancel()
		}
		if c != nil || err != nil {
			return c, err
		}
		select {
		case <-a.done:
		case <-ctx.Done():
			return nil, noConnection(name, context.Cause(ctx))
		}
		if a.err != nil && a.incoming && tries < maxTries {
			continue // it was the peer's dial that failed; ours has not been tried, or not to the end
		}
		if a.err != nil {
			return nil, noConnection(name, a.err)
		}
		if c := n.peers.find(name); c != nil {
			return c, nil
		}
		// It came up and was lost again before we looked: try anew.
		if ctx.Err() != nil {
			return nil, noConnection(name, fmt.Errorf("lost at once: %w", context.Cause(ctx)))
		}
	}
}
