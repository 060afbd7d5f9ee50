package play

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// gap is one thing that is not as it should be: "m1" "does not see m2 (by its own
// lines)".
type gap struct {
	Machine string `json:"machine"`
	Peer    string `json:"peer,omitempty"`
	Problem string `json:"problem"`
}

func (g gap) String() string { return g.Machine + " " + g.Problem }

// gapError says what was still missing when the time was over.
type gapError struct {
	gaps []gap
	why  error
}

func (e *gapError) Error() string {
	var texts []string
	for _, g := range e.gaps {
		texts = append(texts, g.String())
	}
	return strings.Join(texts, "; ")
}

func (e *gapError) Unwrap() error { return e.why }

// askAgain is how long after an answer that was not as expected a node is asked
// again; nothing tells of changes there.
const askAgain = 10 * time.Millisecond

// settle waits until every machine that runs sees all others that do and none
// that has ended, by its own lines and by what its node answers, and has them in
// their regions. It gives up
// with ctx, and at once if one of those expected to run has ended.
func (c *cluster) settle(ctx context.Context, ask asker, expected ...string) error {
	for {
		list, changed := c.snapshot()
		if gone := ended(list, expected); len(gone) > 0 {
			return &gapError{gaps: gone}
		}
		gaps := unsettled(list)
		var again <-chan time.Time
		if len(gaps) == 0 {
			if gaps = askAll(ctx, ask, list); len(gaps) == 0 {
				return nil
			}
			again = time.After(askAgain)
		}
		select {
		case <-changed:
		case <-again:
		case <-ctx.Done():
			return &gapError{gaps, context.Cause(ctx)}
		}
	}
}

// ended lists those that were to run and do not any more.
func ended(list []machine, expected []string) []gap {
	var gaps []gap
	for _, m := range list {
		if m.state.over() && slices.Contains(expected, m.ID) {
			gaps = append(gaps, gap{Machine: m.ID, Problem: "has ended: " + m.end})
		}
	}
	return gaps
}

// unsettled compares what the machines' lines say with what is.
func unsettled(list []machine) []gap {
	var gaps []gap
	for _, m := range list {
		switch m.state {
		case starting:
			gaps = append(gaps, gap{Machine: m.ID, Problem: "is not up yet"})
		case stopping:
			gaps = append(gaps, gap{Machine: m.ID, Problem: "has not ended yet"})
		case running:
			if m.asked != "" {
				gaps = append(gaps, gap{Machine: m.ID, Problem: "has not ended yet"})
				continue
			}
			gaps = append(gaps, compare(m, list, "by its own lines", func(node string) bool { return m.sees[node] })...)
		}
	}
	return gaps
}

// compare lists the peers about which a running machine is wrong.
func compare(m machine, list []machine, by string, sees func(node string) bool) []gap {
	var gaps []gap
	for _, peer := range list {
		if peer.ID == m.ID || peer.state == starting {
			continue
		}
		up, seen := peer.state == running, sees(peer.Node)
		switch {
		case up && !seen:
			gaps = append(gaps, gap{m.ID, peer.ID, "does not see " + peer.ID + " (" + by + ")"})
		case !up && seen:
			gaps = append(gaps, gap{m.ID, peer.ID, "still sees " + peer.ID + " (" + by + ")"})
		}
	}
	return gaps
}

// compareRegions lists the machines that a running one has in a wrong region. BEAMs
// know of none.
func compareRegions(m machine, list []machine, regions map[string]string) []gap {
	var gaps []gap
	for _, peer := range list {
		if m.Kind != goMachine || peer.state == starting {
			continue
		}
		want, has := "", regions[peer.Node]
		if peer.state == running {
			want = peer.Region
		}
		if has != want {
			gaps = append(gaps, gap{m.ID, peer.ID, fmt.Sprintf("has %s in %s, not in %s (by its answer)", peer.ID, orNoRegion(has), orNoRegion(want))})
		}
	}
	return gaps
}

func orNoRegion(region string) string { return cmp.Or(region, "no region") }

// askAll asks every machine that runs for its nodes and their regions, all at the
// same time.
func askAll(ctx context.Context, ask asker, list []machine) []gap {
	answers := askNodes(ctx, ask, list)
	var gaps []gap
	for _, m := range list {
		answer, ok := answers[m.ID]
		switch {
		case !ok:
		case answer.err != nil:
			gaps = append(gaps, gap{Machine: m.ID, Problem: "cannot be asked for what it sees: " + answer.err.Error()})
		default:
			sees := func(node string) bool { return slices.Contains(answer.nodes, node) }
			gaps = append(gaps, compare(m, list, "by its answer", sees)...)
			gaps = append(gaps, compareRegions(m, list, answer.regions)...)
		}
	}
	return gaps
}

// answer is what one node says of its nodes.
type answer struct {
	nodes   []string
	regions map[string]string // by node; nil of a BEAM
	err     error
}

// askLimit is how long one node may take to answer.
const askLimit = 2 * time.Second

func askNodes(ctx context.Context, ask asker, list []machine) map[string]answer {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	var mu sync.Mutex
	var asking sync.WaitGroup
	answers := map[string]answer{}
	for _, m := range list {
		if m.state != running {
			continue
		}
		asking.Go(func() {
			var got answer
			got.nodes, got.err = ask.nodes(ctx, m.target())
			if got.err == nil && m.Kind == goMachine {
				got.regions, got.err = ask.regions(ctx, m.target())
			}
			mu.Lock()
			defer mu.Unlock()
			answers[m.ID] = got
		})
	}
	asking.Wait()
	return answers
}
