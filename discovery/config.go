package discovery

import (
	"log/slog"
	"time"
)

// Config tunes [Config.Run]. Its zero value is what [Run] uses.
type Config struct {
	Interval       time.Duration // between reconciliations when nothing else causes one; 5 s
	ConnectTimeout time.Duration // for one attempt at one peer, all its addresses together; 10 s, as dns_cluster
	Parallel       int           // attempts at the same time; 16
	Backoff        Backoff       // between attempts at one peer
	Prune          Prune         // when to disconnect; never
	Observer       Observer      // is told what happens; nobody
	Logger         *slog.Logger  // slog.Default()
}

func (c Config) withDefaults() Config {
	if c.Interval <= 0 {
		c.Interval = 5 * time.Second
	}
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	if c.Parallel <= 0 {
		c.Parallel = 16
	}
	c.Backoff = c.Backoff.withDefaults()
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}
