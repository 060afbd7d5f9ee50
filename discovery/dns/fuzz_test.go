package dns

import (
	"context"
	"strings"
	"testing"

	mdns "github.com/miekg/dns"
)

// Whatever a server sends, a poll ends, and names at most what one message can hold.
func FuzzReply(f *testing.F) {
	z := newZone(f, "web.internal. 5 A 10.0.0.2", "web.internal. 5 AAAA fdaa::2", "web.internal. 5 SRV 0 0 9001 a.internal.",
		"web.internal. 5 SRV 0 0 0 .", "a.internal. 5 A 10.0.0.3", "b.internal. 5 CNAME web.internal.")
	for _, name := range []string{"web.internal.", "b.internal.", "a.internal.", "none."} {
		for _, qtype := range []uint16{mdns.TypeA, mdns.TypeAAAA, mdns.TypeSRV} {
			wire, err := z.reply("tcp", new(mdns.Msg).SetQuestion(name, qtype)).Pack()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(wire)
		}
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		s := Strategy{Query: "web.internal", Types: []Type{A, AAAA, SRV}, Server: "10.9.9.1",
			Exchange: func(_ context.Context, _, _ string, q *mdns.Msg) (*mdns.Msg, error) {
				m := new(mdns.Msg)
				if err := m.Unpack(wire); err != nil {
					return m, err
				}
				m.Id, m.Response, m.Question = q.Id, true, q.Question // else it is thrown away at once
				return m, nil
			}}
		u := once(t, s, "app@10.0.0.1")
		if len(u.Peers) > len(wire) {
			t.Errorf("%d peers from %d bytes", len(u.Peers), len(wire))
		}
		for _, p := range u.Peers {
			base, at, ok := strings.Cut(p.Name, "@")
			if !ok || base != "app" || at == "" {
				t.Errorf("peer %q", p.Name)
			}
		}
	})
}
