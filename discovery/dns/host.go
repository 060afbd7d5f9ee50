package dns

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	mdns "github.com/miekg/dns"
)

// host is a place where DNS says a peer is.
type host struct {
	ip     netip.Addr
	target string // of the SRV record, without the last dot; empty for A and AAAA
	port   uint16 // of its distribution listener; 0: epmd knows
}

// addr is what to dial, "" if the port is not known.
func (h host) addr() string {
	if h.port == 0 {
		return ""
	}
	return net.JoinHostPort(h.ip.Unmap().String(), strconv.Itoa(int(h.port)))
}

// answer is what became of a question. With an error, hosts is a part of the truth.
type answer struct {
	hosts []host
	ttl   time.Duration // as in reply
	err   error
}

// finder asks the questions of one poll.
type finder struct {
	*resolver
	prefer      Type // the address family that SRV targets are looked up in first
	ignorePorts bool
}

// find answers one question.
func (f finder) find(ctx context.Context, name string, t Type) answer {
	rep, err := f.search(ctx, name, t)
	a := answer{ttl: rep.ttl, err: err}
	switch {
	case rep.msg == nil:
	case t == SRV:
		f.targets(ctx, name, services(rep), rep.msg.Extra, &a)
	default:
		for _, ip := range addresses(rep.msg.Answer, rep.owner, t) {
			a.hosts = append(a.hosts, host{ip: ip})
		}
	}
	return a
}

// services are the SRV records of a reply, in an order that does not change from poll to poll as a server's may: the
// first error among the targets is to be the same each time.
func services(rep reply) []*mdns.SRV {
	var all []*mdns.SRV
	for _, rr := range rep.msg.Answer {
		srv, ok := rr.(*mdns.SRV)
		if ok && srv.Target != "." && mdns.CanonicalName(srv.Hdr.Name) == rep.owner { // ".": not offered (RFC 2782)
			all = append(all, srv)
		}
	}
	slices.SortFunc(all, func(a, b *mdns.SRV) int {
		return cmp.Or(strings.Compare(a.Target, b.Target), cmp.Compare(a.Port, b.Port))
	})
	return all
}

// maxTargets is how many SRV targets are looked up for one answer. A full mesh does not get near it, and a server that
// fills an answer with names (3,000 fit) is not to keep us busy with them at each poll.
const maxTargets = 512

// targets adds the addresses of the services' targets to a. Several services may have one target.
func (f finder) targets(ctx context.Context, name string, all []*mdns.SRV, glue []mdns.RR, a *answer) {
	var names []string // sorted, as all is
	for _, srv := range all {
		if n := len(names); n == 0 || names[n-1] != srv.Target {
			names = append(names, srv.Target)
		}
	}
	if len(names) > maxTargets {
		a.err = wrap(name, SRV, "", fmt.Errorf("%w: %d SRV targets, %d are looked up", ErrBadAnswer, len(names), maxTargets))
		names = names[:maxTargets]
	}
	found := make([]answer, len(names))
	parallel(len(names), func(i int) { found[i] = f.target(ctx, names[i], glue) })
	for _, srv := range all {
		i, ok := slices.BinarySearch(names, srv.Target)
		if !ok {
			continue
		}
		if a.err == nil {
			a.err = found[i].err // one is enough to say: with one server down there may be hundreds
		}
		a.ttl = shorter(a.ttl, found[i].ttl)
		a.add(found[i].hosts, srv, f.ignorePorts)
	}
}

// add takes over the addresses of srv's target.
func (a *answer) add(hosts []host, srv *mdns.SRV, ignorePort bool) {
	for _, h := range hosts {
		h.target = strings.TrimSuffix(srv.Target, ".")
		if !ignorePort && !isEpmdPort(srv.Port) {
			h.port = srv.Port
		}
		a.hosts = append(a.hosts, h)
	}
}

// target looks for a target's addresses in the reply's additional records, then in DNS: in the family of our own name
// and only if there is none in the other. Both would give a node with both two names, one of them wrong.
func (f finder) target(ctx context.Context, target string, glue []mdns.RR) answer {
	if ip, err := netip.ParseAddr(strings.TrimSuffix(target, ".")); err == nil {
		return answer{hosts: []host{{ip: ip}}}
	}
	var a answer
	for _, ip := range addresses(glue, mdns.CanonicalName(target), f.prefer) {
		a.hosts = append(a.hosts, host{ip: ip})
	}
	if len(a.hosts) > 0 {
		return a
	}
	other := A
	if f.prefer == A {
		other = AAAA
	}
	if a = f.find(ctx, target, f.prefer); a.err == nil && len(a.hosts) == 0 {
		a = f.find(ctx, target, other)
	}
	return a
}

// isEpmdPort tells a port that leads to epmd from one that leads to a node. 0 says that there is none.
func isEpmdPort(port uint16) bool {
	return port == 0 || port == 4369 || strconv.Itoa(int(port)) == os.Getenv("ERL_EPMD_PORT")
}

// shorter is the shorter of two TTLs, where 0 says nothing.
func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}
