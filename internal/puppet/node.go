package puppet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// Node is the Host of a Truss node.
type Node struct {
	node    *truss.Node
	marker  *truss.Process
	markers chan marker
	live    map[string]*actor

	mu     sync.Mutex // guards all following fields
	events []Event
	count  int
}

type marker struct {
	_      struct{} `etf:"marker,tuple"`
	Number int
	Node   etf.Atom
}

// actor is one puppet. Its work arrives in its mailbox like everything else, as
// the atom '$work' for each function in the channel: when it does that, it has
// looked at all that came before.
type actor struct {
	host     *Node
	id       string
	process  *truss.Process
	work     chan func(context.Context, *truss.Process) error
	monitors map[string]etf.Ref // by label; owned by the process
	labels   map[etf.Ref]string // owned by the process
}

const workTag = etf.Atom("$work")

// NewNode makes n a host of puppets.
func NewNode(n *truss.Node) (*Node, error) {
	h := &Node{node: n, markers: make(chan marker, 1000), live: make(map[string]*actor)}
	var err error
	h.marker, err = n.Spawn(h.receiveMarkers, truss.Registered(MarkerName))
	return h, err
}

func (h *Node) receiveMarkers(ctx context.Context, p *truss.Process) error {
	for {
		m, err := p.Receive(ctx)
		if err != nil {
			return err
		}
		var got marker
		if err := m.Unmarshal(&got); err != nil {
			return err
		}
		h.markers <- got
	}
}

func (h *Node) Name() string { return h.node.Name() }

func (h *Node) Spawn(_ context.Context, ids []string) (map[string]etf.Pid, error) {
	pids := make(map[string]etf.Pid)
	for _, id := range ids {
		a := &actor{
			host: h, id: id, work: make(chan func(context.Context, *truss.Process) error, 16),
			monitors: make(map[string]etf.Ref), labels: make(map[etf.Ref]string),
		}
		p, err := h.node.Spawn(a.run)
		if err != nil {
			return nil, err
		}
		a.process = p
		h.live[id] = a
		pids[id] = p.PID()
	}
	return pids, nil
}

func (a *actor) run(ctx context.Context, p *truss.Process) error {
	for {
		m, err := p.Receive(ctx)
		if err != nil {
			return err
		}
		if m.Tag() == workTag {
			if err := (<-a.work)(ctx, p); err != nil {
				return err
			}
			continue
		}
		term, err := m.Term()
		if err != nil {
			return err
		}
		a.host.note(a.eventOf(term))
	}
}

func (a *actor) eventOf(term etf.Term) Event {
	switch term := term.(type) {
	case truss.Exit:
		return Event{Puppet: a.id, Kind: GotExit, From: term.From, Term: term.Reason}
	case truss.Down:
		e := Event{Puppet: a.id, Kind: GotDown, From: term.Object, Label: a.labels[term.Ref], Term: term.Reason}
		if name, ok := term.Object.(truss.Name); ok {
			e.From = etf.Tuple{etf.Atom(name.Name), etf.Atom(name.Node)}
		}
		return e
	case etf.Tuple:
		if len(term) == 2 {
			if from, ok := term[0].([]byte); ok {
				return Event{Puppet: a.id, Kind: GotMessage, From: string(from), Term: term[1]}
			}
		}
	}
	return Event{Puppet: a.id, Kind: GotMessage, From: "nobody", Term: term}
}

func (h *Node) note(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
	h.count++
}

func (h *Node) Do(ctx context.Context, bursts []Burst, targets map[string]etf.Term) error {
	var waits []func() error
	for _, b := range bursts {
		if a := h.live[b.Puppet]; a != nil {
			waits = append(waits, a.begin(ctx, func(ctx context.Context, p *truss.Process) error {
				for _, o := range b.Ops {
					if err := a.do(ctx, p, o, targets[o.To]); err != nil {
						return err
					}
				}
				return nil
			}))
		}
	}
	return h.await(waits)
}

// begin gives a puppet work; the function returned waits until it has done it or
// has ended.
func (a *actor) begin(ctx context.Context, f func(context.Context, *truss.Process) error) (wait func() error) {
	done := make(chan struct{})
	a.work <- func(ctx context.Context, p *truss.Process) error {
		defer close(done)
		return f(ctx, p)
	}
	if err := a.host.node.Send(ctx, a.process, workTag); err != nil {
		return func() error { return err }
	}
	return func() error {
		select {
		case <-done:
			return nil
		case <-a.process.Context().Done():
			return nil
		case <-ctx.Done():
			return fmt.Errorf("puppet %s does not come to its work: %w", a.id, context.Cause(ctx))
		}
	}
}

func (h *Node) await(waits []func() error) error {
	var errs []error
	for _, wait := range waits {
		errs = append(errs, wait())
	}
	return errors.Join(errs...)
}

func (a *actor) do(ctx context.Context, p *truss.Process, o Op, to etf.Term) error {
	pid, _ := to.(etf.Pid)
	switch o.Verb {
	case Link:
		return p.Link(ctx, pid)
	case Unlink:
		return p.Unlink(ctx, pid)
	case Monitor:
		ref, err := p.Monitor(ctx, destination(to))
		a.monitors[o.Label], a.labels[ref] = ref, o.Label
		return err
	case Demonitor:
		p.Demonitor(a.monitors[o.Label])
	case Exit:
		return unlessUnreachable(p.Exit(ctx, pid, o.Term))
	case Send:
		return unlessUnreachable(p.Send(ctx, destination(to), etf.Tuple{[]byte(a.id), o.Term}))
	case Trap, Untrap:
		p.TrapExit(o.Verb == Trap)
	case Stop:
		return &truss.ExitError{Reason: o.Term}
	case Register:
		return a.host.node.Register(o.Label, p)
	case Unregister:
		a.host.node.Unregister(o.Label)
	}
	return nil
}

// unlessUnreachable forgets what Erlang does not tell a sender.
func unlessUnreachable(err error) error {
	if errors.Is(err, truss.ErrNoConnection) || errors.Is(err, truss.ErrNoProcess) {
		return nil
	}
	return err
}

func destination(to etf.Term) any {
	if t, ok := to.(etf.Tuple); ok {
		return truss.Name{Name: string(t[0].(etf.Atom)), Node: string(t[1].(etf.Atom))}
	}
	return to
}

func (h *Node) Flush(ctx context.Context, number int, peers []string) (int, error) {
	for _, peer := range peers {
		m := marker{Number: number, Node: etf.Atom(h.Name())}
		if err := h.marker.Send(ctx, truss.Name{Name: MarkerName, Node: peer}, m); err != nil {
			return 0, err
		}
	}
	for missing := slices.Clone(peers); len(missing) > 0; {
		select {
		case m := <-h.markers:
			if m.Number == number {
				missing = slices.DeleteFunc(missing, func(peer string) bool { return peer == string(m.Node) })
			}
		case <-ctx.Done():
			return 0, fmt.Errorf("%s: no marker %d from %v: %w", h.Name(), number, missing, context.Cause(ctx))
		}
	}
	if err := h.sync(ctx); err != nil {
		return 0, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count, nil
}

// sync returns when every puppet has looked at what it got.
func (h *Node) sync(ctx context.Context) error {
	var waits []func() error
	for _, a := range h.live {
		waits = append(waits, a.begin(ctx, func(context.Context, *truss.Process) error { return nil }))
	}
	err := h.await(waits)
	for id, a := range h.live {
		var exit *truss.ExitError
		if errors.As(context.Cause(a.process.Context()), &exit) {
			h.note(Event{Puppet: id, Kind: Ended, Term: exit.Reason})
			delete(h.live, id)
		}
	}
	return err
}

func (h *Node) Take(ctx context.Context) ([]Event, error) {
	if err := h.sync(ctx); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	events := slices.DeleteFunc(h.events, func(e Event) bool {
		return e.Kind != Ended && h.live[e.Puppet] == nil // it had no more than taken note before it ended
	})
	h.events = nil
	return events, nil
}

func (h *Node) Clear(ctx context.Context) error {
	for _, a := range h.live {
		if err := h.marker.Exit(ctx, a.process.PID(), etf.Atom("kill")); err != nil {
			return err
		}
	}
	_, err := h.Take(ctx)
	return err
}

func (h *Node) Nodes(context.Context) ([]string, error)        { return h.node.Nodes(), nil }
func (h *Node) Connect(ctx context.Context, node string) error { return h.node.Connect(ctx, node) }
func (h *Node) Disconnect(ctx context.Context, node string) error {
	return h.node.Disconnect(ctx, node)
}
