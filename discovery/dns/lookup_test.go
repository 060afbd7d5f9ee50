package dns

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	mdns "github.com/miekg/dns"
)

func TestRecords(t *testing.T) {
	srv := []Type{SRV}
	for _, tt := range []struct {
		name     string
		self     string
		strategy Strategy
		zone     []string
		want     string
	}{
		{"A and AAAA", "app@10.0.0.1", Strategy{Query: "web.internal"},
			[]string{"web.internal. 5 A 10.0.0.2", "web.internal. 5 A 10.0.0.3", "web.internal. 5 AAAA fdaa:0:1:0::3"},
			"app@10.0.0.2 app@10.0.0.3 app@fdaa:0:1::3"},
		{"A alone", "app@10.0.0.1", Strategy{Query: "web.internal", Types: []Type{A}},
			[]string{"web.internal. 5 A 10.0.0.2", "web.internal. 5 AAAA fdaa::3"}, "app@10.0.0.2"},
		{"no records of the type", "app@10.0.0.1", Strategy{Query: "web.internal"}, []string{"web.internal. 5 TXT x"}, ""},
		{"a mapped address stays an IPv6 one", "app@10.0.0.1", Strategy{Query: "web.internal"},
			[]string{"web.internal. 5 AAAA ::ffff:10.0.0.2"}, "app@::ffff:10.0.0.2"},
		{"several queries, base names", "app@10.0.0.1", Strategy{Query: "a.internal, jobs@b.internal,a.internal"},
			[]string{"a.internal. 5 A 10.0.0.2", "b.internal. 5 A 10.0.0.2", "b.internal. 5 A 10.0.0.3"},
			"app@10.0.0.2 jobs@10.0.0.2 jobs@10.0.0.3"},
		{"upper case", "app@10.0.0.1", Strategy{Query: "WEB.internal"}, []string{"web.INTERNAL. 5 A 10.0.0.2"}, "app@10.0.0.2"},
		{"aliases", "app@10.0.0.1", Strategy{Query: "web.internal", Types: []Type{A}},
			[]string{"web.internal. 5 CNAME b.internal.", "b.internal. 5 CNAME C.internal.", "c.internal. 5 A 10.0.0.2"}, "app@10.0.0.2"},
		{"SRV ports", "app@10.0.0.1", Strategy{Query: "_d._tcp.internal", Types: srv},
			[]string{"_d._tcp.internal. 5 SRV 0 0 9001 a.internal.", "_d._tcp.internal. 5 SRV 0 0 9002 b.internal.",
				"a.internal. 5 A 10.0.0.2", "b.internal. 5 A 10.0.0.3"},
			"app@10.0.0.2=10.0.0.2:9001 app@10.0.0.3=10.0.0.3:9002"},
		{"SRV: epmd's port, and none", "app@10.0.0.1", Strategy{Query: "_d._tcp.internal", Types: srv},
			[]string{"_d._tcp.internal. 5 SRV 0 0 4369 a.internal.", "_d._tcp.internal. 5 SRV 0 0 0 b.internal.",
				"a.internal. 5 A 10.0.0.2", "b.internal. 5 A 10.0.0.3"}, "app@10.0.0.2 app@10.0.0.3"},
		{"SRV ports ignored", "app@10.0.0.1", Strategy{Query: "_d._tcp.internal", Types: srv, IgnoreSRVPorts: true},
			[]string{"_d._tcp.internal. 5 SRV 0 0 80 a.internal.", "a.internal. 5 A 10.0.0.2"}, "app@10.0.0.2"},
		{"SRV: service not offered", "app@10.0.0.1", Strategy{Query: "_d._tcp.internal", Types: srv},
			[]string{"_d._tcp.internal. 5 SRV 0 0 9001 ."}, ""},
		{"SRV: an address for a target", "app@10.0.0.1", Strategy{Query: "_d._tcp.internal", Types: srv},
			[]string{"_d._tcp.internal. 5 SRV 0 0 9001 10.0.0.2."}, "app@10.0.0.2=10.0.0.2:9001"},
		{"SRV: names by target, one address", "app@m1.internal", Strategy{Query: "_d._tcp.internal", Types: srv, TargetNames: true},
			[]string{"_d._tcp.internal. 5 SRV 0 0 9001 m1.internal.", "_d._tcp.internal. 5 SRV 0 0 9002 m2.internal.",
				"m1.internal. 5 A 127.0.0.1", "m2.internal. 5 A 127.0.0.1"},
			"app@m1.internal=127.0.0.1:9001 app@m2.internal=127.0.0.1:9002"},
		{"SRV: IPv4 first", "app@10.0.0.1", Strategy{Query: "_d._tcp.internal", Types: srv},
			[]string{"_d._tcp.internal. 5 SRV 0 0 9001 a.internal.", "a.internal. 5 A 10.0.0.2", "a.internal. 5 AAAA fdaa::2"},
			"app@10.0.0.2=10.0.0.2:9001"},
		{"SRV: IPv6 first for a node named so", "app@fdaa::1", Strategy{Query: "_d._tcp.internal", Types: srv},
			[]string{"_d._tcp.internal. 5 SRV 0 0 9001 a.internal.", "a.internal. 5 A 10.0.0.2", "a.internal. 5 AAAA fdaa::2"},
			"app@fdaa::2=[fdaa::2]:9001"},
		{"SRV: the other family if there is none", "app@fdaa::1", Strategy{Query: "_d._tcp.internal", Types: srv},
			[]string{"_d._tcp.internal. 5 SRV 0 0 9001 a.internal.", "a.internal. 5 A 10.0.0.2"},
			"app@10.0.0.2=10.0.0.2:9001"},
		{"A and SRV add up", "app@10.0.0.1", Strategy{Query: "d.internal", Types: []Type{A, SRV}},
			[]string{"d.internal. 5 A 10.0.0.2", "d.internal. 5 SRV 0 0 9001 a.internal.", "a.internal. 5 A 10.0.0.2"},
			"app@10.0.0.2=10.0.0.2:9001"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("ERL_EPMD_PORT", "")
			tt.strategy.Server = newZone(t, tt.zone...).serve(t)
			u := once(t, tt.strategy, tt.self)
			if got := text(u); got != tt.want || u.Err != nil {
				t.Errorf("found %q, %v\nwant  %q", got, u.Err, tt.want)
			}
		})
	}
}

func TestEpmdPortOfTheEnvironment(t *testing.T) {
	t.Setenv("ERL_EPMD_PORT", "9001")
	s := Strategy{Query: "_d.internal", Types: []Type{SRV}, Server: newZone(t, "_d.internal. 5 SRV 0 0 9001 10.0.0.2.").serve(t)}
	if got := text(once(t, s, "app@10.0.0.1")); got != "app@10.0.0.2" {
		t.Errorf("found %q", got)
	}
}

// CoreDNS sends the targets' addresses along; then there is nothing more to ask.
func TestAdditionalRecordsAreUsed(t *testing.T) {
	z := newZone(t, "_d.internal. 5 SRV 0 0 9001 a.internal.")
	z.mangle = func(m *mdns.Msg) {
		for _, line := range []string{"a.internal. 5 A 10.0.0.2", "other.internal. 5 A 10.0.0.66"} {
			rr, _ := mdns.NewRR(line)
			m.Extra = append(m.Extra, rr)
		}
	}
	u := once(t, Strategy{Query: "_d.internal", Types: []Type{SRV}, Server: z.serve(t)}, "app@10.0.0.1")
	if got := text(u); got != "app@10.0.0.2=10.0.0.2:9001" || u.Err != nil {
		t.Errorf("found %q, %v", got, u.Err)
	}
	if got := z.log(); !slices.Equal(got, []string{"udp SRV _d.internal."}) {
		t.Errorf("asked %v", got)
	}
}

func TestRecordsOfOtherNamesAreNotTaken(t *testing.T) {
	z := newZone(t, "web.internal. 5 A 10.0.0.2")
	z.mangle = func(m *mdns.Msg) {
		rr, _ := mdns.NewRR("evil.example. 5 A 10.6.6.6")
		m.Answer = append(m.Answer, rr)
	}
	u := once(t, Strategy{Query: "web.internal", Types: []Type{A}, Server: z.serve(t)}, "app@10.0.0.1")
	if got := text(u); got != "app@10.0.0.2" {
		t.Errorf("found %q", got)
	}
}

func TestAliasLoopEnds(t *testing.T) {
	z := newZone(t, "a.internal. 5 CNAME b.internal.", "b.internal. 5 CNAME a.internal.")
	u := once(t, Strategy{Query: "a.internal", Server: z.serve(t)}, "app@10.0.0.1")
	if len(u.Peers) > 0 || u.Err != nil {
		t.Errorf("found %v, %v", u.Peers, u.Err)
	}
}

func manyRecords(n int) []string {
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf("web.internal. 5 A 10.0.%d.%d", i/250, i%250+1))
	}
	return lines
}

func TestTruncatedAnswerIsAskedForOverTCP(t *testing.T) {
	z := newZone(t, manyRecords(500)...)
	u := once(t, Strategy{Query: "web.internal", Types: []Type{A}, Server: z.serve(t)}, "app@10.0.9.9")
	if len(u.Peers) != 500 || u.Err != nil {
		t.Errorf("%d peers of 500, %v", len(u.Peers), u.Err)
	}
	if got, want := z.log(), []string{"udp A web.internal.", "tcp A web.internal."}; !slices.Equal(got, want) {
		t.Errorf("asked %v, want %v", got, want)
	}
}

// EDNS0: 70 records are more than 512 bytes and less than 1232.
func TestEDNS0SavesTCP(t *testing.T) {
	z := newZone(t, manyRecords(70)...)
	u := once(t, Strategy{Query: "web.internal", Types: []Type{A}, Server: z.serve(t)}, "app@10.0.9.9")
	if len(u.Peers) != 70 || len(z.log()) != 1 {
		t.Errorf("%d peers of 70, asked %v", len(u.Peers), z.log())
	}
}

func TestServerWithoutEDNS0(t *testing.T) {
	z := newZone(t, manyRecords(70)...)
	z.noEDNS = true
	u := once(t, Strategy{Query: "web.internal", Types: []Type{A}, Server: z.serve(t)}, "app@10.0.9.9")
	if len(u.Peers) != 70 || u.Err != nil {
		t.Errorf("%d peers of 70, %v", len(u.Peers), u.Err)
	}
	if got, want := z.log(), []string{"udp A web.internal.", "udp A web.internal.", "tcp A web.internal."}; !slices.Equal(got, want) {
		t.Errorf("asked %v, want %v", got, want)
	}
}

func resolvConf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSearchDomains(t *testing.T) {
	for _, tt := range []struct {
		query, want string
		asked       []string
	}{
		{"web", "app@10.0.0.2", []string{"udp A web.one.example.", "udp A web.two.example."}},
		{"a.b.c", "app@10.0.0.3", []string{"udp A a.b.c."}}, // two dots are enough for ndots:2
		{"web.two.example", "app@10.0.0.2", []string{"udp A web.two.example."}},
		{"full.", "", []string{"udp A full."}},
		{"none.x", "", []string{"udp A none.x.one.example.", "udp A none.x.two.example.", "udp A none.x."}},
		{"deep.x", "app@10.0.0.4", []string{"udp A deep.x.one.example.", "udp A deep.x.two.example.", "udp A deep.x."}},
	} {
		t.Run(tt.query, func(t *testing.T) {
			z := newZone(t, "web.two.example. 5 A 10.0.0.2", "a.b.c. 5 A 10.0.0.3", "deep.x. 5 A 10.0.0.4")
			conf := resolvConf(t, "nameserver "+z.serve(t)+"\nsearch one.example two.example\noptions ndots:2 timeout:5\n")
			u := once(t, Strategy{Query: tt.query, Types: []Type{A}, ResolvConf: conf}, "app@10.0.0.1")
			if got := text(u); got != tt.want || errors.Is(u.Err, ErrNXDomain) != (tt.want == "") {
				t.Errorf("found %q, %v; want %q", got, u.Err, tt.want)
			}
			if got := z.log(); !slices.Equal(got, tt.asked) {
				t.Errorf("asked %v, want %v", got, tt.asked)
			}
		})
	}
}

// SERVFAIL for one completion of the name (an unreachable zone of the provider's) does not hide the name itself.
func TestSearchGoesOnAfterAnError(t *testing.T) {
	z := newZone(t, "web.x. 5 A 10.0.0.2")
	z.rcodes["web.x.one.example."] = mdns.RcodeServerFailure
	conf := resolvConf(t, "nameserver "+z.serve(t)+"\nsearch one.example\noptions ndots:5\n")
	u := once(t, Strategy{Query: "web.x", Types: []Type{A}, ResolvConf: conf}, "app@10.0.0.1")
	if got := text(u); got != "app@10.0.0.2" || u.Err != nil {
		t.Errorf("found %q, %v", got, u.Err)
	}
}

func closedPort(t *testing.T) string {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	return pc.LocalAddr().String()
}

func TestNextServer(t *testing.T) {
	failing := newZone(t)
	failing.rcodes["web.internal."] = mdns.RcodeServerFailure
	good := newZone(t, "web.internal. 5 A 10.0.0.2")
	conf := resolvConf(t, strings.Join([]string{"nameserver " + failing.serve(t), "nameserver " + closedPort(t), "nameserver " + good.serve(t)}, "\n"))
	u := once(t, Strategy{Query: "web.internal", Types: []Type{A}, ResolvConf: conf}, "app@10.0.0.1")
	if got := text(u); got != "app@10.0.0.2" || u.Err != nil {
		t.Errorf("found %q, %v", got, u.Err)
	}
	if n := len(failing.log()); n != 1 {
		t.Errorf("the first server was asked %d times", n)
	}
}
