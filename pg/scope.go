package pg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// DefaultScope is the scope that Erlang's functions without one mean.
const DefaultScope = "pg"

var (
	// ErrClosed: the scope has ended, by Close or with its node.
	ErrClosed = errors.New("pg: scope closed")
	// ErrNotJoined: none of the processes was in the group.
	ErrNotJoined = errors.New("not_joined")
	// ErrNotLocal: only processes of this node can join and leave here.
	ErrNotLocal = errors.New("nolocal")
)

// Scope is one scope on one node. Its methods may be called by several
// goroutines at once, and none of them waits for other nodes.
type Scope struct {
	// Set by Start, never changed.
	name    string
	node    *truss.Node
	process *truss.Process
	log     *slog.Logger
	ctx     context.Context // until the scope ends; sends to nodes that are connected
	cancel  context.CancelFunc
	out     outbox
	pumps   sync.WaitGroup // the goroutines of feeds

	mu      sync.RWMutex // guards what follows; what happens, happens under it
	closed  bool
	machine *machine
	asked   map[string]bool     // nodes to discover though they are hidden
	again   *time.Timer         // asks those anew, from the first Discover on
	watches map[etf.Pid]etf.Ref // monitors of processes of this node
	feeds   map[*feed]struct{}
}

// Start starts a scope on a node: a process registered under the scope's name,
// DefaultScope if that is empty. The error is truss.ErrNameTaken if the node has
// the scope already, and truss.ErrClosed.
func Start(node *truss.Node, scope string) (*Scope, error) {
	if scope == "" {
		scope = DefaultScope
	}
	s := &Scope{
		name:    scope,
		node:    node,
		log:     node.Logger().With("scope", scope),
		asked:   make(map[string]bool),
		watches: make(map[etf.Pid]etf.Ref),
		feeds:   make(map[*feed]struct{}),
	}
	started := make(chan struct{})
	_, err := node.Spawn(func(ctx context.Context, p *truss.Process) error {
		s.process, s.machine = p, newMachine(p.PID())
		s.ctx, s.cancel = context.WithCancel(truss.NoConnect(ctx))
		close(started)
		return s.run()
	}, truss.Registered(scope))
	if err != nil {
		return nil, fmt.Errorf("pg: start scope %s: %w", scope, err)
	}
	<-started
	return s, nil
}

// Close ends the scope: its members are out of their groups on every node, its
// name is free, and the channels of Monitor are closed. The processes themselves
// live on.
func (s *Scope) Close() error {
	s.cancel()
	<-s.process.Context().Done()
	return nil
}

// Join adds processes of this node to a group, each once more than it was. group
// is any term, pids may repeat. The other nodes learn of it in the order of the
// calls.
func (s *Scope) Join(group any, pids ...etf.Pid) error {
	n, err := s.check(group, pids)
	if err != nil {
		return err
	}
	return s.change(func() error {
		s.machine.joinLocal(n, pids)
		return nil
	})
}

// Leave takes processes of this node out of a group, each once. The error is
// ErrNotJoined if none of them was in it.
func (s *Scope) Leave(group any, pids ...etf.Pid) error {
	n, err := s.check(group, pids)
	if err != nil {
		return err
	}
	return s.change(func() error {
		if !s.machine.leaveLocal(n, pids) && len(pids) > 0 {
			return fmt.Errorf("pg: leave %s: %w", etf.Format(n.term), ErrNotJoined)
		}
		return nil
	})
}

func (s *Scope) check(group any, pids []etf.Pid) (name, error) {
	for _, pid := range pids {
		if string(pid.Node) != s.node.Name() {
			return name{}, fmt.Errorf("pg: %v is not of this node: %w", pid, ErrNotLocal)
		}
	}
	return nameOf(group)
}

// Members returns the members of a group on all nodes known, in no particular
// order, each as often as it has joined. A group that does not exist has none.
func (s *Scope) Members(group any) []etf.Pid {
	n, err := nameOf(group)
	if err != nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.machine.members.all(n.key)
}

// LocalMembers returns the members of a group on this node.
func (s *Scope) LocalMembers(group any) []etf.Pid {
	n, err := nameOf(group)
	if err != nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.machine.of(s.machine.self, n).appendTo(nil)
}

// WhichGroups returns all groups that have members, in no particular order.
func (s *Scope) WhichGroups() []etf.Term {
	s.mu.RLock()
	defer s.mu.RUnlock()
	groups := make([]etf.Term, 0, len(s.machine.groups))
	for _, g := range s.machine.groups {
		groups = append(groups, g.term)
	}
	return groups
}

// WhichLocalGroups returns the groups that have members on this node.
func (s *Scope) WhichLocalGroups() []etf.Term {
	s.mu.RLock()
	defer s.mu.RUnlock()
	groups := make([]etf.Term, 0, len(s.machine.self.groups))
	for g := range s.machine.self.groups {
		groups = append(groups, g.term)
	}
	return groups
}

// Discover makes the scope take part with a node that either is hidden or to
// which this node is, now if it is connected and whenever it comes up: scopes find
// each other of their own accord only on visible nodes. It does not connect. A
// scope that starts there later is found within 2 s.
func (s *Scope) Discover(node string) error {
	return s.change(func() error {
		s.asked[node] = true
		s.machine.nodeUp(etf.Atom(node))
		if s.again == nil {
			s.again = time.AfterFunc(askEvery, s.askAgain)
		}
		return nil
	})
}

// askEvery is how often nodes to discover are asked until they answer. A scope that
// starts there tells visible nodes only; and to be asked too early is the rule, for
// a BEAM can be connected to a second or more before its application starts scopes.
// It is one small message, also for ever.
const askEvery = 2 * time.Second

// askAgain asks the nodes to discover that are connected and have not answered.
func (s *Scope) askAgain() {
	_ = s.change(func() error { // fails only if the scope has ended
		for _, node := range slices.Concat(s.node.HiddenNodes(), s.node.Nodes()) {
			if s.asked[node] && !s.machine.knows(etf.Atom(node)) {
				s.machine.nodeUp(etf.Atom(node))
			}
		}
		s.again.Reset(askEvery)
		return nil
	})
}

// change does something to the machine and then what follows from it.
func (s *Scope) change(do func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("scope %s of %s: %w", s.name, s.node.Name(), ErrClosed)
	}
	err := do()
	for _, e := range s.machine.take() {
		s.perform(e)
	}
	return err
}
