package interop

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// What must be true of the cluster at rest:
//
//	mesh    every visible node has all others; the hidden one is where it dials, and
//	        hidden there
//	met     no two BEAMs wait for each other, as OTP may have them do
//	names   all visible nodes have the same global names, of processes that are there,
//	        but for what OTP itself loses (citizens_excuse_test.go); the hidden node has
//	        its own
//	groups  every node of a scope has the members that all nodes of the scope say they
//	        have themselves
//	sync    global:sync/0 returns
//	locks   none is left
//	alive   every node can register a name that all the others then have

// settleLimit is how long all that may take to become true. A second or two are
// usual; but connections that were being tried while a cable was out take 7 s to be
// given up, the nodes then join one by one, and those that cannot have the lock wait
// up to 8 s before they try again, more than once.
const settleLimit = 60 * time.Second

// answerLimit is how long a node may take to say what it has.
const answerLimit = 5 * time.Second

// settle waits for everything to be true.
func (c *city) settle(round int) {
	c.t.Helper()
	began := time.Now()
	for last := ""; ; {
		err := c.check()
		if err == nil {
			break
		}
		if err.Error() != last {
			c.logf("not settled: %v", err)
			last = err.Error()
		}
		if errors.Is(err, errHangs) || time.Since(began) > settleLimit {
			c.fail(round, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	took := time.Since(began)
	c.longestSettling = max(c.longestSettling, took)
	c.logf("settled: round %d, after %v", round, took)
	if len(c.problems) > 0 {
		c.fail(round, errors.Join(c.problems...))
	}
	if _, err := c.askAll(isBEAM, answerLimit, "agreed"); err != nil {
		c.fail(round, err)
	}
}

// errHangs: somebody has waited too long for what no longer depends on anything.
var errHangs = errors.New("hangs")

func (c *city) check() error {
	for _, rule := range []func() error{c.mesh, c.met, c.names, c.groups, c.sync, c.locks, c.alive, c.names} {
		if err := rule(); err != nil {
			return err
		}
	}
	return nil
}

func (c *city) visible() (names []string) {
	for _, s := range c.seats {
		if !s.hidden {
			names = append(names, s.name)
		}
	}
	slices.Sort(names)
	return names
}

// askAll asks all nodes that fit, side by side, and returns what each answers.
func (c *city) askAll(fit func(*seat) bool, limit time.Duration, words ...string) (map[string]string, error) {
	var mu sync.Mutex
	var group sync.WaitGroup
	var errs []error
	answers := make(map[string]string)
	for _, s := range c.seats {
		if !fit(s) {
			continue
		}
		group.Go(func() {
			value, err := s.now.ask(c.t.Context(), limit, words...)
			mu.Lock()
			defer mu.Unlock()
			answers[s.name] = value
			errs = append(errs, err)
		})
	}
	group.Wait()
	return answers, errors.Join(errs...)
}

func anybody(*seat) bool     { return true }
func isVisible(s *seat) bool { return !s.hidden }
func isBEAM(s *seat) bool    { return s.release != nil }
func has(scope string) func(s *seat) bool {
	return func(s *seat) bool { return slices.Contains(s.scopes, scope) }
}

func (c *city) mesh() error {
	visible := c.visible()
	var hidden []string
	for _, s := range c.seats {
		if s.hidden {
			hidden = append(hidden, s.name)
		}
	}
	for _, q := range []struct {
		word                string
		toVisible, toHidden []string
	}{{"nodes", visible, nil}, {"hidden", hidden, visible}} {
		answers, err := c.askAll(anybody, answerLimit, q.word)
		if err != nil {
			return err
		}
		for _, s := range c.seats {
			want := q.toVisible
			if s.hidden {
				want = q.toHidden
			}
			want = slices.DeleteFunc(slices.Clone(want), func(n string) bool { return n == s.name })
			if got := answers[s.name]; got != strings.Join(want, " ") {
				return fmt.Errorf("%s of %s are %q, want %q", q.word, s.name, got, want)
			}
		}
	}
	return nil
}

func (c *city) names() error {
	answers, err := c.askAll(isVisible, answerLimit, "names")
	if err != nil {
		return err
	}
	if same("names", answers) != nil {
		return c.cure(answers)
	}
	dead, err := c.askAll(isVisible, answerLimit, "dead")
	if err != nil {
		return err
	}
	for node, names := range dead {
		if names != "" {
			return fmt.Errorf("names of %s whose processes are dead: %s", node, names)
		}
	}
	return nil
}

// same complains unless all nodes have answered the same.
func same(what string, answers map[string]string) error {
	nodes := slices.Sorted(maps.Keys(answers))
	for _, n := range nodes[1:] {
		if answers[n] != answers[nodes[0]] {
			return fmt.Errorf("%s differ:\n%s has %s\n%s has %s", what, nodes[0], answers[nodes[0]], n, answers[n])
		}
	}
	return nil
}

func (c *city) groups() error {
	for _, scope := range []string{"old", "new"} {
		own, err := c.askAll(has(scope), answerLimit, "local", scope)
		if err != nil {
			return err
		}
		answers, err := c.askAll(has(scope), answerLimit, "groups", scope)
		if err != nil {
			return err
		}
		answers["all together"] = together(own)
		if err := same("groups of "+scope, answers); err != nil {
			return err
		}
	}
	return nil
}

// together makes of the members that each node has those that all should see.
func together(own map[string]string) string {
	members := make(map[string][]string)
	for _, groups := range own {
		for _, g := range strings.Fields(groups) {
			name, pids, _ := strings.Cut(g, "=")
			members[name] = append(members[name], strings.Split(pids, ",")...)
		}
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		slices.Sort(members[name])
		all = append(all, name+"="+strings.Join(members[name], ","))
	}
	return strings.Join(all, " ")
}

func (c *city) sync() error {
	if _, err := c.askAll(isVisible, limit, "sync"); err != nil {
		return fmt.Errorf("%w: %w", errHangs, err)
	}
	return nil
}

// locks are found out by looking, where one can look, and by setting them.
func (c *city) locks() error {
	answers, err := c.askAll(isBEAM, answerLimit, "locks")
	if err != nil {
		return err
	}
	for node, left := range answers {
		if left != "" {
			return fmt.Errorf("locks are left on %s: %s", node, left)
		}
	}
	for _, s := range c.seats {
		for _, l := range lockNames() {
			got, err := s.now.ask(c.t.Context(), limit, "lock", l, "0", "0")
			if err != nil {
				return fmt.Errorf("%w: %w", errHangs, err)
			}
			if got != "true" {
				return fmt.Errorf("%s cannot set the lock %s, which nobody has", s.name, l)
			}
		}
	}
	return nil
}

func (c *city) alive() error {
	var group sync.WaitGroup
	errs := make([]error, len(c.seats))
	for i, s := range c.seats {
		if s.hidden {
			continue
		}
		group.Go(func() {
			got, err := s.now.ask(c.t.Context(), limit, "reregister", fmt.Sprint("alive", i), "exit")
			if err == nil && got != "yes" {
				err = fmt.Errorf("%s cannot register a name: %s", s.name, got)
			}
			errs[i] = err
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: %w", errHangs, err)
	}
	answers, err := c.askAll(isVisible, answerLimit, "names")
	if err != nil {
		return err
	}
	for _, node := range slices.Sorted(maps.Keys(answers)) {
		if got := strings.Count(answers[node], "alive"); got != len(answers) {
			return fmt.Errorf("%s has %d of the %d names just registered: %s", node, got, len(answers), answers[node])
		}
	}
	return nil
}

// fail reports everything there is to know.
func (c *city) fail(round int, why error) {
	c.t.Helper()
	var report strings.Builder
	fmt.Fprintf(&report, "round %d: %v\n\nwhat was done:\n", round, why)
	c.mu.Lock()
	for _, line := range c.history {
		fmt.Fprintln(&report, line)
	}
	c.mu.Unlock()
	for _, s := range c.seats {
		if s.now == nil {
			continue
		}
		state, err := s.now.ask(context.Background(), answerLimit, "state")
		fmt.Fprintf(&report, "\n%s: %s %v\n%s\n", s.name, state, err, lastLines(s.now.node.log(), 60))
	}
	c.t.Fatal(report.String())
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
