package interop

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
)

//go:embed testdata/interop_peer.erl
var peerModule string

//go:embed testdata/terms.erl
var termsModule string

// limit is how long anything may take that must happen. Most of it happens in
// milliseconds; the limit is for machines in trouble.
const limit = 30 * time.Second

func TestMain(m *testing.M) {
	if config := os.Getenv(programVariable); config != "" {
		os.Exit(runProgram(config))
	}
	if config := os.Getenv(citizenVariable); config != "" {
		os.Exit(runCitizen(config))
	}
	// Most of the time these tests wait, for BEAMs to start and ticks not to come.
	// Twice as many of them as there are cores would leave two cores half idle.
	_ = flag.Set("test.parallel", strconv.Itoa(4*runtime.GOMAXPROCS(0)))
	os.Exit(m.Run())
}

// each runs a test against every release, side by side.
func each(t *testing.T, test func(*testing.T, beam.Release)) {
	t.Parallel()
	for _, release := range beam.Releases(t) {
		t.Run(release.String(), func(t *testing.T) {
			t.Parallel()
			test(t, release)
		})
	}
}

// start starts a Truss node that listens on its name's address only, has the
// cookie of the BEAMs, and is closed when the test ends.
func start(t *testing.T, config truss.Config) *truss.Node {
	t.Helper()
	_, host, _ := strings.Cut(config.Name, "@")
	config.Listen = host
	if net.ParseIP(host) == nil {
		config.Listen = "127.0.0.1"
	}
	if config.Cookie == "" {
		config.Cookie = beam.DefaultCookie
	}
	config.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	n, err := truss.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// pair is a BEAM and a Truss node that share an epmd but are not connected yet.
type pair struct {
	beam *beam.Node
	node *truss.Node
	epmd int
}

// startPair starts beam@127.0.0.1, with the module interop_peer and its processes calc
// and echo, and go@127.0.0.1.
func startPair(t *testing.T, release beam.Release, options beam.Options, config truss.Config) pair {
	t.Helper()
	p := pair{epmd: release.StartEPMD(t)}
	if options.Name == "" {
		options.Name = "beam@127.0.0.1"
	}
	if config.Name == "" {
		config.Name = "go@127.0.0.1"
	}
	options.EPMD, config.Epmd = p.epmd, fmt.Sprintf("127.0.0.1:%d", p.epmd)
	p.beam = release.Start(t, options)
	p.beam.Load(t, peerModule)
	p.beam.MustEval(t, "{ok, _} = interop_peer:start_calc(), interop_peer:start_echo()")
	p.node = start(t, config)
	return p
}

// connectedPair is startPair, connected.
func connectedPair(t *testing.T, release beam.Release, options beam.Options, config truss.Config) pair {
	t.Helper()
	p := startPair(t, release, options, config)
	connect(t, p.node, p.beam.Name)
	p.beam.Await(t, "nodes()", atoms(p.node.Name()))
	return p
}

func connect(t *testing.T, n *truss.Node, peer string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := n.Connect(ctx, peer); err != nil {
		t.Fatalf("%s to %s: %v", n.Name(), peer, err)
	}
}

// sockets is how many TCP connections of distribution the BEAM has.
func (p pair) sockets() string { return fmt.Sprintf("interop_peer:dist_sockets([%d])", p.epmd) }

// atoms prints names as Erlang does a list of atoms.
func atoms(names ...string) string {
	var quoted []string
	for _, name := range names {
		quoted = append(quoted, etf.Format(etf.Atom(name)))
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

// eventually waits for something to become true that nothing announces.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// awaitNodes waits until the node is connected to exactly these.
func awaitNodes(t *testing.T, n *truss.Node, visible, hidden []string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s has nodes %v and hidden %v", n.Name(), visible, hidden), func() bool {
		return slices.Equal(n.Nodes(), visible) && slices.Equal(n.HiddenNodes(), hidden)
	})
}

// events follows the node's events: next returns the next one about a peer.
func events(t *testing.T, n *truss.Node) (next func(peer string) truss.NodeEvent) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(cancel)
	channel := n.Events(ctx)
	return func(peer string) truss.NodeEvent {
		t.Helper()
		timeout := time.After(limit)
		for {
			select {
			case event, ok := <-channel:
				if !ok {
					t.Fatalf("events of %s ended, waiting for one about %s", n.Name(), peer)
				}
				if event.Node == peer {
					return event
				}
			case <-timeout:
				t.Fatalf("%s: no event about %s within %v", n.Name(), peer, limit)
			}
		}
	}
}
