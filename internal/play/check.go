package play

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/truss-beam/truss/etf"
)

// step is one step of the scenario: something that is done, after which it is
// waited until every machine has seen it.
type step struct {
	do    string // what is done
	waits string // what is waited for
	run   func(context.Context) (fmt.Stringer, error)
}

// checkMachines is how many machines the scenario begins with.
const checkMachines = 3

// elsewhere is a region that is not the primary one.
const elsewhere = "syd"

// steps is the scenario. The letter and number of a machine follow from the order
// in which they are started.
func (d *director) steps(beam bool) []step {
	all := []step{
		{"start 3 machines", "each sees the two others", d.adding(goMachine, checkMachines)},
		{"clone m1 --region " + elsewhere, "a fourth, elsewhere, is seen by all, and sees all", result(func(ctx context.Context) (outcome, error) { return d.clone(ctx, "m1", elsewhere) })},
		{"scale 5", "a fifth is seen by all, and sees all", result(func(ctx context.Context) (outcome, error) { return d.scale(ctx, 5) })},
	}
	if beam {
		all = append(all, step{"start 2 BEAMs", "they see all, and all see them", d.adding(beamMachine, beams)})
	}
	all = append(all,
		step{"call echo everywhere", "every machine answers", d.callAll},
		step{"regions", "every node has all in their regions", d.askRegions},
		step{"rpc primary", "a machine of " + primaryRegion + " answers one that is elsewhere", d.callingIn("primary")},
		step{"rpc " + elsewhere, "the machine in " + elsewhere + " answers another", d.callingIn(elsewhere)})
	all = append(all, d.killAndReturn("m2")...)
	if beam {
		all = append(all, d.killAndReturn("b6")...)
	}
	all = append(all, d.broadcasting("m1"))
	if beam {
		all = append(all, d.broadcasting("b6"))
	}
	return append(all, step{"stop m5", "it leaves, and the others see that", d.stopCleanly("m5")})
}

func (d *director) killAndReturn(id string) []step {
	return []step{
		{"kill " + id, "all others see it go down", result(func(ctx context.Context) (outcome, error) { return d.kill(ctx, id) })},
		{"start " + id, "it comes back under its name, seen by all", result(func(ctx context.Context) (outcome, error) { return d.start(ctx, id) })},
	}
}

func (d *director) adding(k kind, n int) func(context.Context) (fmt.Stringer, error) {
	return result(func(ctx context.Context) (outcome, error) { return d.add(ctx, k, n) })
}

func result(do func(context.Context) (outcome, error)) func(context.Context) (fmt.Stringer, error) {
	return func(ctx context.Context) (fmt.Stringer, error) {
		o, err := do(ctx)
		return o, err
	}
}

// stopCleanly also wants the machine to end without an error.
func (d *director) stopCleanly(id string) func(context.Context) (fmt.Stringer, error) {
	return result(func(ctx context.Context) (outcome, error) {
		o, err := d.stop(ctx, id)
		if err != nil {
			return o, err
		}
		m, err := d.cluster.find(id)
		if err == nil && m.end != "exit status 0" {
			err = &gapError{gaps: []gap{{Machine: id, Problem: "did not end cleanly: " + m.end}}}
		}
		return o, err
	})
}

// askRegions waits until every node has all in their regions, and tells them.
func (d *director) askRegions(ctx context.Context) (fmt.Stringer, error) {
	ctx, cancel := context.WithTimeout(ctx, d.limit)
	defer cancel()
	if err := d.cluster.settle(ctx, d.ask); err != nil {
		return nil, err
	}
	in := map[string][]string{}
	for _, m := range d.cluster.running(goMachine) {
		in[m.Region] = append(in[m.Region], m.ID)
	}
	var parts []string
	for _, region := range slices.Sorted(maps.Keys(in)) {
		parts = append(parts, strings.Join(in[region], " ")+" in "+region)
	}
	return text(strings.Join(parts, ", ") + ", as each of them says"), nil
}

// callingIn wants the call to be answered in the region, and not by who called.
func (d *director) callingIn(region string) func(context.Context) (fmt.Stringer, error) {
	return func(ctx context.Context) (fmt.Stringer, error) {
		r, err := d.callIn(ctx, region, etf.Tuple{etf.Atom("place"), etf.Atom("order")})
		if err != nil {
			return nil, err
		}
		on, err := d.cluster.find(r.Node)
		if err != nil {
			return nil, err
		}
		if on.ID == r.By || on.Region != regionNamed(region) {
			return nil, &gapError{gaps: []gap{{r.By, on.ID, "called in region " + region + ", and " + on.ID + " in " + on.Region + " answered"}}}
		}
		return r, nil
	}
}

func (d *director) broadcasting(id string) step {
	return step{"broadcast on " + id, "all get it that listen to the topic", func(ctx context.Context) (fmt.Stringer, error) {
		return d.broadcast(ctx, id, etf.Tuple{etf.Atom("from"), etf.Atom(id)})
	}}
}

// callAll calls the echo of every machine.
func (d *director) callAll(ctx context.Context) (fmt.Stringer, error) {
	ctx, cancel := context.WithTimeout(ctx, d.limit)
	defer cancel()
	list, _ := d.cluster.snapshot()
	var called []string
	for _, m := range list {
		if m.state != running {
			continue
		}
		request := etf.Tuple{etf.Atom("hello"), etf.Atom(m.ID)}
		reply, err := d.ask.call(ctx, m.target(), "echo", request)
		if err == nil && !etf.Equal(reply, request) {
			err = fmt.Errorf("it answers %s", etf.Format(reply))
		}
		if err != nil {
			return nil, &gapError{gaps: []gap{{Machine: m.ID, Problem: "was called with " + etf.Format(request) + ": " + err.Error()}}, why: err}
		}
		called = append(called, m.ID)
	}
	return text(strings.Join(called, " ") + " answered"), nil
}

type text string

func (t text) String() string { return string(t) }

// stepObject is a step as JSON.
type stepObject struct {
	Step     int                 `json:"step"`
	Do       string              `json:"do"`
	WaitsFor string              `json:"waits_for"`
	OK       bool                `json:"ok"`
	Seconds  float64             `json:"seconds"`
	Result   string              `json:"result,omitempty"`
	Error    string              `json:"error,omitempty"`
	Gaps     []gap               `json:"gaps,omitempty"`
	Logs     map[string][]string `json:"logs,omitempty"`
}

// checkObject is the last line of --check --json.
type checkObject struct {
	OK       bool            `json:"ok"`
	Steps    int             `json:"steps"`
	Seconds  float64         `json:"seconds"`
	Machines []machineObject `json:"machines"`
}

func (o options) runCheck(ctx context.Context, out *screen, log *slog.Logger) error {
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("--timeout %v is over", o.timeout))
	defer cancel()
	p, err := open(ctx, o, log, nil)
	if err != nil {
		return err
	}
	defer p.close()
	out.say(fmt.Sprintf("%s: machines find each other by DNS, %s at %v", out.bold("truss play --check"), domain, p.site.dns), nil)
	// Each step may take what is left of the whole.
	d := &director{cluster: p.cluster, ask: p.visitor, limit: o.timeout}
	return d.check(ctx, out, d.steps(o.beam))
}

// check runs the steps until one fails.
func (d *director) check(ctx context.Context, out *screen, steps []step) error {
	begin := time.Now()
	for i, s := range steps {
		since := time.Now()
		got, err := s.run(ctx)
		o := stepObject{Step: i + 1, Do: s.do, WaitsFor: s.waits, OK: err == nil, Seconds: time.Since(since).Seconds()}
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = errors.Join(cause, err)
			}
			d.showFailure(out, o, err)
			return fmt.Errorf("check failed at step %d of %d, %s", i+1, len(steps), s.do)
		}
		o.Result = got.String()
		out.say(fmt.Sprintf("%s %7s  %-21s  %s\n%s", out.green("ok  "), took(o.Seconds), s.do, s.waits, out.dim(strings.Repeat(" ", 14)+"> "+o.Result)), o)
	}
	d.showSuccess(out, checkObject{OK: true, Steps: len(steps), Seconds: time.Since(begin).Seconds()})
	return nil
}

func (d *director) showSuccess(out *screen, o checkObject) {
	list, _ := d.cluster.snapshot()
	kinds := map[string]int{}
	for _, m := range list {
		o.Machines = append(o.Machines, m.object(list))
		kinds[m.runs()]++
	}
	var parts []string
	for runs, n := range kinds {
		parts = append(parts, fmt.Sprintf("%d with %s", n, runs))
	}
	slices.Sort(parts)
	out.say(fmt.Sprintf("%s all %d steps in %s, on %d machines: %s",
		out.green("ok"), o.Steps, took(o.Seconds), len(list), strings.Join(parts, ", ")), o)
}

// shownLog is how many lines of a machine's log are shown for a failure.
const shownLog = 15

// showFailure says what is missing, and what those machines printed last.
func (d *director) showFailure(out *screen, o stepObject, err error) {
	o.Error = err.Error()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %7s  %-21s  %s\n", out.red("FAIL"), took(o.Seconds), o.Do, o.WaitsFor)
	var missing *gapError
	if !errors.As(err, &missing) {
		fmt.Fprintf(&b, "     %v\n", err)
		out.say(b.String(), o)
		return
	}
	if missing.why != nil {
		fmt.Fprintf(&b, "     given up: %v\n", missing.why)
	}
	o.Gaps, o.Logs = missing.gaps, map[string][]string{}
	for _, g := range missing.gaps {
		fmt.Fprintf(&b, "     %s\n", out.red(g.String()))
		if m, err := d.cluster.find(g.Machine); err == nil {
			o.Logs[m.ID] = m.log[max(0, len(m.log)-shownLog):]
		}
	}
	list, _ := d.cluster.snapshot()
	for _, m := range list {
		if log, ok := o.Logs[m.ID]; ok {
			fmt.Fprintf(&b, "     %s (%s, %s) printed last:\n", out.bold(m.ID), m.Node, m.state)
			for _, line := range log {
				fmt.Fprintf(&b, "       %s\n", out.dim(line))
			}
		}
	}
	out.say(b.String(), o)
}
