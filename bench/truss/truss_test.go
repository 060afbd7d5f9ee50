package main

import (
	"context"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/epmd"
)

// counting is TCP that counts the bytes of the connections it dialled.
type counting struct{ written, read atomic.Int64 }

func (*counting) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, network, address)
}

func (c *counting) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	return &countedConn{conn, c}, err
}

type countedConn struct {
	net.Conn
	to *counting
}

func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.to.written.Add(int64(n))
	return n, err
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.to.read.Add(int64(n))
	return n, err
}

// countedNode starts a node, connected to the peer, whose bytes are counted.
func countedNode(t *testing.T, j contender.Job) (*truss.Node, *counting) {
	t.Helper()
	network := &counting{}
	node, err := start(j, "counted@127.0.0.1", func(c *truss.Config) { c.Network = network })
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Connect(context.Background(), j.Peer); err != nil {
		t.Fatal(err)
	}
	return node, network
}

func job(t *testing.T) contender.Job {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	server := &epmd.Server{Logger: slog.New(slog.DiscardHandler)}
	go func() { served <- server.Serve(ctx, listener) }()
	t.Cleanup(func() { cancel(); <-served })
	j := contender.Job{EPMD: listener.Addr().(*net.TCPAddr).Port, Name: "server@127.0.0.1", Payload: "tuple", Count: 100, Senders: 2, Warmup: 4}
	if j.Peer, err = serve(j); err != nil {
		t.Fatal(err)
	}
	return j
}

func TestScenarios(t *testing.T) {
	j := job(t)
	for i, scenario := range []string{"send", "rtt", "call", "erpc"} {
		j.Scenario, j.Name = scenario, "driver"+string(rune('a'+i))+"@127.0.0.1"
		f, err := drive(j)
		if err != nil || f["count"] != 100 {
			t.Errorf("%s: %v, %v", scenario, f, err)
		}
	}
	j.Scenario, j.Size, j.Count, j.Name = "mixed", 200_000, 5, "driverx@127.0.0.1"
	if f, err := drive(j); err != nil || f["trips"] < 1 {
		t.Errorf("mixed: %v, %v", f, err)
	}
	j.Scenario, j.Subs, j.Count, j.Name = "broadcast", 3, 5, "drivery@127.0.0.1"
	if f, err := drive(j); err != nil || f["count"] != 5 {
		t.Errorf("broadcast to a peer: %v, %v", f, err)
	}
	local := j
	local.Peer, local.Payload, local.Name = "", "processes", "driverz@127.0.0.1"
	if f, err := drive(local); err != nil || f["count"] != 5 {
		t.Errorf("broadcast to processes of its own: %v, %v", f, err)
	}
	j.Scenario, j.Count, j.Name = "mesh", 4, "driver@127.0.0.1"
	if f, err := drive(j); err != nil || f["links"] != 6 {
		t.Errorf("mesh: %v, %v", f, err)
	}
}

// The floor, bench/tcp, writes as many bytes for a small tuple as Truss does:
// 59, give or take how a pid's numbers and the counter are encoded.
func TestOverhead(t *testing.T) {
	j := job(t)
	node, network := countedNode(t, j)
	const n = 20_000
	j.Senders = 1
	before := network.written.Load()
	receipt, err := flow(node, j, n, nil)
	if err != nil || receipt != contender.Expected("tuple", 1, n) {
		t.Fatalf("%+v, %v", receipt, err)
	}
	each := float64(network.written.Load()-before) / n
	if each < 55 || each > 63 {
		t.Errorf("a small tuple takes %.1f bytes, and 59 in bench/tcp", each)
	}
}

// Nor are its calls shorter than Truss's, or longer.
func TestCallBytes(t *testing.T) {
	j := job(t)
	node, network := countedNode(t, j)
	for _, c := range []struct {
		name           string
		call           func(context.Context, *truss.Process) error
		request, reply int64
	}{
		{"call", calcCall(j.Peer), 202, 84},
		{"erpc", erpcCall(j.Peer), 124, 162},
	} {
		err := within(node, func(ctx context.Context, p *truss.Process) error {
			const n = 1000
			written, read := network.written.Load(), network.read.Load()
			for range n {
				if err := c.call(ctx, p); err != nil {
					return err
				}
			}
			written, read = (network.written.Load()-written)/n, (network.read.Load()-read)/n
			if max(written-c.request, c.request-written) > 5 || max(read-c.reply, c.reply-read) > 5 {
				t.Errorf("%s: %d bytes to ask and %d to answer, and %d and %d in bench/tcp", c.name, written, read, c.request, c.reply)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
