package discovery

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Run connects c to the peers that s reports, until ctx ends, with the zero [Config]. See [Config.Run].
func Run(ctx context.Context, c Cluster, s Strategy) error {
	return Config{}.Run(ctx, c, s)
}

// Run connects c to the peers that s reports. It returns ctx's error when ctx ends, nil if s is switched off, and an
// error matching [ErrConfig] (logged as well, since the usual caller is a go statement) if s can never work. Whatever
// else fails is logged, reported to the Observer and tried again. No goroutine of Run's is left when it has returned.
func (cfg Config) Run(ctx context.Context, c Cluster, s Strategy) error {
	ctx, cancel := context.WithCancel(ctx)
	r := &runner{
		cfg:      cfg.withDefaults(),
		cluster:  c,
		strategy: s,
		self:     c.Name(),
		targets:  make(map[string]*target),
		events:   make(chan func()),
	}
	r.log = r.cfg.Logger.With("node", r.self)
	r.work.Go(func() { r.watch(ctx) })
	err := r.loop(ctx)
	cancel()
	r.work.Wait()
	return err
}

// runner is one Run. The loop's goroutine owns every field below the line; the strategy's goroutine and those that
// connect touch none of them, they send the loop a function.
type runner struct {
	cfg      Config
	cluster  Cluster
	strategy Strategy
	self     string
	log      *slog.Logger
	events   chan func()
	work     sync.WaitGroup

	// ---- owned by loop ----
	targets  map[string]*target
	inflight int    // attempts under way, at most cfg.Parallel
	trusted  bool   // the last update was evidence of absence
	trouble  string // what the strategy's error was when it was last logged
	reported bool   // there was an update
	ended    bool   // nothing is left to do: return err
	err      error
}

func (r *runner) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case do := <-r.events:
			do()
		case <-timer.C:
		}
		if r.ended {
			return r.err
		}
		timer.Reset(r.reconcile(ctx, time.Now()))
	}
}

// send has the loop call do, or drops it if Run is ending.
func (r *runner) send(ctx context.Context, do func()) {
	select {
	case r.events <- do:
	case <-ctx.Done():
	}
}

// watch runs the strategy, and again after each failure.
func (r *runner) watch(ctx context.Context) {
	self := Self{Name: r.self, Logger: r.log}
	for failures := 1; ; failures++ {
		healthy := false
		err := r.strategy.Watch(ctx, self, func(u Update) {
			healthy = healthy || u.Err == nil
			r.send(ctx, func() { r.update(u, time.Now()) })
		})
		if ctx.Err() != nil {
			return
		}
		if err == nil || errors.Is(err, ErrConfig) {
			r.send(ctx, func() { r.finish(err) })
			return
		}
		if healthy {
			failures = 1
		}
		pause := jitter(r.cfg.Backoff.pause(failures))
		r.send(ctx, func() { r.strategyFailed(err, pause) })
		if !sleep(ctx, pause) {
			return
		}
	}
}

// finish is the strategy's end: for the better, or in a way that no retry can mend.
func (r *runner) finish(err error) {
	r.ended = err != nil || !r.reported
	r.err = err
	if err != nil {
		r.log.Error("discovery: stopped", "err", err)
	}
}

func (r *runner) strategyFailed(err error, retry time.Duration) {
	r.trusted = false
	r.observe(StrategyFailed{Err: err, Retry: retry})
	r.logTrouble(err)
}

// update takes over a report of the strategy.
func (r *runner) update(u Update, now time.Time) {
	r.reported = true
	r.observe(Discovered{u})
	r.logTrouble(u.Err)
	r.trusted = u.Err == nil && (len(u.Peers) > 0 || r.cfg.Prune.AllowEmpty)
	if u.Err != nil && u.Peers == nil {
		return
	}
	for _, t := range r.targets {
		t.wanted = false
	}
	for _, p := range u.Peers {
		if p.Name == r.self {
			continue
		}
		t := r.targets[p.Name]
		if t == nil {
			t = new(target)
			r.targets[p.Name] = t
		}
		t.want(p)
	}
	for _, t := range r.targets {
		if !t.wanted && r.trusted {
			t.absent.count(now)
		}
	}
}

// reconcile starts what has to be done now and returns how long nothing else has to be.
func (r *runner) reconcile(ctx context.Context, now time.Time) time.Duration {
	r.look(now)
	pause := jitter(r.cfg.Interval)
	for _, t := range r.pending() {
		wait := t.due.Sub(now)
		if wait > 0 {
			pause = min(pause, wait)
			break // pending is in order of due
		}
		if r.inflight >= r.cfg.Parallel {
			break // the end of an attempt wakes the loop
		}
		r.connect(ctx, t, now)
	}
	r.prune(ctx, now)
	return pause
}

// look brings the targets up to date with the node's own list.
func (r *runner) look(now time.Time) {
	up := make(map[string]bool)
	for _, name := range r.cluster.Nodes() {
		up[name] = true
	}
	for name, t := range r.targets {
		switch {
		case t.busy:
			// What the attempt found is known when it ends.
		case up[name]:
			t.seenUp(now, r.cfg.Backoff)
		case t.up:
			r.lost(t, now)
		}
		if !t.wanted && !t.busy && !t.up {
			delete(r.targets, name)
		}
	}
}

// pending are the targets to connect to, the longest due first: with more of them than Parallel, each has its turn.
func (r *runner) pending() []*target {
	var due []*target
	for _, t := range r.targets {
		if t.wanted && !t.up && !t.busy {
			due = append(due, t)
		}
	}
	slices.SortFunc(due, func(a, b *target) int {
		if c := a.due.Compare(b.due); c != 0 {
			return c
		}
		return compareNames(a, b)
	})
	return due
}

func (r *runner) observe(e Event) {
	if r.cfg.Observer != nil {
		r.cfg.Observer.Observe(e)
	}
}

// logTrouble says once what is wrong with the strategy's source, and once that it is over.
func (r *runner) logTrouble(err error) {
	text := reason(err)
	if text == r.trouble {
		return
	}
	r.trouble = text
	if err != nil {
		r.log.Warn("discovery: the source of peers has a problem, will keep asking", "err", err)
	} else {
		r.log.Info("discovery: the source answers again")
	}
}
