package dns

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/truss-beam/truss/discovery"
)

var _ discovery.Strategy = Strategy{}

// Type is a DNS resource record type that can be asked for.
type Type string

const (
	A    Type = "A"
	AAAA Type = "AAAA"
	SRV  Type = "SRV"
)

// Ignore as a Query switches discovery off even where DNS_CLUSTER_QUERY is set: dns_cluster's :ignore.
const Ignore = ":ignore"

// Strategy finds peers by DNS. The zero value asks for what DNS_CLUSTER_QUERY names.
type Strategy struct {
	Query string // a name, or several with commas, each with or without "basename@"; empty: DNS_CLUSTER_QUERY
	Types []Type // what to ask for; A and AAAA

	Interval    time.Duration // between polls; 5 s
	MinInterval time.Duration // the shortest a TTL can make it; 1 s, or Interval if that is less

	Server     string // "127.0.0.1:5353", port 53 if left out; the servers in ResolvConf
	ResolvConf string // /etc/resolv.conf; if Server is set it need not exist

	TargetNames    bool // name SRV peers basename@target rather than basename@address
	IgnoreSRVPorts bool // dial SRV peers by epmd, as all others

	// EpmdNames, if set, is asked for the names registered with the epmd of each address (host is the address, without
	// a port), and every one of them becomes a peer: for nodes whose base names differ. It is asked at each poll, for
	// at most 2 s. Leave out names you do not want (other applications, remote shells) before you return them.
	// It is not used for a query with a base name, nor for SRV records whose port is known. If an epmd does not answer,
	// its last answer holds, and if there was none the host is taken to run a node with our own base name.
	EpmdNames func(ctx context.Context, host string) ([]string, error)

	// Exchange sends a query to a server ("10.0.0.2:53") over "udp" or "tcp" and returns the reply; nil is the network.
	// It is the seam for DNS over TLS or HTTPS, and for tests.
	Exchange Exchange
}

// lookLimit bounds one poll, whatever resolv.conf's timeouts times attempts times servers times search domains come to,
// and however many SRV targets a server names.
const lookLimit = 30 * time.Second

func (s Strategy) withDefaults() Strategy {
	if len(s.Types) == 0 {
		s.Types = []Type{A, AAAA}
	}
	if s.Interval <= 0 {
		s.Interval = 5 * time.Second
	}
	if s.MinInterval <= 0 {
		s.MinInterval = time.Second
	}
	s.MinInterval = min(s.MinInterval, s.Interval)
	if s.ResolvConf == "" {
		s.ResolvConf = "/etc/resolv.conf"
	}
	if s.Exchange == nil {
		s.Exchange = overNetwork
	}
	return s
}

func (s Strategy) validate() error {
	for _, t := range s.Types {
		if !slices.Contains([]Type{A, AAAA, SRV}, t) {
			return fmt.Errorf("%w: dns: type %q is none of A, AAAA and SRV", discovery.ErrConfig, t)
		}
	}
	return nil
}

// Watch asks until ctx ends. It returns nil at once if there is nothing to ask for, and an error matching
// [discovery.ErrConfig] if a query or a type is not one.
func (s Strategy) Watch(ctx context.Context, self discovery.Self, report func(discovery.Update)) error {
	s = s.withDefaults()
	if err := s.validate(); err != nil {
		return err
	}
	queries, err := s.queries(self)
	if err != nil {
		return err
	}
	if len(queries) == 0 {
		self.Logger.Info("dns: discovery is off: there is no query (Strategy.Query, DNS_CLUSTER_QUERY)")
		return nil
	}
	warnAboutName(self)
	w := newWatcher(s, self, queries)
	return discovery.Poll(ctx, report, w.look)
}
