package discoverytest

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss/discovery"
)

// SelfName is the node for which the strategies are run. Its own name may be reported; the suite takes no notice.
const SelfName = "app@127.0.1.1"

// silence is how long a report may take. It is a guard against hanging, not a measure: far above what any strategy
// configured for a test needs.
const silence = 30 * time.Second

// A Factory makes a strategy whose source holds exactly names, full node names such as "app@127.0.1.2", all with the
// base name of [SelfName] and an IPv4 host. It is called anew for each test; clean up with t.Cleanup.
type Factory func(t *testing.T, names []string) Harness

// Harness is a strategy and the handles of its source. Set and Fail may be nil if the source has no such thing; the
// tests that need them are then left out. Configure short intervals.
type Harness struct {
	Strategy discovery.Strategy
	Set      func(names []string) // the source holds exactly names from now on; never called with none
	Fail     func(broken bool)    // from now on the source does not answer, or does again
}

// Run runs the suite.
func Run(t *testing.T, factory Factory) { run(t, factory, false) }

// RunSynctest runs each test of the suite in a [synctest] bubble: for strategies whose factory makes no system calls
// that block. It fails those that leave a goroutine behind.
func RunSynctest(t *testing.T, factory Factory) { run(t, factory, true) }

func run(t *testing.T, factory Factory, bubble bool) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, Factory)
	}{
		{"ReportsThePeers", reportsThePeers},
		{"EndsWithItsContext", endsWithItsContext},
		{"EndedContext", endedContext},
		{"TwoNodesShareAStrategy", twoNodesShareAStrategy},
		{"ReportsWholeSets", reportsWholeSets},
		{"FailureIsNoEvidence", failureIsNoEvidence},
		{"FailureFromTheStart", failureFromTheStart},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if bubble {
				synctest.Test(t, func(t *testing.T) { tt.test(t, factory) })
			} else {
				tt.test(t, factory)
			}
		})
	}
}

func reportsThePeers(t *testing.T, factory Factory) {
	names := []string{"app@127.0.1.2", "app@127.0.1.3"}
	w := watch(t, factory(t, names).Strategy)
	u := w.until(t, func(u discovery.Update) bool { return holds(u, names) })
	if u.Err != nil {
		t.Errorf("an answer with an error: %v", u.Err)
	}
	seen := make(map[string]bool)
	for _, p := range u.Peers {
		if seen[p.Name] {
			t.Errorf("%s is reported twice in one update", p.Name)
		}
		seen[p.Name] = true
	}
}

func endsWithItsContext(t *testing.T, factory Factory) {
	w := watch(t, factory(t, []string{"app@127.0.1.2"}).Strategy)
	w.next(t)
	w.stop(t)
}

func endedContext(t *testing.T, factory Factory) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := watchContext(ctx, t, factory(t, []string{"app@127.0.1.2"}).Strategy)
	w.stop(t)
}

// One value serves two nodes: what one is told the other is told too.
func twoNodesShareAStrategy(t *testing.T, factory Factory) {
	names := []string{"app@127.0.1.2", "app@127.0.1.3"}
	s := factory(t, names).Strategy
	a, b := watch(t, s), watch(t, s)
	a.until(t, func(u discovery.Update) bool { return holds(u, names) })
	a.stop(t)
	b.until(t, func(u discovery.Update) bool { return holds(u, names) })
}

func reportsWholeSets(t *testing.T, factory Factory) {
	names := []string{"app@127.0.1.2", "app@127.0.1.3"}
	h := factory(t, names)
	if h.Set == nil {
		return
	}
	w := watch(t, h.Strategy)
	for _, names := range [][]string{
		names,
		{"app@127.0.1.2", "app@127.0.1.3", "app@127.0.1.4"}, // one joins: the others are still in the report
		{"app@127.0.1.4"}, // two leave
	} {
		h.Set(names)
		w.until(t, func(u discovery.Update) bool { return u.Err == nil && holds(u, names) })
	}
}

// While the source is silent a strategy says so, and keeps what it knew (or says that it knows nothing new).
func failureIsNoEvidence(t *testing.T, factory Factory) {
	names := []string{"app@127.0.1.2", "app@127.0.1.3"}
	h := factory(t, names)
	if h.Fail == nil {
		return
	}
	w := watch(t, h.Strategy)
	w.until(t, func(u discovery.Update) bool { return holds(u, names) })
	h.Fail(true)
	u := w.until(t, func(u discovery.Update) bool { return u.Err != nil || !holds(u, names) })
	if u.Err == nil || (u.Peers != nil && !holds(u, names)) {
		t.Errorf("a source that fails was reported as %v", u)
	}
	h.Fail(false)
	w.until(t, func(u discovery.Update) bool { return u.Err == nil && holds(u, names) })
}

func failureFromTheStart(t *testing.T, factory Factory) {
	names := []string{"app@127.0.1.2"}
	h := factory(t, names)
	if h.Fail == nil {
		return
	}
	h.Fail(true)
	w := watch(t, h.Strategy)
	if u := w.next(t); u.Err == nil {
		t.Errorf("a source that fails was reported as %v", u)
	}
	h.Fail(false)
	w.until(t, func(u discovery.Update) bool { return u.Err == nil && holds(u, names) })
}

// holds tells whether u has exactly names, SelfName aside.
func holds(u discovery.Update, names []string) bool {
	var got []string
	for _, p := range u.Peers {
		if p.Name != SelfName {
			got = append(got, p.Name)
		}
	}
	slices.Sort(got)
	return slices.Equal(got, slices.Sorted(slices.Values(names)))
}

// watcher is a Watch under way. A strategy that returns an error is started again, as discovery.Run does.
type watcher struct {
	updates chan discovery.Update
	done    chan struct{}
	cancel  context.CancelFunc
}

func watch(t *testing.T, s discovery.Strategy) *watcher { return watchContext(t.Context(), t, s) }

func watchContext(ctx context.Context, t *testing.T, s discovery.Strategy) *watcher {
	ctx, cancel := context.WithCancel(ctx)
	w := &watcher{updates: make(chan discovery.Update), done: make(chan struct{}), cancel: cancel}
	go func() {
		defer close(w.done)
		w.run(ctx, t, s)
	}()
	t.Cleanup(func() { w.stop(t) })
	return w
}

func (w *watcher) run(ctx context.Context, t *testing.T, s discovery.Strategy) {
	self := discovery.Self{Name: SelfName, Logger: slog.New(slog.DiscardHandler)}
	report := func(u discovery.Update) {
		select {
		case w.updates <- u:
		case <-ctx.Done():
		}
	}
	for {
		err := s.Watch(ctx, self, report)
		switch {
		case err == nil:
			return
		case ctx.Err() != nil:
			if !errors.Is(err, ctx.Err()) {
				t.Errorf("Watch ended with its context, but returned %v", err)
			}
			return
		case errors.Is(err, discovery.ErrConfig):
			t.Errorf("Watch does not take the configuration of the test: %v", err)
			return
		}
		report(discovery.Update{Err: err})
	}
}

func (w *watcher) next(t *testing.T) discovery.Update {
	t.Helper()
	return w.until(t, func(discovery.Update) bool { return true })
}

// until takes updates until one is as wanted.
func (w *watcher) until(t *testing.T, wanted func(discovery.Update) bool) discovery.Update {
	t.Helper()
	guard := time.NewTimer(silence)
	defer guard.Stop()
	var last discovery.Update
	for {
		select {
		case last = <-w.updates:
			if wanted(last) {
				return last
			}
		case <-guard.C:
			t.Fatalf("waited %v in vain; the last update was %v", silence, last)
		}
	}
}

func (w *watcher) stop(t *testing.T) {
	t.Helper()
	w.cancel()
	guard := time.NewTimer(silence)
	defer guard.Stop()
	select {
	case <-w.done:
	case <-guard.C:
		t.Errorf("Watch has not returned %v after its context ended", silence)
	}
}
