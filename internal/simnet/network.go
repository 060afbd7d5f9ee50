package simnet

import (
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// Options set up a Network; the zero value is an instant, faultless one.
type Options struct {
	// Buffer is how many bytes each direction of a connection holds before its
	// writer waits. Default 64 KiB. With a latency it is the TCP window too:
	// 64 KiB at 100 ms is at most 640 KiB/s.
	Buffer int
	// Link is what lies between any two hosts until SetLink says otherwise.
	// A host's traffic with itself is always instant.
	Link Link
}

// Link describes one direction of the way between two hosts.
type Link struct {
	Latency   time.Duration // one way; a dial takes two of them
	Bandwidth int           // bytes per second and connection; 0 means no limit
}

// Network is a set of hosts and the state of the ways between them.
// Its methods may be called from any goroutine.
type Network struct {
	buffer int
	normal Link

	// mu guards everything below and what hosts and listeners say it guards.
	// It is taken before a link's own mutex, never after.
	mu      sync.Mutex
	addrs   map[netip.Addr]*Host
	names   map[string]*Host
	links   map[*link]struct{}
	shapes  map[way]Link
	blocked map[way]bool
	group   map[*Host]int // Partition's groups from 1; 0 is everybody else
	changed chan struct{} // closed and replaced whenever a waiting dial should look again
}

// way is one direction between two hosts.
type way struct{ from, to *Host }

// New makes an empty network.
func New(o Options) *Network {
	if o.Buffer <= 0 {
		o.Buffer = 64 << 10
	}
	return &Network{
		buffer:  o.Buffer,
		normal:  o.Link,
		addrs:   make(map[netip.Addr]*Host),
		names:   make(map[string]*Host),
		links:   make(map[*link]struct{}),
		shapes:  make(map[way]Link),
		blocked: make(map[way]bool),
		group:   make(map[*Host]int),
		changed: make(chan struct{}),
	}
}

// Host returns the host that has these IP addresses and names, and adds it to
// the network if it is new. An argument that is not an IP address is a name
// that Dial and LookupHost resolve. It panics if there is no address, if an
// address is loopback or unspecified (every host has its own loopback), or if
// the arguments belong to different hosts.
func (n *Network) Host(ids ...string) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	var h *Host
	for _, id := range ids {
		if known := n.find(id); known != nil {
			if h != nil && h != known {
				panic(fmt.Sprintf("simnet: %v belong to different hosts", ids))
			}
			h = known
		}
	}
	if h == nil {
		h = &Host{net: n, nextPort: firstPort, listeners: make(map[*listener]struct{})}
	}
	for _, id := range ids {
		n.claim(h, id)
	}
	if len(h.addrs) == 0 {
		panic(fmt.Sprintf("simnet: host %v has no IP address", ids))
	}
	return h
}

// claim gives h one more address or name, unless it has it already.
func (n *Network) claim(h *Host, id string) {
	if n.find(id) == h {
		return
	}
	ip, err := netip.ParseAddr(id)
	if err != nil {
		n.names[id] = h
		return
	}
	if ip.IsLoopback() || ip.IsUnspecified() {
		panic("simnet: a host cannot be given the address " + id)
	}
	ip = plain(ip)
	n.addrs[ip] = h
	h.addrs = append(h.addrs, ip)
}

// find returns the host with this address or name, or nil. Needs n.mu.
func (n *Network) find(id string) *Host {
	if ip, err := netip.ParseAddr(id); err == nil {
		return n.addrs[plain(ip)]
	}
	return n.names[id]
}

// must is find for the arguments of a test script, where a name nobody has is a mistake.
func (n *Network) must(id string) *Host {
	h := n.find(id)
	if h == nil {
		panic(fmt.Sprintf("simnet: no host %q", id))
	}
	return h
}

// plain removes what makes equal addresses look different.
func plain(ip netip.Addr) netip.Addr { return ip.Unmap().WithZone("") }

// Conns counts the connections between two hosts, those waiting to be accepted
// included. One counts as long as either end believes in it, that is has
// neither closed it nor seen it reset.
func (n *Network) Conns(a, b string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := 0
	for l := range n.between(n.must(a), n.must(b)) {
		if l.believed() {
			count++
		}
	}
	return count
}

// between yields the links that join two hosts, whichever dialled. Needs n.mu.
func (n *Network) between(a, b *Host) func(func(*link) bool) {
	return func(yield func(*link) bool) {
		for l := range n.links {
			from, to := l.ends[0].host, l.ends[1].host
			if (from == a && to == b || from == b && to == a) && !yield(l) {
				return
			}
		}
	}
}

// forget drops a link both of whose ends are closed.
func (n *Network) forget(l *link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.links, l)
}

// notify makes every waiting dial look again. Needs n.mu.
func (n *Network) notify() {
	close(n.changed)
	n.changed = make(chan struct{})
}
