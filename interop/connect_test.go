package interop

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/epmd"
	"github.com/truss-beam/truss/internal/beam"
)

// meeting is one way for two nodes to find each other.
type meeting struct {
	how              string
	beamHost, goHost string
	// ports returns the epmd to use, or the port of both nodes without one.
	ports func(*testing.T, beam.Release) (epmd, port int)
}

func meetings() []meeting {
	theirs := func(t *testing.T, r beam.Release) (int, int) { return r.StartEPMD(t), 0 }
	ours := func(t *testing.T, _ beam.Release) (int, int) { return serveEPMD(t), 0 }
	none := func(t *testing.T, _ beam.Release) (int, int) { return 0, beam.FreePort(t) }
	return []meeting{
		{"OTP's epmd, IPv4", "127.0.0.1", "127.0.0.1", theirs},
		{"OTP's epmd, IPv6", "::1", "::1", theirs},
		{"our epmd, IPv4", "127.0.0.1", "127.0.0.1", ours},
		{"our epmd, IPv6", "::1", "::1", ours},
		{"no epmd", "127.0.0.2", "127.0.0.3", none},
		{"OTP's epmd, short names", "localhost", "localhost", theirs},
	}
}

// TestConnect connects from either side, with either side hidden or not, in
// every way to find each other, and pings both ways.
func TestConnect(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		for _, m := range meetings() {
			t.Run(m.how, func(t *testing.T) {
				for _, hidden := range []bool{false, true} {
					testMeeting(t, release, m, hidden)
				}
			})
		}
	})
}

func testMeeting(t *testing.T, release beam.Release, m meeting, beamHidden bool) {
	epmdPort, port := m.ports(t, release)
	peer := release.Start(t, beam.Options{
		Name: "beam@" + m.beamHost, Hidden: beamHidden, EPMD: epmdPort, Port: port, Short: m.beamHost == "localhost",
	})
	for _, goHidden := range []bool{false, true} {
		for _, weDial := range []bool{true, false} {
			config := truss.Config{Name: "go@" + m.goHost, Hidden: goHidden, Epmd: "none", Port: port}
			if epmdPort != 0 {
				config.Epmd = net.JoinHostPort(m.goHost, strconv.Itoa(epmdPort))
			}
			n := start(t, config)
			who := fmt.Sprintf("BEAM hidden %v, ours hidden %v, we dial %v", beamHidden, goHidden, weDial)
			testConnection(t, who, peer, n, beamHidden || goHidden, weDial)
			if err := n.Close(); err != nil {
				t.Errorf("%s: Close: %v", who, err)
			}
			peer.Await(t, "nodes(connected)", "[]")
		}
	}
}

func testConnection(t *testing.T, who string, peer *beam.Node, n *truss.Node, hidden, weDial bool) {
	t.Helper()
	next := events(t, n)
	if weDial {
		connect(t, n, peer.Name)
	} else if got := peer.MustEval(t, "net_kernel:connect_node('"+n.Name()+"')"); got != "true" {
		t.Fatalf("%s: connect_node gives %s", who, got)
	}
	us, them, nobody := atoms(n.Name()), []string{peer.Name}, []string(nil)
	if hidden {
		awaitNodes(t, n, nobody, them)
		peer.Await(t, "{nodes(), nodes(hidden), nodes(connected)}", "{[],"+us+","+us+"}")
	} else {
		awaitNodes(t, n, them, nobody)
		peer.Await(t, "{nodes(), nodes(hidden), nodes(connected)}", "{"+us+",[],"+us+"}")
	}
	if event := next(peer.Name); !event.Up || event.Hidden != hidden {
		t.Errorf("%s: event %+v", who, event)
	}
	if got := peer.MustEval(t, "net_adm:ping('"+n.Name()+"')"); got != "pong" {
		t.Errorf("%s: the BEAM's ping gives %s", who, got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := n.Ping(ctx, peer.Name); err != nil {
		t.Errorf("%s: our ping: %v", who, err)
	}
}

// serveEPMD runs our epmd on loopback until the test ends.
func serveEPMD(t *testing.T) int {
	port := beam.FreePort(t)
	listeners, err := epmd.Listen(t.Context(), nil, []string{"127.0.0.1", "::1"}, port)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- new(epmd.Server).Serve(ctx, listeners...) }()
	t.Cleanup(func() {
		cancel()
		<-served
	})
	return port
}

// TestNameIsFreeAfterClose starts a node of the same name again as soon as Close
// returns: by then no epmd may hold the name any more.
func TestNameIsFreeAfterClose(t *testing.T) {
	t.Parallel()
	release := beam.Releases(t)[0]
	for _, epmd := range []struct {
		whose string
		port  int
	}{{"theirs", release.StartEPMD(t)}, {"ours", serveEPMD(t)}} {
		for round := range 100 {
			n, err := truss.Start(t.Context(), truss.Config{
				Name: "go@127.0.0.1", Listen: "127.0.0.1", Cookie: beam.DefaultCookie,
				Epmd: fmt.Sprintf("127.0.0.1:%d", epmd.port), Logger: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatalf("%s epmd, round %d: %v", epmd.whose, round, err)
			}
			if err := n.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
