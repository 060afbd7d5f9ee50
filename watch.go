package truss

import (
	"context"
	"sync"

	"github.com/truss-beam/truss/etf"
)

// NodeEvent tells that a node came up or went down, as the messages of
// net_kernel:monitor_nodes.
type NodeEvent struct {
	Node   string
	Up     bool
	Hidden bool
	// Reason is why the node went down: ErrTickTimeout, ErrPeerClosed,
	// ErrDisconnected, ErrReplaced or what broke the connection. Nil for Up.
	Reason error
}

// MarshalTerm makes an event that is sent on look as Erlang's: {nodeup, Node} or
// {nodedown, Node}.
func (e NodeEvent) MarshalTerm() (etf.Term, error) {
	tag := etf.Atom("nodedown")
	if e.Up {
		tag = "nodeup"
	}
	return etf.Tuple{tag, etf.Atom(e.Node)}, nil
}

// watch hands node events to those who asked, each in the order they happened.
type watch struct {
	mu          sync.Mutex
	up          map[string]NodeEvent // of the nodes whose Up has been published
	subscribers map[*mailbox]struct{}
}

func (w *watch) publish(e NodeEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.up == nil {
		w.up = make(map[string]NodeEvent)
	}
	if e.Up {
		w.up[e.Node] = e
	} else {
		delete(w.up, e.Node)
	}
	for box := range w.subscribers {
		box.put(signalMessage(e), expected)
	}
}

// subscribe puts every event from now on in box; with present, first an Up for
// every node that is connected.
func (w *watch) subscribe(box *mailbox, present bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if present {
		for _, e := range w.up {
			box.put(signalMessage(e), expected)
		}
	}
	if w.subscribers == nil {
		w.subscribers = make(map[*mailbox]struct{})
	}
	w.subscribers[box] = struct{}{}
}

func (w *watch) unsubscribe(box *mailbox) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.subscribers, box)
}

// MonitorNodes makes every NodeEvent from now on arrive as a message, before any
// message from a node that came up, and after the Downs and Exits of one that
// went down.
func (p *Process) MonitorNodes() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dead {
		p.bound().monitorsNodes = true
		p.node.watch.subscribe(&p.mailbox, false)
	}
}

// Events returns a channel of the node's events, none of which is lost however
// slowly it is read. It begins with an Up for every node connected already, and
// is closed when ctx ends or the node is closed.
func (n *Node) Events(ctx context.Context) <-chan NodeEvent {
	events := make(chan NodeEvent)
	var box mailbox
	n.watch.subscribe(&box, true)
	n.running.Go(func() {
		defer close(events)
		defer n.watch.unsubscribe(&box)
		n.pump(ctx, &box, events)
	})
	return events
}

func (n *Node) pump(ctx context.Context, box *mailbox, events chan<- NodeEvent) {
	for {
		m, _, ok := box.take(position{}, nil)
		if !ok {
			select {
			case <-box.woken():
				continue
			case <-ctx.Done():
				return
			case <-n.life.Done():
				return
			}
		}
		select {
		case events <- m.Signal().(NodeEvent):
		case <-ctx.Done():
			return
		case <-n.life.Done():
			return
		}
	}
}
