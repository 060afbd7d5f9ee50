package play

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// director does things to the cluster and waits until all machines have seen it.
type director struct {
	cluster *cluster
	ask     asker
	limit   time.Duration // for each thing
}

// outcome is what came of one thing.
type outcome struct {
	Did      string   `json:"did"` // joined, left, was killed, came back
	Machines []string `json:"machines"`
	SeenBy   []string `json:"seen_by"`
	Seconds  float64  `json:"seconds"`
}

func (o outcome) String() string {
	machines, did := strings.Join(o.Machines, " "), o.Did
	if len(o.Machines) > 1 {
		did = strings.Replace(did, "was ", "were ", 1)
	}
	seen := ""
	switch {
	case len(o.Machines) == 0:
		return "nothing to do"
	case len(o.SeenBy) > 0:
		seen = ": seen by " + strings.Join(o.SeenBy, " ")
	case o.Did == joined && len(o.Machines) > 1:
		seen = ": each sees the others"
	}
	return fmt.Sprintf("%s %s%s after %s", machines, did, seen, took(o.Seconds))
}

// took prints a duration as people say it.
func took(seconds float64) string {
	switch {
	case seconds < 0.00995:
		return fmt.Sprintf("%.1f ms", seconds*1000)
	case seconds < 0.9995:
		return fmt.Sprintf("%.0f ms", seconds*1000)
	}
	return fmt.Sprintf("%.1f s", seconds)
}

// witness waits until what was done to some machines has been seen by all others.
func (d *director) witness(ctx context.Context, did string, ids []string, since time.Time) (outcome, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, d.limit, fmt.Errorf("not within %v", d.limit))
	defer cancel()
	var expected []string
	if did == joined || did == cameBack {
		expected = ids
	}
	err := d.cluster.settle(ctx, d.ask, expected...)
	o := outcome{Did: did, Machines: ids, SeenBy: []string{}, Seconds: time.Since(since).Seconds()}
	list, _ := d.cluster.snapshot()
	for _, m := range list {
		if m.state == running && !slices.Contains(ids, m.ID) {
			o.SeenBy = append(o.SeenBy, m.ID)
		}
	}
	return o, err
}

const (
	joined    = "joined"
	left      = "left"
	wasKilled = "was killed"
	cameBack  = "came back"
	wasLost   = "ended by itself"
)

// add starts new machines, all at the same time.
func (d *director) add(ctx context.Context, k kind, n int) (outcome, error) {
	return d.addIn(ctx, k, n, primaryRegion)
}

// addIn is add in a region.
func (d *director) addIn(ctx context.Context, k kind, n int, region string) (outcome, error) {
	begin := time.Now()
	var ids []string
	for range n {
		id, err := d.cluster.add(k, region)
		if err != nil {
			return outcome{}, err
		}
		ids = append(ids, id)
	}
	return d.witness(ctx, joined, ids, begin)
}

// clone starts another machine of the kind that one is, in its region if no other
// is named.
func (d *director) clone(ctx context.Context, id, region string) (outcome, error) {
	m, err := d.cluster.find(id)
	if err != nil {
		return outcome{}, err
	}
	return d.addIn(ctx, m.Kind, 1, cmp.Or(region, m.Region))
}

// scale starts or stops machines until n run: new ones with Go, and the newest
// are the first to go.
func (d *director) scale(ctx context.Context, n int) (outcome, error) {
	list, _ := d.cluster.snapshot()
	var up []string
	for _, m := range list {
		if !m.state.over() {
			up = append(up, m.ID)
		}
	}
	if n >= len(up) {
		return d.add(ctx, goMachine, n-len(up))
	}
	begin := time.Now()
	var errs []error
	for _, id := range up[n:] {
		errs = append(errs, d.cluster.end(id, stopped))
	}
	if err := errors.Join(errs...); err != nil {
		return outcome{}, err
	}
	return d.witness(ctx, left, up[n:], begin)
}

func (d *director) stop(ctx context.Context, id string) (outcome, error) {
	return d.end(ctx, id, stopped, left)
}

func (d *director) kill(ctx context.Context, id string) (outcome, error) {
	return d.end(ctx, id, killed, wasKilled)
}

func (d *director) end(ctx context.Context, id string, how state, did string) (outcome, error) {
	begin := time.Now()
	m, err := d.cluster.find(id)
	if err != nil {
		return outcome{}, err
	}
	if err := d.cluster.end(id, how); err != nil {
		return outcome{}, err
	}
	return d.witness(ctx, did, []string{m.ID}, begin)
}

// start brings back a machine that has ended, under its old name.
func (d *director) start(ctx context.Context, id string) (outcome, error) {
	begin := time.Now()
	m, err := d.cluster.find(id)
	if err != nil {
		return outcome{}, err
	}
	if err := d.cluster.restart(id); err != nil {
		return outcome{}, err
	}
	return d.witness(ctx, cameBack, []string{m.ID}, begin)
}
