package discovery

import "time"

// Backoff is the pause after a failed attempt: Min after the first, twice as much after each further one, at most Max,
// each with up to 10 % of jitter. Zero fields mean 1 s and 30 s. A peer that has just been started answers within
// seconds; one that has been away for long is found within half a minute of its return at the price of two SYNs a minute.
type Backoff struct {
	Min, Max time.Duration
}

func (b Backoff) withDefaults() Backoff {
	if b.Min <= 0 {
		b.Min = time.Second
	}
	if b.Max <= 0 {
		b.Max = 30 * time.Second
	}
	b.Max = max(b.Max, b.Min)
	return b
}

// pause is without jitter; failures counts from 1.
func (b Backoff) pause(failures int) time.Duration {
	d := b.Min
	for i := 1; i < failures && d < b.Max; i++ {
		d *= 2
	}
	return min(d, b.Max)
}
