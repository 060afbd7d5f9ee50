package discoverytest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/truss-beam/truss/discovery"
)

// source is a strategy as it should be, over a list in memory.
type source struct {
	mu     sync.Mutex
	names  []string
	broken bool
}

func (s *source) set(names []string) { s.mu.Lock(); defer s.mu.Unlock(); s.names = slices.Clone(names) }
func (s *source) fail(broken bool)   { s.mu.Lock(); defer s.mu.Unlock(); s.broken = broken }

func (s *source) Watch(ctx context.Context, _ discovery.Self, report func(discovery.Update)) error {
	return discovery.Poll(ctx, report, func(context.Context) (discovery.Update, time.Duration) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.broken {
			return discovery.Update{Err: errors.New("broken")}, time.Second
		}
		var u discovery.Update
		for _, n := range s.names {
			u.Peers = append(u.Peers, discovery.Peer{Name: n})
		}
		return u, time.Second
	})
}

func TestSuiteAcceptsAGoodStrategy(t *testing.T) {
	RunSynctest(t, func(_ *testing.T, names []string) Harness {
		s := &source{names: names}
		return Harness{Strategy: s, Set: s.set, Fail: s.fail}
	})
}

// A strategy that stops with an error when it loses its source is as good: discovery.Run starts it again.
type brittle struct{ source }

func (s *brittle) Watch(ctx context.Context, self discovery.Self, report func(discovery.Update)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := s.source.Watch(ctx, self, func(u discovery.Update) {
		if u.Err != nil {
			cancel(u.Err)
			return
		}
		report(u)
	})
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func TestSuiteAcceptsAStrategyThatStops(t *testing.T) {
	Run(t, func(_ *testing.T, names []string) Harness {
		s := &brittle{source{names: names}}
		return Harness{Strategy: s}
	})
	RunSynctest(t, func(_ *testing.T, names []string) Harness {
		s := &brittle{source{names: names}}
		return Harness{Strategy: s, Set: s.set, Fail: s.fail}
	})
}
