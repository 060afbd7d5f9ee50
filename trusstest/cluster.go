package trusstest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/internal/simnet"
)

// Cluster is some nodes on an in-memory network, each on a host of its own.
// Make it inside the synctest bubble, if there is one.
type Cluster struct {
	t     testing.TB
	net   *simnet.Network
	hosts map[string]*host
}

// host is one machine, with the node that runs on it, if one does.
type host struct {
	sim  *simnet.Host
	addr string
	node *truss.Node
}

// New makes an empty cluster that is closed when the test ends.
func New(t testing.TB) *Cluster {
	c := &Cluster{t: t, net: simnet.New(simnet.Options{}), hosts: make(map[string]*host)}
	return c
}

// Start starts a node called name@10.0.0.N on a new host, or anew on the host it
// had before. configure may change what New would give it.
func (c *Cluster) Start(name string, configure ...func(*truss.Config)) *truss.Node {
	c.t.Helper()
	node, err := c.TryStart(name, configure...)
	if err != nil {
		c.t.Fatalf("start %s: %v", name, err)
	}
	return node
}

// TryStart is Start for a node that may not start.
func (c *Cluster) TryStart(name string, configure ...func(*truss.Config)) (*truss.Node, error) {
	h := c.hosts[name]
	if h == nil {
		addr := fmt.Sprintf("10.0.%d.%d", len(c.hosts)/250, len(c.hosts)%250+1)
		h = &host{sim: c.net.Host(addr, name), addr: addr}
		c.hosts[name] = h
	}
	config := truss.Config{
		Name:    name + "@" + h.addr,
		Cookie:  "trusstest",
		Network: h.sim,
		Logger:  slog.New(slog.DiscardHandler),
	}
	for _, f := range configure {
		f(&config)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	node, err := truss.Start(ctx, config)
	if err != nil {
		return nil, err
	}
	h.node = node
	c.t.Cleanup(func() { _ = node.Close() }) // what a test wants to know of Close it asks itself
	return node, nil
}

// Connect connects every node given to every other.
func (c *Cluster) Connect(nodes ...*truss.Node) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for i, a := range nodes {
		for _, b := range nodes[i+1:] {
			if err := a.Connect(ctx, b.Name()); err != nil {
				c.t.Fatal(err)
			}
		}
	}
}

// Partition cuts the named nodes off from the others, without either side being
// told: bytes stop flowing until Heal, as if a cable were pulled.
func (c *Cluster) Partition(names ...string) {
	c.t.Helper()
	var group []string
	for _, name := range names {
		group = append(group, c.host(name).addr)
	}
	c.net.Partition(group)
}

// Heal ends all partitions.
func (c *Cluster) Heal() { c.net.Heal() }

// Crash ends a node as the loss of its machine's power would, but for the RSTs
// that tell its peers at once.
func (c *Cluster) Crash(name string) {
	c.t.Helper()
	h := c.host(name)
	h.sim.Kill()
	_ = h.node.Close() // its goroutines must end, though nobody hears of it
}

// Dial opens a connection from a node's host, to play a peer that is none.
func (c *Cluster) Dial(from, addr string) (net.Conn, error) {
	c.t.Helper()
	return c.host(from).sim.Dial(context.Background(), "tcp", addr)
}

// Conns is the number of network connections between two nodes' hosts.
func (c *Cluster) Conns(a, b string) int {
	c.t.Helper()
	return c.net.Conns(c.host(a).addr, c.host(b).addr)
}

func (c *Cluster) host(name string) *host {
	c.t.Helper()
	h := c.hosts[name]
	if h == nil {
		c.t.Fatalf("trusstest: no node %s was started", name)
	}
	return h
}
