package discovery

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeCluster is a node whose connections are a map. refuse decides an attempt; nil lets it succeed.
type fakeCluster struct {
	mu           sync.Mutex
	up           map[string]bool
	refuse       func(ctx context.Context, name string) error
	attempts     map[string][]time.Time
	disconnected []string
}

func (c *fakeCluster) Name() string { return "app@10.0.0.1" }

func (c *fakeCluster) Nodes() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.up))
}

func (c *fakeCluster) Connect(ctx context.Context, name string) error {
	c.mu.Lock()
	if c.attempts == nil {
		c.attempts = make(map[string][]time.Time)
	}
	c.attempts[name] = append(c.attempts[name], time.Now())
	refuse := c.refuse
	c.mu.Unlock()
	if refuse != nil {
		if err := refuse(ctx, name); err != nil {
			return err
		}
	}
	c.set(name, true)
	return nil
}

func (c *fakeCluster) Disconnect(_ context.Context, name string) error {
	c.set(name, false)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.disconnected = append(c.disconnected, name)
	return nil
}

func (c *fakeCluster) set(name string, up bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.up == nil {
		c.up = make(map[string]bool)
	}
	if up {
		c.up[name] = true
	} else {
		delete(c.up, name)
	}
}

func (c *fakeCluster) refuseWith(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = func(context.Context, string) error { return err }
}

func (c *fakeCluster) tries(name string) []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.attempts[name])
}

// script is a strategy made of a function.
type script func(ctx context.Context, report func(Update)) error

func (s script) Watch(ctx context.Context, _ Self, report func(Update)) error { return s(ctx, report) }

// fixed reports names once, and is done.
func fixed(names ...string) Strategy {
	return script(func(_ context.Context, report func(Update)) error {
		report(Update{Peers: peers(names...)})
		return nil
	})
}

func peers(names ...string) []Peer {
	ps := make([]Peer, 0, len(names))
	for _, n := range names {
		ps = append(ps, Peer{Name: n})
	}
	return ps
}

// events collects what an Observer is told.
type events struct {
	mu  sync.Mutex
	all []Event
}

func (e *events) Observe(ev Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ev)
}

func eventsOf[T Event](e *events) []T {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []T
	for _, ev := range e.all {
		if t, ok := ev.(T); ok {
			found = append(found, t)
		}
	}
	return found
}

// logBuffer is a log to look into.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

func (b *logBuffer) count(part string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.text.String(), part)
}

// start runs cfg in a synctest bubble and returns what ends it and gives Run's error.
func start(t *testing.T, cfg Config, c Cluster, s Strategy) (stop func() error) {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- cfg.Run(ctx, c, s) }()
	return func() error {
		cancel()
		return <-done
	}
}
