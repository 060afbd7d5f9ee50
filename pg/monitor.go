package pg

import (
	"context"
	"sync"

	"github.com/truss-beam/truss/etf"
)

// Event is a change of one group: processes have joined it, left it, or, when a
// node that was lost has come back, both.
type Event struct {
	Group  etf.Term
	Joined []etf.Pid
	Left   []etf.Pid

	key string
}

// Group is a group with its members.
type Group struct {
	Name    etf.Term
	Members []etf.Pid
}

// Monitor returns the members of a group and a channel of all changes from then
// on, in order, none of which is lost however slowly it is read: pg:monitor/2. The
// channel is closed when ctx ends or the scope does.
func (s *Scope) Monitor(ctx context.Context, group any) ([]etf.Pid, <-chan Event, error) {
	n, err := nameOf(group)
	if err != nil {
		return nil, nil, err
	}
	var members []etf.Pid
	var events <-chan Event
	err = s.change(func() error {
		members = s.machine.members.all(n.key)
		events = s.feed(ctx, n.key, false)
		return nil
	})
	return members, events, err
}

// MonitorScope is Monitor for all groups of the scope: pg:monitor_scope/1.
func (s *Scope) MonitorScope(ctx context.Context) ([]Group, <-chan Event, error) {
	var groups []Group
	var events <-chan Event
	err := s.change(func() error {
		for key, g := range s.machine.groups {
			groups = append(groups, Group{Name: g.term, Members: s.machine.members.all(key)})
		}
		events = s.feed(ctx, "", true)
		return nil
	})
	return groups, events, err
}

// feed is what one Monitor reads from.
type feed struct {
	key  string // of the group
	all  bool   // of every group
	wake chan struct{}

	mu    sync.Mutex
	queue []Event
}

// feed starts a feed. s.mu is held.
func (s *Scope) feed(ctx context.Context, key string, all bool) <-chan Event {
	f := &feed{key: key, all: all, wake: make(chan struct{}, 1)}
	s.feeds[f] = struct{}{}
	events := make(chan Event)
	s.pumps.Go(func() {
		defer close(events)
		f.pump(ctx, s.ctx, events)
		s.mu.Lock()
		delete(s.feeds, f)
		s.mu.Unlock()
	})
	return events
}

// publish hands an event to the feeds it concerns. s.mu is held.
func (s *Scope) publish(e Event) {
	for f := range s.feeds {
		if f.all || f.key == e.key {
			f.put(e)
		}
	}
}

func (f *feed) put(e Event) {
	f.mu.Lock()
	f.queue = append(f.queue, e)
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *feed) take() []Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	queue := f.queue
	f.queue = nil
	return queue
}

// pump writes the feed's events to its channel until ctx or the scope ends.
func (f *feed) pump(ctx, scope context.Context, events chan<- Event) {
	for {
		select {
		case <-f.wake:
		case <-ctx.Done():
			return
		case <-scope.Done():
			return
		}
		for _, e := range f.take() {
			select {
			case events <- e:
			case <-ctx.Done():
				return
			case <-scope.Done():
				return
			}
		}
	}
}
