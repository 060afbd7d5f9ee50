package dns

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	mdns "github.com/miekg/dns"

	"github.com/truss-beam/truss/discovery"
)

func TestErrorsAreVisible(t *testing.T) {
	for _, tt := range []struct {
		name  string
		setup func(z *zone)
		want  error
		peers int
	}{
		{"NXDOMAIN", func(z *zone) { z.records = nil }, ErrNXDomain, 0},
		{"SERVFAIL", func(z *zone) { z.rcodes["web.internal."] = mdns.RcodeServerFailure }, ErrServFail, 0},
		{"REFUSED", func(z *zone) { z.rcodes["web.internal."] = mdns.RcodeRefused }, ErrRefused, 0},
		{"another code", func(z *zone) { z.rcodes["web.internal."] = mdns.RcodeNotZone }, ErrBadAnswer, 0},
		{"another question", func(z *zone) { z.mangle = func(m *mdns.Msg) { m.Question[0].Name = "x." } }, ErrBadAnswer, 0},
		{"another type", func(z *zone) { z.mangle = func(m *mdns.Msg) { m.Question[0].Qtype = mdns.TypeMX } }, ErrBadAnswer, 0},
		{"no question", func(z *zone) { z.mangle = func(m *mdns.Msg) { m.Question = nil } }, ErrBadAnswer, 0},
		{"a query as an answer", func(z *zone) { z.mangle = func(m *mdns.Msg) { m.Response = false } }, ErrBadAnswer, 0},
		{"truncated, TCP without an answer", func(z *zone) {
			z.mangle = func(m *mdns.Msg) { m.Truncated = true }
		}, ErrTruncated, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			z := newZone(t, "web.internal. 5 A 10.0.0.2")
			tt.setup(z)
			addr := z.serve(t)
			u := once(t, Strategy{Query: "web.internal", Types: []Type{A}, Server: addr}, "app@10.0.0.1")
			if !errors.Is(u.Err, tt.want) || len(u.Peers) != tt.peers {
				t.Fatalf("%v and %d peers, want %v and %d", u.Err, len(u.Peers), tt.want, tt.peers)
			}
			var e *Error
			if !errors.As(u.Err, &e) || e.Query != "web.internal" || e.Type != A || e.Server != addr {
				t.Errorf("the error does not say what and whom it was about: %#v", e)
			}
		})
	}
}

func TestUnreachableServer(t *testing.T) {
	addr := closedPort(t)
	s := Strategy{Query: "web.internal", Types: []Type{A}, Server: addr}
	first, second := once(t, s, "app@10.0.0.1").Err, once(t, s, "app@10.0.0.1").Err
	if !errors.Is(first, ErrUnreachable) || !errors.Is(first, syscall.ECONNREFUSED) {
		t.Errorf("error %v", first)
	}
	if first.Error() != second.Error() {
		t.Errorf("one trouble, two texts: it would be logged at each poll\n%v\n%v", first, second)
	}
}

func TestNoServer(t *testing.T) {
	for name, conf := range map[string]string{"no file": t.TempDir() + "/none", "empty": resolvConf(t, "search x\n")} {
		u := once(t, Strategy{Query: "web.internal", ResolvConf: conf}, "app@10.0.0.1")
		if !errors.Is(u.Err, ErrNoServer) || u.Peers != nil {
			t.Errorf("%s: %v", name, u)
		}
	}
}

// All servers, each as often as resolv.conf says, each as long; then the error names the first.
func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(t)
		z.silent = true
		conf := resolvConf(t, "nameserver 10.9.9.1\nnameserver fdaa::53\noptions timeout:3 attempts:2\n")
		begin := time.Now()
		u := once(t, Strategy{Query: "web.internal", Types: []Type{A}, ResolvConf: conf, Exchange: z.exchange}, "app@10.0.0.1")
		if took := time.Since(begin); took != 12*time.Second {
			t.Errorf("took %v, want 12 s", took)
		}
		if !errors.Is(u.Err, ErrTimeout) || !strings.Contains(u.Err.Error(), "10.9.9.1:53") {
			t.Errorf("error %v", u.Err)
		}
	})
}

func TestOnePollIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(t)
		z.silent = true
		conf := resolvConf(t, "nameserver 10.9.9.1\nsearch a b c d e f\noptions timeout:30 attempts:5 ndots:9\n")
		begin := time.Now()
		u := once(t, Strategy{Query: "web.internal", ResolvConf: conf, Exchange: z.exchange}, "app@10.0.0.1")
		if took := time.Since(begin); took != lookLimit || !errors.Is(u.Err, ErrTimeout) {
			t.Errorf("%v after %v", u.Err, took)
		}
	})
}

// A Run that is stopped does not wait for a server that is silent: the real network, so no fake time.
func TestStopDoesNotWaitForTheServer(t *testing.T) {
	z := newZone(t)
	z.silent = true
	addr := z.serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	m := new(mdns.Msg).SetQuestion("web.internal.", mdns.TypeA)
	go func() {
		_, err := overNetwork(ctx, "udp", addr, m)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) { // lookLimit, else
		t.Errorf("error %v", err)
	}
}

func TestOneTargetMissing(t *testing.T) {
	z := newZone(t, "_d.internal. 5 SRV 0 0 9001 a.internal.", "_d.internal. 5 SRV 0 0 9001 gone.internal.", "a.internal. 5 A 10.0.0.2")
	u := once(t, Strategy{Query: "_d.internal", Types: []Type{SRV}, Server: z.serve(t)}, "app@10.0.0.1")
	if text(u) != "app@10.0.0.2=10.0.0.2:9001" || !errors.Is(u.Err, ErrNXDomain) || !strings.Contains(u.Err.Error(), "gone.internal") {
		t.Errorf("found %q, %v", text(u), u.Err)
	}
}

func TestTooManyTargets(t *testing.T) {
	lines := []string{"a.internal. 5 A 10.0.0.2"}
	for i := range maxTargets + 10 {
		lines = append(lines, fmt.Sprintf("_d.internal. 5 SRV 0 0 9001 t%04d.internal.", i), fmt.Sprintf("t%04d.internal. 5 A 10.1.%d.%d", i, i/250, i%250+1))
	}
	z := newZone(t, lines...)
	u := once(t, Strategy{Query: "_d.internal", Types: []Type{SRV}, Server: "10.9.9.1", Exchange: z.exchange}, "app@10.0.0.1")
	if len(u.Peers) != maxTargets || !errors.Is(u.Err, ErrBadAnswer) {
		t.Errorf("%d peers, %v", len(u.Peers), u.Err)
	}
}

// Some servers say NXDOMAIN for AAAA where only A exists.
func TestNXDomainForOneTypeOnly(t *testing.T) {
	z := newZone(t, "web.internal. 5 A 10.0.0.2")
	z.mangle = func(m *mdns.Msg) {
		if m.Question[0].Qtype == mdns.TypeAAAA {
			m.Rcode = mdns.RcodeNameError
		}
	}
	u := once(t, Strategy{Query: "web.internal", Server: z.serve(t)}, "app@10.0.0.1")
	if text(u) != "app@10.0.0.2" || u.Err != nil {
		t.Errorf("found %q, %v", text(u), u.Err)
	}
}

// A question that fails keeps its last full answer, and only that: parts of answers must not pile up.
func TestFailedQuestionKeepsItsAnswer(t *testing.T) {
	synctest.Test(t, testFailedQuestionKeepsItsAnswer) // TCP is silent for 5 s each time
}

func testFailedQuestionKeepsItsAnswer(t *testing.T) {
	z := newZone(t, "a.internal. 5 A 10.0.0.2", "b.internal. 5 A 10.0.0.3")
	s := Strategy{Query: "a.internal,b.internal", Types: []Type{A}, Server: "10.9.9.1", Exchange: z.exchange}.withDefaults()
	queries, err := s.queries(self("app@10.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWatcher(s, self("app@10.0.0.1"), queries)
	check := func(want string, broken bool) {
		t.Helper()
		u, _ := w.look(t.Context())
		if text(u) != want || (u.Err != nil) != broken {
			t.Errorf("found %q, %v; want %q", text(u), u.Err, want)
		}
	}
	check("app@10.0.0.2 app@10.0.0.3", false)
	z.change(func(z *zone) { z.rcodes["a.internal."] = mdns.RcodeServerFailure })
	z.set(t, "b.internal. 5 A 10.0.0.4")
	check("app@10.0.0.2 app@10.0.0.4", true)

	z.change(func(z *zone) {
		delete(z.rcodes, "a.internal.")
		z.noTCP = true
		z.mangle = func(m *mdns.Msg) { m.Truncated = true }
	})
	for _, last := range []string{"5", "6", "7"} {
		z.set(t, "a.internal. 5 A 10.0.0."+last, "b.internal. 5 A 10.0.0.4")
		check("app@10.0.0."+last+" app@10.0.0.2 app@10.0.0.4", true)
	}
	z.change(func(z *zone) { z.mangle = nil })
	check("app@10.0.0.7 app@10.0.0.4", false)
}

func TestErrorsAreOnOneLine(t *testing.T) {
	u := once(t, Strategy{Query: "a.internal,b.internal", Types: []Type{A}, Server: newZone(t).serve(t)}, "app@10.0.0.1")
	if s := u.Err.Error(); strings.Contains(s, "\n") || !strings.Contains(s, "a.internal") || !strings.Contains(s, "b.internal") {
		t.Errorf("error %q", s)
	}
}

func TestConfigErrors(t *testing.T) {
	t.Setenv("DNS_CLUSTER_QUERY", "")
	for name, s := range map[string]Strategy{
		"type":               {Query: "web.internal", Types: []Type{"MX"}},
		"lower case type":    {Query: "web.internal", Types: []Type{"a"}},
		"empty base name":    {Query: "@web.internal"},
		"base name alone":    {Query: "jobs@"},
		"two at signs":       {Query: "a@b@c"},
		"blanks":             {Query: "web internal"},
		"label of 64":        {Query: strings.Repeat("x", 64) + ".internal"},
		"one bad among good": {Query: "web.internal,a..b"},
	} {
		err := s.Watch(t.Context(), self("app@10.0.0.1"), func(u discovery.Update) { t.Errorf("%s: reported %v", name, u) })
		if !errors.Is(err, discovery.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := Strategy{Query: "web.internal"}
	if err := s.Watch(t.Context(), self(""), func(discovery.Update) {}); !errors.Is(err, discovery.ErrConfig) {
		t.Errorf("a node without a name: %v", err)
	}
}
