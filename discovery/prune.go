package discovery

import "time"

// Prune says when a peer that the strategy no longer reports is disconnected. The zero value says never.
//
// Only peers that this Run connected itself are ever disconnected: who dialled us, and who was connected by hand or by
// another Run, is left alone. Only answers without an error count, and while the last one had an error nobody is
// disconnected. If both After and For are set, both must be reached.
type Prune struct {
	After int           // absent from so many successful answers in a row; for strategies that poll
	For   time.Duration // absent for so long, counted from the first successful answer without it; for those that watch

	// AllowEmpty lets an answer without any peer count as well. A name that has just lost all its records is far more
	// often a mistake in the zone than the end of every machine, so it has to be asked for.
	AllowEmpty bool
}

func (p Prune) enabled() bool { return p.After > 0 || p.For > 0 }

// absence is how long a peer has been missing, as far as answers that count can tell.
type absence struct {
	answers int
	since   time.Time
}

func (a *absence) count(now time.Time) {
	if a.answers == 0 {
		a.since = now
	}
	a.answers++
}

func (p Prune) due(a absence, now time.Time) bool {
	return p.enabled() && a.answers > 0 && a.answers >= p.After && now.Sub(a.since) >= p.For
}
