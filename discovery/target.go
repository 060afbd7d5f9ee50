package discovery

import (
	"slices"
	"strings"
	"time"
)

// target is a peer that the strategy wants, or wanted and that is still connected. Owned by the runner's loop.
type target struct {
	peer   Peer
	wanted bool // in the strategy's last set
	up     bool // in the node's list when last looked
	busy   bool // an attempt to connect or disconnect is under way
	ours   bool // this connection was made by this Run
	listed bool // this connection has been in the node's list
	hidden bool // the last one that we made never was

	failures int       // attempts in a row that failed
	flaps    int       // connections in a row that did not last
	since    time.Time // when it was connected
	due      time.Time // when to try (again)
	reason   string    // of the failure that was logged last; "" after a success

	absent absence
	keep   time.Time // not to be pruned before: the last attempt to disconnect failed
}

// want takes p into the set. A peer that has moved to other addresses is worth an attempt at once.
func (t *target) want(p Peer) {
	if t.wanted { // named twice in one report
		for _, a := range p.Addrs {
			if !slices.Contains(t.peer.Addrs, a) {
				t.peer.Addrs = append(slices.Clip(t.peer.Addrs), a)
			}
		}
		return
	}
	if !sameSet(t.peer.Addrs, p.Addrs) {
		t.due = time.Time{}
	}
	t.peer, t.wanted, t.absent = p, true, absence{}
}

// seenUp forgets old failures only after the connection has lasted: a peer that takes the connection and drops it each
// time must not be called once a second.
func (t *target) seenUp(now time.Time, b Backoff) {
	if !t.up {
		t.up, t.ours, t.since = true, false, now // it dialled us
	}
	t.listed, t.hidden = true, false
	t.failures, t.due = 0, time.Time{}
	if now.Sub(t.since) >= b.Max {
		t.flaps, t.reason = 0, ""
	}
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func compareNames(a, b *target) int { return strings.Compare(a.peer.Name, b.peer.Name) }
