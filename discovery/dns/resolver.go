package dns

import (
	"context"
	"errors"
	"net/netip"
	"time"

	mdns "github.com/miekg/dns"
)

// resolver puts questions as resolv.conf(5) says. It is made anew for each poll, has no state, and may be used by
// several goroutines.
type resolver struct {
	conf     *mdns.ClientConfig
	servers  []string // "10.0.0.2:53"; at least one
	timeout  time.Duration
	exchange Exchange
}

// reply is what DNS said to one question: the records found (whatever the name is an alias of), perhaps only a part of
// them if there is an error too.
type reply struct {
	owner string // the canonical name that has the records, at the end of the aliases
	msg   *mdns.Msg
	ttl   time.Duration // the shortest on the way; 0 if unknown, or if the record must not be cached
}

// search asks for name and its completions by resolv.conf's search domains, until one has records. No records at all is
// an empty reply if one of the names exists, an error otherwise.
func (r *resolver) search(ctx context.Context, name string, t Type) (reply, error) {
	var exists bool
	var trouble, absent error
	for _, fqdn := range r.conf.NameList(name) {
		if _, ok := mdns.IsDomainName(fqdn); !ok {
			continue // too long once it is completed
		}
		rep, server, err := r.lookup(ctx, fqdn, t)
		switch {
		case rep.msg != nil:
			return rep, wrap(name, t, server, err)
		case err == nil:
			exists = true
		case errors.Is(err, ErrNXDomain):
			absent = wrap(name, t, server, err)
		case trouble == nil:
			trouble = wrap(name, t, server, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if trouble == nil && !exists {
		trouble = absent
	}
	return reply{}, trouble
}

func wrap(name string, t Type, server string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Query: name, Type: t, Server: server, Err: err}
}

// lookup asks the servers for one full name, in order, and again as often as resolv.conf has attempts. That a name does
// not exist is an answer; other errors are the business of the next server. The error is the first server's.
func (r *resolver) lookup(ctx context.Context, fqdn string, t Type) (rep reply, from string, err error) {
	qtype := mdns.StringToType[string(t)]
	for range r.conf.Attempts {
		for _, server := range r.servers {
			msg, e := r.ask(ctx, server, fqdn, qtype)
			if msg != nil && (e == nil || errors.Is(e, ErrTruncated)) {
				return follow(msg, fqdn, qtype), server, e
			}
			if errors.Is(e, ErrNXDomain) {
				return reply{}, server, e
			}
			if err == nil {
				from, err = server, e
			}
			if ctx.Err() != nil {
				return reply{}, from, err
			}
		}
	}
	return reply{}, from, err
}

// maxAliases is how many CNAMEs are followed: what BIND follows.
const maxAliases = 16

// follow finds the records of type qtype that fqdn has, by way of the aliases in the message. Its msg is nil if there
// are none.
func follow(msg *mdns.Msg, fqdn string, qtype uint16) reply {
	aliases := make(map[string]*mdns.CNAME)
	owners := make(map[string]uint32) // owner of records of the type: their shortest TTL
	for _, rr := range msg.Answer {
		h := rr.Header()
		name := mdns.CanonicalName(h.Name)
		switch {
		case h.Rrtype == qtype:
			if ttl, ok := owners[name]; !ok || h.Ttl < ttl {
				owners[name] = h.Ttl
			}
		case h.Rrtype == mdns.TypeCNAME:
			aliases[name] = rr.(*mdns.CNAME)
		}
	}
	owner, shortest := mdns.CanonicalName(fqdn), ^uint32(0)
	for range maxAliases {
		if ttl, ok := owners[owner]; ok {
			return reply{owner: owner, msg: msg, ttl: time.Duration(min(ttl, shortest)) * time.Second}
		}
		alias := aliases[owner]
		if alias == nil {
			break
		}
		owner, shortest = mdns.CanonicalName(alias.Target), min(shortest, alias.Hdr.Ttl)
	}
	return reply{}
}

// addresses are the A or AAAA records in rrs that owner has. An AAAA record stays an IPv6 address, whatever is in it.
func addresses(rrs []mdns.RR, owner string, t Type) []netip.Addr {
	var ips []netip.Addr
	for _, rr := range rrs {
		if mdns.CanonicalName(rr.Header().Name) != owner {
			continue
		}
		switch rr := rr.(type) {
		case *mdns.A:
			if ip, ok := netip.AddrFromSlice(rr.A.To4()); ok && t == A {
				ips = append(ips, ip)
			}
		case *mdns.AAAA:
			if len(rr.AAAA) == 16 && t == AAAA {
				ips = append(ips, netip.AddrFrom16([16]byte(rr.AAAA)))
			}
		}
	}
	return ips
}
