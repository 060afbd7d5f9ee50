package discovery

import (
	"context"
	"math/rand/v2"
	"time"
)

// jitterPart spreads what happens at intervals: a pause of d lasts from d to d + d/jitterPart. Only upwards: a poll that
// waits for a DNS answer to expire must not come a moment before it has, or it is given the old one.
const jitterPart = 10

// Poll is the loop of a [Strategy] that asks at intervals: it calls look at once, reports what it returned, waits for
// the duration that it returned (with up to 10 % of jitter, so that machines started together do not ask together) and
// goes round, until ctx ends. It returns ctx's error. A duration below 1 ms is taken as 1 ms.
func Poll(ctx context.Context, report func(Update), look func(context.Context) (Update, time.Duration)) error {
	for {
		u, pause := look(ctx)
		if ctx.Err() != nil {
			return ctx.Err() // what look saw while being stopped is not worth a report
		}
		report(u)
		if !sleep(ctx, jitter(max(pause, time.Millisecond))) {
			return ctx.Err()
		}
	}
}

func jitter(d time.Duration) time.Duration {
	return d + rand.N(max(d/jitterPart, 1))
}

// sleep reports false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
