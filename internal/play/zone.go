package play

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"sync"

	mdns "github.com/miekg/dns"
)

// domain is what the machines ask DNS for.
const domain = "demo.internal"

// ttl is how long records live, in seconds. The machines ask twice as often: one
// that joins is to be seen at once.
const ttl = 1

// record is one machine in DNS.
type record struct {
	host string // m1: m1.demo.internal
	addr netip.Addr
	port uint16
}

// zone is what DNS says about demo.internal:
//
//	demo.internal     A    the address of every machine that is up
//	demo.internal     SRV  host and port of every machine that is up
//	m1.demo.internal  A    that one's address
//
// Like the DNS of a platform it lists machines once they are up, and takes out
// those that ended.
type zone struct {
	mu      sync.Mutex // guards all following fields
	records map[string]record
	serial  uint32
}

func newZone() *zone { return &zone{records: map[string]record{}, serial: 1} }

func (z *zone) put(r record) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.records[r.host] = r
	z.serial++
}

func (z *zone) remove(host string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	delete(z.records, host)
	z.serial++
}

// all lists the records in the order of their addresses and ports.
func (z *zone) all() []record {
	z.mu.Lock()
	defer z.mu.Unlock()
	var list []record
	for _, r := range z.records {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b record) int {
		return cmp.Or(a.addr.Compare(b.addr), cmp.Compare(a.port, b.port), cmp.Compare(a.host, b.host))
	})
	return list
}

// answer makes the reply to a query, of whatever length.
func (z *zone) answer(query *mdns.Msg) *mdns.Msg {
	reply := new(mdns.Msg).SetReply(query)
	if len(query.Question) != 1 || query.Opcode != mdns.OpcodeQuery {
		reply.Rcode = mdns.RcodeNotImplemented
		return reply
	}
	question := query.Question[0]
	name := strings.ToLower(question.Name)
	apex := mdns.Fqdn(domain)
	if !mdns.IsSubDomain(apex, name) {
		reply.Rcode = mdns.RcodeRefused // nor are we a resolver
		return reply
	}
	reply.Authoritative = true
	exists := name == apex
	for _, r := range z.all() {
		host := r.host + "." + apex
		switch {
		case name == apex && question.Qtype == mdns.TypeSRV:
			reply.Answer = append(reply.Answer, &mdns.SRV{Hdr: header(question.Name, mdns.TypeSRV), Target: host, Port: r.port})
			reply.Extra = append(reply.Extra, address(host, r.addr))
		case name == apex && question.Qtype == mdns.TypeA:
			// Machines that share an address are one record here.
			if n := len(reply.Answer); n == 0 || !reply.Answer[n-1].(*mdns.A).A.Equal(r.addr.AsSlice()) {
				reply.Answer = append(reply.Answer, address(question.Name, r.addr))
			}
		case name == host:
			exists = true
			if question.Qtype == mdns.TypeA {
				reply.Answer = append(reply.Answer, address(question.Name, r.addr))
			}
		}
	}
	if !exists {
		reply.Rcode = mdns.RcodeNameError
	}
	if len(reply.Answer) == 0 {
		reply.Ns = append(reply.Ns, z.soa(apex))
	}
	return reply
}

// soa says how long "there is none" may be remembered: as long as an answer.
func (z *zone) soa(apex string) mdns.RR {
	z.mu.Lock()
	defer z.mu.Unlock()
	return &mdns.SOA{
		Hdr: header(apex, mdns.TypeSOA), Ns: "ns." + apex, Mbox: "play." + apex,
		Serial: z.serial, Refresh: 60, Retry: 60, Expire: 60, Minttl: ttl,
	}
}

func header(name string, kind uint16) mdns.RR_Header {
	return mdns.RR_Header{Name: name, Rrtype: kind, Class: mdns.ClassINET, Ttl: ttl}
}

func address(name string, addr netip.Addr) mdns.RR {
	return &mdns.A{Hdr: header(name, mdns.TypeA), A: addr.AsSlice()}
}
