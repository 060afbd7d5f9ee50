package interop

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
	"github.com/truss-beam/truss/internal/puppet"
)

var (
	seed     = flag.Uint64("seed", 0, "of TestDifferential's random programs; 0 for a fresh one")
	programs = flag.Int("programs", 1200, "how many random programs TestDifferential runs for each release")
)

// programsAtOnce and roundsEach: a batch is a minute's worth of shell commands, run
// in about a second. More programs at once only make the waits for signals rarer.
const (
	programsAtOnce = 200
	roundsEach     = 14
)

// TestDifferential runs random programs of links, monitors, exits, messages and
// disconnections on three BEAMs, and on two BEAMs and Truss. What every process
// sees must be the same (see package puppet for how far order counts).
func TestDifferential(t *testing.T) {
	first := *seed
	if first == 0 {
		first = uint64(time.Now().UnixNano())
	}
	replay := fmt.Sprintf("go test ./interop -run Differential -seed %d -programs %d -count=1", first, *programs)
	t.Log("replay with: ", replay)
	each(t, func(t *testing.T, release beam.Release) {
		r := rand.New(rand.NewPCG(first, 0))
		beams, mixed := newField(t, release, false), newField(t, release, true)
		for batch := 0; batch*programsAtOnce < *programs && !t.Failed(); batch++ {
			b := newBatch(r, batch, min(programsAtOnce, *programs-batch*programsAtOnce))
			var want, got map[string][]string
			var all sync.WaitGroup
			all.Go(func() { want = beams.run(t, b) })
			all.Go(func() { got = mixed.run(t, b) })
			all.Wait()
			if t.Failed() {
				t.Fatal(replay)
			}
			b.compare(t, want, got, replay)
		}
	})
}

// batch is programs that run side by side, with the rounds that they share.
type batch struct {
	rounds   []*puppet.Disconnection
	programs []*puppet.Program
}

func newBatch(r *rand.Rand, number, size int) batch {
	nodes := []string{"a", "b", "c"}
	b := batch{rounds: make([]*puppet.Disconnection, roundsEach)}
	for i := range b.rounds {
		if r.IntN(6) == 0 {
			pair := r.Perm(len(nodes))
			b.rounds[i] = &puppet.Disconnection{A: nodes[pair[0]], B: nodes[pair[1]]}
		}
	}
	for i := range size {
		b.programs = append(b.programs, puppet.NewProgram(r, fmt.Sprintf("%d_%d", number, i), nodes, b.rounds))
	}
	return b
}

// compare shows the first program whose traces differ; others mostly differ for
// the same reason.
func (b batch) compare(t *testing.T, want, got map[string][]string, replay string) {
	for _, p := range b.programs {
		// A program that ends otherwise than its generator thinks may have races.
		if ended := strings.Count(strings.Join(want[p.ID], "\n"), " ended: "); ended != len(p.On)-len(p.Alive) {
			t.Errorf("%s\n\n%s\nthree BEAMs:\n%s\nonly %v should live", replay, p.Script(b.rounds), strings.Join(want[p.ID], "\n"), p.Alive)
			return
		}
		if !slices.Equal(want[p.ID], got[p.ID]) {
			t.Errorf("%s\n\n%s\nthree BEAMs:\n%s\nwith Truss as a:\n%s", replay, p.Script(b.rounds),
				strings.Join(want[p.ID], "\n"), strings.Join(got[p.ID], "\n"))
			return
		}
	}
}

// field is three nodes on which batches run.
type field struct {
	cluster *realCluster
	hosts   map[string]puppet.Host
	all     []puppet.Host
}

func newField(t *testing.T, release beam.Release, withGo bool) *field {
	f := &field{cluster: newRealCluster(t, release, withGo), hosts: make(map[string]puppet.Host)}
	for _, name := range []string{"a", "b", "c"} {
		h, err := f.cluster.Start(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		f.hosts[name] = h
		f.all = append(f.all, h)
	}
	return f
}

// run runs a batch and returns the trace of each program.
func (f *field) run(t *testing.T, b batch) map[string][]string {
	ctx, cancel := context.WithTimeout(t.Context(), 2*limit)
	defer cancel()
	traces := make(map[string][]string)
	if err := f.try(ctx, b, traces); err != nil {
		t.Error(err)
	}
	return traces
}

func (f *field) try(ctx context.Context, b batch, traces map[string][]string) error {
	names := make(puppet.Names)
	targets := make(map[string]etf.Term)
	if err := f.connect(ctx); err != nil {
		return err
	}
	for i, name := range []string{"a", "b", "c"} {
		var ids []string
		for _, p := range b.programs {
			ids = append(ids, p.Spawns[i]...)
		}
		pids, err := f.hosts[name].Spawn(ctx, ids)
		if err != nil {
			return err
		}
		for id, pid := range pids {
			names[pid], targets[id] = id, pid
		}
	}
	for round := range b.rounds {
		if err := f.round(ctx, b, round, targets); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
		if err := f.take(ctx, round, names, traces); err != nil {
			return err
		}
	}
	return puppet.AtOnce(f.all, func(h puppet.Host) error { return h.Clear(ctx) })
}

// connect connects every node to every other.
func (f *field) connect(ctx context.Context) error {
	for i, a := range f.all {
		for _, b := range f.all[:i] {
			if err := a.Connect(ctx, b.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *field) round(ctx context.Context, b batch, round int, targets map[string]etf.Term) error {
	if d := b.rounds[round]; d != nil {
		if err := f.hosts[d.A].Disconnect(ctx, f.hosts[d.B].Name()); err != nil {
			return err
		}
		if err := f.cluster.Settle(ctx, f.all); err != nil {
			return err
		}
		return f.connect(ctx)
	}
	work := make(map[string][]puppet.Burst)
	for _, p := range b.programs {
		for _, burst := range p.Rounds[round] {
			work[p.On[burst.Puppet]] = append(work[p.On[burst.Puppet]], burst)
		}
	}
	var acting sync.WaitGroup
	errs := make(chan error, len(f.hosts))
	for name, h := range f.hosts {
		acting.Go(func() { errs <- h.Do(ctx, work[name], targets) })
	}
	acting.Wait()
	for range f.hosts {
		if err := <-errs; err != nil {
			return err
		}
	}
	return f.cluster.Settle(ctx, f.all)
}

// take adds a round to the traces.
func (f *field) take(ctx context.Context, round int, names puppet.Names, traces map[string][]string) error {
	var events []puppet.Event
	for _, h := range f.all {
		some, err := h.Take(ctx)
		if err != nil {
			return err
		}
		events = append(events, some...)
	}
	for _, line := range puppet.Canonical(events, names) {
		program, _, _ := strings.Cut(line, ".")
		traces[program] = append(traces[program], fmt.Sprintf("round %d: %s", round+1, line))
	}
	return nil
}
