package dns

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	mdns "github.com/miekg/dns"

	"github.com/truss-beam/truss/discovery"
)

// zone answers queries from a list of records. It stands behind a real server (serve) or an Exchange (exchange).
type zone struct {
	mu       sync.Mutex
	records  []mdns.RR
	rcodes   map[string]int // of a full name, instead of an answer
	silent   bool           // answers nothing
	noTCP    bool           // answers nothing over TCP
	noEDNS   bool           // does not know EDNS0
	mangle   func(reply *mdns.Msg)
	received []string // "udp A web.internal."
}

// records parses lines of a zone file.
func newZone(t testing.TB, lines ...string) *zone {
	t.Helper()
	z := &zone{rcodes: make(map[string]int)}
	z.set(t, lines...)
	return z
}

func (z *zone) set(t testing.TB, lines ...string) {
	t.Helper()
	var rrs []mdns.RR
	for _, line := range lines {
		rr, err := mdns.NewRR(line)
		if err != nil || rr == nil {
			t.Fatalf("%q is not a record: %v", line, err)
		}
		rrs = append(rrs, rr)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.records = rrs
}

// change is for everything else that a test alters while the zone is in use.
func (z *zone) change(f func(*zone)) {
	z.mu.Lock()
	defer z.mu.Unlock()
	f(z)
}

func (z *zone) log() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return slices.Clone(z.received)
}

// reply is nil for silence.
func (z *zone) reply(network string, q *mdns.Msg) *mdns.Msg {
	z.mu.Lock()
	defer z.mu.Unlock()
	question := q.Question[0]
	z.received = append(z.received, fmt.Sprint(network, " ", mdns.TypeToString[question.Qtype], " ", question.Name))
	if z.silent || (z.noTCP && network == "tcp") {
		return nil
	}
	m := new(mdns.Msg).SetReply(q)
	if z.noEDNS && q.IsEdns0() != nil {
		m.Rcode = mdns.RcodeFormatError
		return m
	}
	z.answer(m, question)
	if z.mangle != nil {
		z.mangle(m)
	}
	if network == "udp" {
		size := mdns.MinMsgSize
		if opt := q.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		m.Truncate(size)
	}
	return m
}

// answer is what a resolver does: aliases followed, NXDOMAIN for a name that has nothing.
func (z *zone) answer(m *mdns.Msg, q mdns.Question) {
	name, exists := mdns.CanonicalName(q.Name), false
	if rcode, ok := z.rcodes[name]; ok {
		m.Rcode = rcode
		return
	}
	for _, rr := range z.records {
		h := rr.Header()
		if mdns.CanonicalName(h.Name) != name {
			continue
		}
		exists = true
		if h.Rrtype == q.Qtype {
			m.Answer = append(m.Answer, rr)
		}
		if alias, ok := rr.(*mdns.CNAME); ok && len(m.Answer) < 20 {
			m.Answer = append(m.Answer, rr)
			z.answer(m, mdns.Question{Name: alias.Target, Qtype: q.Qtype, Qclass: q.Qclass})
		}
	}
	if !exists {
		m.Rcode = mdns.RcodeNameError
	}
}

// serve starts a real server, UDP and TCP on one loopback port, and returns its address.
func (z *zone) serve(t testing.TB) string {
	t.Helper()
	pc, l := listenBoth(t)
	for _, srv := range []*mdns.Server{
		{PacketConn: pc, Handler: z.handler("udp")},
		{Listener: l, Handler: z.handler("tcp")},
	} {
		started, done := make(chan struct{}), make(chan struct{})
		srv.NotifyStartedFunc = func() { close(started) }
		go func() {
			defer close(done)
			if err := srv.ActivateAndServe(); err != nil {
				t.Errorf("DNS server: %v", err)
			}
		}()
		<-started
		t.Cleanup(func() {
			if err := srv.Shutdown(); err != nil {
				t.Errorf("DNS server: %v", err)
			}
			<-done
		})
	}
	return pc.LocalAddr().String()
}

// listenBoth finds a port that is free for UDP and TCP.
func listenBoth(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 20 {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", pc.LocalAddr().String())
		if err == nil {
			return pc, l
		}
		pc.Close()
	}
	t.Fatal("no port is free for both UDP and TCP")
	return nil, nil
}

func (z *zone) handler(network string) mdns.HandlerFunc {
	return func(w mdns.ResponseWriter, q *mdns.Msg) {
		if m := z.reply(network, q); m != nil {
			w.WriteMsg(m) // an asker that has gone is its own affair
		}
	}
}

// exchange is the zone without a network, for synctest. Messages are packed and unpacked all the same.
func (z *zone) exchange(ctx context.Context, network, _ string, q *mdns.Msg) (*mdns.Msg, error) {
	m := z.reply(network, q)
	if m == nil {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	wire, err := m.Pack()
	if err != nil {
		return nil, err
	}
	got := new(mdns.Msg)
	return got, got.Unpack(wire)
}

// self is a node whose log goes nowhere.
func self(name string) discovery.Self {
	return discovery.Self{Name: name, Logger: slog.New(slog.DiscardHandler)}
}

// once is one poll of s, without resolv.conf unless s names one.
func once(t testing.TB, s Strategy, name string) discovery.Update {
	t.Helper()
	if s.ResolvConf == "" {
		s.ResolvConf = t.TempDir() + "/none"
	}
	s = s.withDefaults()
	queries, err := s.queries(self(name))
	if err != nil {
		t.Fatal(err)
	}
	u, _ := newWatcher(s, self(name), queries).look(t.Context())
	return u
}

// text is an update on one line: "app@10.0.0.2 app@10.0.0.3=10.0.0.3:9001".
func text(u discovery.Update) string {
	var parts []string
	for _, p := range u.Peers {
		if len(p.Addrs) > 0 {
			parts = append(parts, p.Name+"="+strings.Join(p.Addrs, ","))
		} else {
			parts = append(parts, p.Name)
		}
	}
	return strings.Join(parts, " ")
}
