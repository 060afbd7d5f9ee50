package interop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/internal/beam"
)

// meetingNetwork holds each side's connection back until the other side has
// dialled too, so that the two handshakes overlap, by up to 2 ms this way or that.
type meetingNetwork struct {
	epmd string // its address: talks with it are not held back

	mu   sync.Mutex // guards what follows
	side [2]bool    // who has dialled in this round: we, they
	both chan struct{}
}

// begin begins a round.
func (m *meetingNetwork) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.side, m.both = [2]bool{}, make(chan struct{})
}

// met tells whether both sides have dialled in this round.
func (m *meetingNetwork) met() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.side == [2]bool{true, true}
}

// meet waits for the other side, if a round has begun.
func (m *meetingNetwork) meet(side int) {
	m.mu.Lock()
	if m.both == nil {
		m.mu.Unlock()
		return
	}
	first := !m.side[side]
	m.side[side] = true
	both := m.both
	if first && m.side[1-side] {
		close(both)
	}
	m.mu.Unlock()
	select {
	case <-both:
	case <-time.After(limit):
	}
	time.Sleep(rand.N(2 * time.Millisecond))
}

func (m *meetingNetwork) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil && address != m.epmd {
		m.meet(0)
	}
	return conn, err
}

func (m *meetingNetwork) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, network, address)
	return meetingListener{listener, m}, err
}

type meetingListener struct {
	net.Listener
	network *meetingNetwork
}

func (l meetingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.network.meet(1)
	}
	return conn, err
}

// TestBothDialAtOnce has both sides dial each other at once, 100 times: every
// round must end with one connection, seen as one nodeup by each side, that works
// in both directions. The comparison of the names decides whose dial goes on, so
// there is a run for each outcome.
func TestBothDialAtOnce(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		for _, name := range []string{"a_go@127.0.0.1", "z_go@127.0.0.1"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				network := new(meetingNetwork)
				p := startPair(t, release, beam.Options{}, truss.Config{Name: name, Network: network})
				network.epmd = fmt.Sprintf("127.0.0.1:%d", p.epmd)
				watcher := p.beam.Spawn()
				watcher.MustEval(t, "net_kernel:monitor_nodes(true, [{node_type, all}])")
				next := events(t, p.node)
				for round := range 100 {
					network.begin()
					bothDial(t, p, watcher, next, round)
					if !network.met() {
						t.Fatalf("round %d: only one side dialled", round)
					}
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
