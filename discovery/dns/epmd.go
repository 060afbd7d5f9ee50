package dns

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

const (
	epmdTimeout = 2 * time.Second // for one host: a poll waits for the slowest
	maxNames    = 1024            // of one epmd; more is a host that wants to hurt us
)

// epmdNames asks hosts' epmds for the names of their nodes. Owned by the goroutine that polls.
type epmdNames struct {
	ask     func(ctx context.Context, host string) ([]string, error)
	log     *slog.Logger
	known   map[string][]string // last answer of each host that DNS still has
	trouble map[string]bool     // hosts whose silence has been logged
}

func newEpmdNames(ask func(context.Context, string) ([]string, error), log *slog.Logger) *epmdNames {
	return &epmdNames{ask: ask, log: log}
}

// of returns the names at each of hosts; a host is missing if its epmd has never answered.
func (e *epmdNames) of(ctx context.Context, hosts []string) map[string][]string {
	names := make([][]string, len(hosts))
	errs := make([]error, len(hosts))
	parallel(len(hosts), func(i int) {
		once, cancel := context.WithTimeout(ctx, epmdTimeout)
		defer cancel()
		names[i], errs[i] = e.ask(once, hosts[i])
	})
	known, trouble := make(map[string][]string), make(map[string]bool)
	for i, host := range hosts {
		if errs[i] == nil {
			known[host] = usable(names[i])
			continue
		}
		if last, ok := e.known[host]; ok {
			known[host] = last
		}
		// Told once per host, not once per text: a dial error's text has a local port in it.
		trouble[host] = true
		if !e.trouble[host] && ctx.Err() == nil {
			e.log.Warn("dns: epmd does not tell its nodes", "host", host, "err", errs[i])
		}
	}
	e.known, e.trouble = known, trouble
	return known
}

// usable leaves out what cannot be the base name of a node. An empty list is an answer too: nobody is there.
func usable(names []string) []string {
	good := make([]string, 0, min(len(names), maxNames))
	for _, n := range names {
		if n != "" && len(n) < 256 && !strings.ContainsAny(n, "@ \t\r\n") && len(good) < maxNames {
			good = append(good, n)
		}
	}
	return good
}
