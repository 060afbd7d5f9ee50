package interop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/internal/beam"
)

// lateNetwork makes each handshake begin up to 2 ms late, in either direction, so
// that when both sides dial the two handshakes overlap in every possible way.
type lateNetwork struct {
	epmd              string // its address: talks with it are not late
	accepted, dialled atomic.Int64
}

func (l *lateNetwork) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil && address != l.epmd {
		l.dialled.Add(1)
		late()
	}
	return conn, err
}

func (l *lateNetwork) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, network, address)
	return lateListener{listener, l}, err
}

type lateListener struct {
	net.Listener
	network *lateNetwork
}

func (l lateListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.network.accepted.Add(1)
		late()
	}
	return conn, err
}

func late() { time.Sleep(rand.N(2 * time.Millisecond)) }

// TestBothDialAtOnce has both sides dial each other at once, 100 times: every
// round must end with one connection, seen as one nodeup by each side, that works
// in both directions. The comparison of the names decides whose dial goes on, so
// there is a run for each outcome.
func TestBothDialAtOnce(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		for _, name := range []string{"a_go@127.0.0.1", "z_go@127.0.0.1"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				late := new(lateNetwork)
				p := startPair(t, release, beam.Options{}, truss.Config{Name: name, Network: late})
				late.epmd = fmt.Sprintf("127.0.0.1:%d", p.epmd)
				watcher := p.beam.Spawn()
				watcher.MustEval(t, "net_kernel:monitor_nodes(true, [{node_type, all}])")
				next := events(t, p.node)
				for round := range 100 {
					bothDial(t, p, watcher, next, round)
				}
				collisions := late.accepted.Load() + late.dialled.Load() - 100
				t.Logf("%d rounds of 100 had two dials", collisions)
				if collisions < 20 {
					t.Errorf("only %d rounds of 100 had two dials", collisions)
				}
			})
		}
	})
}

func bothDial(t *testing.T, p pair, watcher *beam.Process, next func(string) truss.NodeEvent, round int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	theirs := p.beam.Go("net_kernel:connect_node('" + p.node.Name() + "')")
	if err := p.node.Connect(ctx, p.beam.Name); err != nil {
		t.Fatalf("round %d: our dial: %v", round, err)
	}
	if got := theirs.MustWait(t); got != "true" {
		t.Fatalf("round %d: their dial: %s", round, got)
	}
	if got := p.beam.MustEval(t, "net_adm:ping('"+p.node.Name()+"')"); got != "pong" {
		t.Fatalf("round %d: their ping: %s", round, got)
	}
	if err := p.node.Ping(ctx, p.beam.Name); err != nil {
		t.Fatalf("round %d: our ping: %v", round, err)
	}
	// The loser's socket may take a moment to be closed.
	p.beam.Await(t, p.sockets(), "1")

	if round%2 == 0 {
		if err := p.node.Disconnect(ctx, p.beam.Name); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	} else if got := p.beam.MustEval(t, "erlang:disconnect_node('"+p.node.Name()+"')"); got != "true" {
		t.Fatalf("round %d: disconnect_node: %s", round, got)
	}
	for _, up := range []bool{true, false} {
		if event := next(p.beam.Name); event.Up != up {
			t.Fatalf("round %d: event %+v, want Up %v", round, event, up)
		}
		kind := map[bool]string{true: "nodeup", false: "nodedown"}[up]
		if got := watcher.MustEval(t, "receive {"+kind+", '"+p.node.Name()+"', _} -> seen after 10000 -> missed end"); got != "seen" {
			t.Fatalf("round %d: the BEAM has %s its %s", round, got, kind)
		}
	}
	if got := watcher.MustEval(t, "process_info(self(), messages)"); got != "{messages,[]}" {
		t.Fatalf("round %d: the BEAM also sees %s", round, got)
	}
	p.beam.Await(t, p.sockets(), "0")
}
