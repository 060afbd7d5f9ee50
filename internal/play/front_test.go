package play

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"testing"

	"github.com/truss-beam/truss/epmd"
)

// TestFront registers at 127.0.0.1, where every erl does, and looks where the
// names end up.
func TestFront(t *testing.T) {
	s := ownAddresses(t)
	f, err := openFront(t.Context(), s.front, s.home, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	beam, err := s.machine(7, beamMachine)
	if err != nil {
		t.Fatal(err)
	}
	stop, err := f.machine(beam, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	client := epmd.Client{Port: s.epmdPort}
	register := func(name string, port uint16) *epmd.Registered {
		t.Helper()
		r, err := client.Register(t.Context(), "127.0.0.1", epmd.Registration{Name: name, Port: port})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	machine, own := register("demo", beam.Port), register("me", 4711)
	for _, c := range []struct {
		host, name string
		port       uint16 // 0: not there
	}{
		{beam.Addr.String(), "demo", beam.Port}, {beam.Addr.String(), "me", 0},
		{s.home.String(), "me", 4711}, {s.home.String(), "demo", 0}, {"127.0.0.1", "me", 4711},
	} {
		entry, err := client.Lookup(t.Context(), c.host, c.name)
		if entry.Port != c.port || (c.port == 0) != errors.Is(err, epmd.ErrUnknownName) {
			t.Errorf("%s at %s: port %d, %v; want %d", c.name, c.host, entry.Port, err, c.port)
		}
	}
	// What ends a registration there ends it here, and the other way round.
	stop()
	<-machine.Done()
	if _, err := client.Lookup(t.Context(), beam.Addr.String(), "demo"); !errors.Is(err, epmd.ErrUnreachable) {
		t.Errorf("the epmd of a machine that ended: %v", err)
	}
	own.Close()
	for {
		if _, err := client.Lookup(t.Context(), "127.0.0.1", "me"); errors.Is(err, epmd.ErrUnknownName) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestFrontBadClients: they cost their connection.
func TestFrontBadClients(t *testing.T) {
	s := ownAddresses(t)
	f, err := openFront(t.Context(), s.front, s.home, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	for _, sent := range []string{"\xff\xffx", "\x00\x00", "\x00\x01x", "\x00\x01?"} {
		conn, err := net.Dial("tcp", s.front.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(sent)); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("%q is answered with %d bytes", sent, n)
		}
		conn.Close()
	}
}

// ownAddresses is a site with addresses for machines, which Linux has.
func ownAddresses(t *testing.T) *site {
	t.Helper()
	s, err := findSite(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	if s.oneAddress {
		t.Skip("this computer has no loopback address but 127.0.0.1, so no machine has one of its own")
	}
	return s
}

func TestSites(t *testing.T) {
	a, b := ownAddresses(t), ownAddresses(t)
	if a.home == b.home || a.dns == b.dns || a.epmdPort == b.epmdPort {
		t.Errorf("two sites share something: %+v and %+v", a, b)
	}
	if a.epmdPort == epmd.DefaultPort {
		t.Error("a site takes epmd's port from the computer's own erl")
	}
	m, err := b.machine(12, beamMachine)
	if err != nil || m.Node != "demo@"+m.Addr.String() || m.Addr != blockAddr(b.home.As4()[2], 12) || m.ID != "b12" {
		t.Errorf("machine %+v, %v", m, err)
	}
}

func TestSiteOneAddress(t *testing.T) {
	s, err := findSite(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	one, err := s.machine(1, goMachine)
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.machine(2, goMachine)
	if err != nil {
		t.Fatal(err)
	}
	if one.Addr != localhost || two.Addr != localhost || one.Port == 0 || one.Port == two.Port {
		t.Errorf("machines %+v and %+v", one, two)
	}
	if one.Node != "demo@m1.demo.internal" || s.dns.Addr() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("node %s, DNS at %v", one.Node, s.dns)
	}
}
