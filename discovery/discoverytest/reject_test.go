package discoverytest

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/truss-beam/truss/discovery"
)

// wrong are strategies that the suite must refuse, each with the test that does it.
var wrong = map[string]struct {
	test  string
	watch func(s *source, ctx context.Context, report func(discovery.Update)) error
}{
	"differences": {"ReportsWholeSets", func(s *source, ctx context.Context, report func(discovery.Update)) error {
		known := make(map[string]bool)
		return s.Watch(ctx, discovery.Self{}, func(u discovery.Update) {
			var fresh []discovery.Peer
			for _, p := range u.Peers {
				if !known[p.Name] {
					fresh = append(fresh, p)
				}
				known[p.Name] = true
			}
			report(discovery.Update{Peers: fresh, Err: u.Err})
		})
	}},
	"errors hidden": {"FailureIsNoEvidence", func(s *source, ctx context.Context, report func(discovery.Update)) error {
		return s.Watch(ctx, discovery.Self{}, func(u discovery.Update) { report(discovery.Update{Peers: u.Peers}) })
	}},
	"deaf to its context": {"EndsWithItsContext", func(s *source, ctx context.Context, report func(discovery.Update)) error {
		return s.Watch(context.WithoutCancel(ctx), discovery.Self{}, report)
	}},
	"twice": {"ReportsThePeers", func(s *source, ctx context.Context, report func(discovery.Update)) error {
		return s.Watch(ctx, discovery.Self{}, func(u discovery.Update) {
			report(discovery.Update{Peers: append(u.Peers, u.Peers...), Err: u.Err})
		})
	}},
}

type wrapped struct {
	*source
	watch func(s *source, ctx context.Context, report func(discovery.Update)) error
}

func (w wrapped) Watch(ctx context.Context, _ discovery.Self, report func(discovery.Update)) error {
	return w.watch(w.source, ctx, report)
}

// The suite runs in a process of its own, because there is no other way to see a test fail.
func TestSuiteRefusesWrongStrategies(t *testing.T) {
	const env = "TRUSS_WRONG_STRATEGY"
	if name := os.Getenv(env); name != "" {
		RunSynctest(t, func(_ *testing.T, names []string) Harness {
			s := &source{names: names}
			return Harness{Strategy: wrapped{s, wrong[name].watch}, Set: s.set, Fail: s.fail}
		})
		return
	}
	for name, w := range wrong {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0],
				"-test.run=^TestSuiteRefusesWrongStrategies$/^"+w.test+"$", "-test.timeout=1m")
			cmd.Env = append(os.Environ(), env+"="+name)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "FAIL: TestSuiteRefusesWrongStrategies/"+w.test) {
				t.Errorf("%s accepts it: %v\n%s", w.test, err, out)
			}
		})
	}
}
