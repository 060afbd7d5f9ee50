package discovery

import (
	"context"
	"errors"
	"time"
)

var errNotLasting = errors.New("the connection was made but did not last")

// connect starts an attempt at t.
func (r *runner) connect(ctx context.Context, t *target, start time.Time) {
	t.busy = true
	r.inflight++
	peer := t.peer
	r.work.Go(func() {
		attempt, cancel := context.WithTimeout(ctx, r.cfg.ConnectTimeout)
		err := dial(attempt, r.cluster, peer)
		cancel()
		r.send(ctx, func() {
			r.inflight--
			t.busy = false
			now := time.Now()
			if err != nil {
				r.failed(t, peer, err, now)
			} else {
				r.connected(t, peer, now.Sub(start), now)
			}
		})
	})
}

// dial tries the addresses of a peer one after the other, or its name if there is none or c cannot use them.
func dial(ctx context.Context, c Cluster, p Peer) error {
	ac, ok := c.(AddrConnector)
	if !ok || len(p.Addrs) == 0 {
		return c.Connect(ctx, p.Name)
	}
	var errs []error
	for _, addr := range p.Addrs {
		err := ac.ConnectAddr(ctx, p.Name, addr)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

func (r *runner) connected(t *target, p Peer, took time.Duration, now time.Time) {
	t.up, t.ours, t.listed, t.since = true, true, false, now
	t.failures = 0
	if t.hidden {
		return // still there, as far as one can tell
	}
	if t.flaps == 0 {
		t.reason = ""
		r.log.Info("discovery: connected", "peer", p.Name)
	}
	r.observe(Connected{Peer: p, Took: took})
}

func (r *runner) failed(t *target, p Peer, err error, now time.Time) {
	t.failures++
	t.hidden = false
	r.retry(t, p, err, t.failures, now)
}

// lost is a peer that was connected and no longer is: back at once if it had been there for long, else as after a failure.
// If it was never listed it may well be connected, but hidden (or this node is): Connect is then asked again, at the
// same pace and without a word, since it answers at once while the connection is there.
func (r *runner) lost(t *target, now time.Time) {
	t.up, t.ours = false, false
	if !t.wanted {
		return
	}
	if now.Sub(t.since) >= r.cfg.Backoff.Max {
		t.flaps, t.due = 0, now
		return
	}
	t.flaps++
	t.hidden = !t.listed
	if t.hidden || t.flaps == 1 { // once is a restart, and the node itself has said so
		t.due = now.Add(jitter(r.cfg.Backoff.pause(t.flaps)))
		return
	}
	r.retry(t, t.peer, errNotLasting, t.flaps, now)
}

// retry sets the time of the next attempt, and logs err if that is news.
func (r *runner) retry(t *target, p Peer, err error, failures int, now time.Time) {
	pause := jitter(r.cfg.Backoff.pause(failures))
	t.due = now.Add(pause)
	if text := reason(err); text != t.reason {
		t.reason = text
		r.log.Warn("discovery: cannot connect, will keep trying", "peer", p.Name, "err", err)
	}
	r.observe(ConnectFailed{Peer: p, Err: err, Failures: failures, Retry: pause})
}

// prune disconnects whom the policy gives up.
func (r *runner) prune(ctx context.Context, now time.Time) {
	if !r.trusted {
		return
	}
	for name, t := range r.targets {
		if t.wanted || !t.up || !t.ours || t.busy || now.Before(t.keep) || !r.cfg.Prune.due(t.absent, now) {
			continue
		}
		t.busy = true
		r.work.Go(func() {
			attempt, cancel := context.WithTimeout(ctx, r.cfg.ConnectTimeout)
			err := r.cluster.Disconnect(attempt, name)
			cancel()
			r.send(ctx, func() { r.pruned(t, name, err, time.Now()) })
		})
	}
}

func (r *runner) pruned(t *target, name string, err error, now time.Time) {
	t.busy = false
	r.observe(Disconnected{Name: name, Err: err})
	if err != nil {
		t.keep = now.Add(r.cfg.Backoff.Max)
		r.log.Warn("discovery: cannot disconnect a peer that is no longer reported", "peer", name, "err", err)
		return
	}
	t.up, t.ours = false, false
	r.log.Info("discovery: disconnected a peer that is no longer reported", "peer", name, "answers", t.absent.answers)
}
