package play

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	mdns "github.com/miekg/dns"
)

// startZone serves a zone of n machines on a free port.
func startZone(t *testing.T, n int) (z *zone, at string) {
	t.Helper()
	s := &site{home: localhost}
	if err := s.bindDNS(t.Context(), netip.AddrPortFrom(localhost, 0)); err != nil {
		t.Fatal(err)
	}
	z = newZone()
	for i := range n {
		m, err := (&site{home: blockAddr(8, homeHost)}).machine(i+1, goMachine)
		if err != nil {
			t.Fatal(err)
		}
		z.put(record{m.ID, m.Addr, uint16(9001 + i)})
	}
	server := serveDNS(z, s.packets, s.stream)
	t.Cleanup(func() {
		if err := server.close(); err != nil {
			t.Error(err)
		}
	})
	return z, s.dns.String()
}

func TestDNS(t *testing.T) {
	z, at := startZone(t, 2)
	z.put(record{"m3", blockAddr(8, 3), 9003})
	z.remove("m3")
	soa := "demo.internal.\t1\tIN\tSOA\tns.demo.internal. play.demo.internal. 5 60 60 60 1"
	for _, c := range []struct {
		name  string
		kind  uint16
		rcode int
		want  []string // answer, authority and extra
	}{
		{"demo.internal.", mdns.TypeA, mdns.RcodeSuccess, []string{"demo.internal.\t1\tIN\tA\t127.0.8.1", "demo.internal.\t1\tIN\tA\t127.0.8.2"}},
		{"DEMO.internal.", mdns.TypeA, mdns.RcodeSuccess, []string{"DEMO.internal.\t1\tIN\tA\t127.0.8.1", "DEMO.internal.\t1\tIN\tA\t127.0.8.2"}},
		{"demo.internal.", mdns.TypeAAAA, mdns.RcodeSuccess, []string{soa}},
		{"demo.internal.", mdns.TypeSRV, mdns.RcodeSuccess, []string{
			"demo.internal.\t1\tIN\tSRV\t0 0 9001 m1.demo.internal.", "demo.internal.\t1\tIN\tSRV\t0 0 9002 m2.demo.internal.",
			"m1.demo.internal.\t1\tIN\tA\t127.0.8.1", "m2.demo.internal.\t1\tIN\tA\t127.0.8.2",
		}},
		{"m2.demo.internal.", mdns.TypeA, mdns.RcodeSuccess, []string{"m2.demo.internal.\t1\tIN\tA\t127.0.8.2"}},
		{"m2.demo.internal.", mdns.TypeAAAA, mdns.RcodeSuccess, []string{soa}},
		{"m3.demo.internal.", mdns.TypeA, mdns.RcodeNameError, []string{soa}},
		{"example.org.", mdns.TypeA, mdns.RcodeRefused, nil},
		{"xdemo.internal.", mdns.TypeA, mdns.RcodeRefused, nil},
	} {
		for _, network := range []string{"udp", "tcp"} {
			client := mdns.Client{Net: network}
			reply, _, err := client.ExchangeContext(t.Context(), new(mdns.Msg).SetQuestion(c.name, c.kind), at)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, rr := range slices.Concat(reply.Answer, reply.Ns, reply.Extra) {
				got = append(got, rr.String())
			}
			if reply.Rcode != c.rcode || !slices.Equal(got, c.want) {
				t.Errorf("%s %s over %s: %s %q, want %s %q", c.name, mdns.TypeToString[c.kind], network,
					mdns.RcodeToString[reply.Rcode], got, mdns.RcodeToString[c.rcode], c.want)
			}
		}
	}
}

// TestDNSOneAddress: machines that share an address are one A record, and one SRV each.
func TestDNSOneAddress(t *testing.T) {
	z := newZone()
	z.put(record{"m1", localhost, 9001})
	z.put(record{"m2", localhost, 9002})
	for kind, want := range map[uint16]int{mdns.TypeA: 1, mdns.TypeSRV: 2} {
		if got := z.answer(new(mdns.Msg).SetQuestion("demo.internal.", kind)); len(got.Answer) != want {
			t.Errorf("%s: %v, want %d records", mdns.TypeToString[kind], got.Answer, want)
		}
	}
}

// TestDNSTruncates: as many machines as there may be do not fit into 512 bytes.
func TestDNSTruncates(t *testing.T) {
	_, at := startZone(t, maxMachines)
	for _, c := range []struct {
		network   string
		edns      uint16
		truncated bool
	}{{"udp", 0, true}, {"udp", 4096, false}, {"tcp", 0, false}} {
		query := new(mdns.Msg).SetQuestion("demo.internal.", mdns.TypeA)
		if c.edns > 0 {
			query.SetEdns0(c.edns, false)
		}
		client := mdns.Client{Net: c.network}
		reply, _, err := client.ExchangeContext(t.Context(), query, at)
		if err != nil {
			t.Fatal(err)
		}
		if whole := len(reply.Answer) == maxMachines; reply.Truncated != c.truncated || whole == c.truncated {
			t.Errorf("%+v: truncated %v with %d answers", c, reply.Truncated, len(reply.Answer))
		}
	}
}

// TestDNSRefusesOthers sends what is no question.
func TestDNSRefusesOthers(t *testing.T) {
	z := newZone()
	update := new(mdns.Msg).SetUpdate("demo.internal.")
	none := new(mdns.Msg)
	for _, query := range []*mdns.Msg{update, none} {
		if reply := z.answer(query); reply.Rcode != mdns.RcodeNotImplemented || len(reply.Answer) > 0 {
			t.Errorf("%s is answered %s", strings.TrimSpace(query.String()), reply)
		}
	}
}
