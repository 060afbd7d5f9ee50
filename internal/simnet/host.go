package simnet

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// The range IANA keeps for ephemeral ports; each host hands them out in order,
// so that a test's addresses are the same in every run.
const firstPort, lastPort = 49152, 65535

// Host is one machine: its addresses, its own loopback, its listeners.
type Host struct {
	net *Network

	// Guarded by net.mu.
	addrs     []netip.Addr
	listeners map[*listener]struct{}
	nextPort  uint16
	lives     int // how often Kill was called: a dial begun in an earlier life fails
}

// String returns the host's first address.
func (h *Host) String() string { return h.Addrs()[0].String() }

// Addrs returns the host's addresses, without loopback, in the order given.
func (h *Host) Addrs() []netip.Addr {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	return append([]netip.Addr(nil), h.addrs...)
}

// LookupHost resolves a name of the network, as net.Resolver.LookupHost does.
func (h *Host) LookupHost(_ context.Context, name string) ([]string, error) {
	ips, err := h.resolve("tcp", name)
	out := make([]string, len(ips))
	for i, ip := range ips {
		out[i] = ip.String()
	}
	return out, err
}

// Listen announces on one of the host's addresses, as net.ListenConfig.Listen
// does: network is "tcp", "tcp4" or "tcp6", an empty or unspecified host means
// every address and loopback, port 0 means any. It fails with EADDRINUSE or
// EADDRNOTAVAIL inside a *net.OpError.
func (h *Host) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	l := &listener{host: h, network: network}
	fail := func(err error) (net.Listener, error) {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: tcpAddr(l.at), Err: err}
	}
	if err := ctx.Err(); err != nil {
		return fail(ctxError(ctx))
	}
	at, err := h.listenAddr(network, address)
	if err != nil {
		return fail(err)
	}
	l.at = at
	l.cond.L = &h.net.mu
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if !at.Addr().IsUnspecified() && !h.owns(at.Addr()) {
		return fail(os.NewSyscallError("bind", syscall.EADDRNOTAVAIL))
	}
	if at.Port() == 0 {
		l.at = netip.AddrPortFrom(at.Addr(), h.freePort())
	}
	for other := range h.listeners {
		if l.overlaps(other) {
			return fail(os.NewSyscallError("bind", syscall.EADDRINUSE))
		}
	}
	h.listeners[l] = struct{}{}
	h.net.notify()
	return l, nil
}

// Dial connects to an address, as net.Dialer.DialContext does. A refused dial
// fails with ECONNREFUSED, an address no host has with EHOSTUNREACH; if the way
// is partitioned or the listener's backlog full, it waits until that changes or
// the context ends. A name with several addresses is tried in order.
func (h *Host) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	fail := func(to netip.AddrPort, err error) error {
		return &net.OpError{Op: "dial", Net: network, Addr: tcpAddr(to), Err: err}
	}
	host, port, err := splitAddr(network, address)
	if err != nil {
		return nil, fail(netip.AddrPort{}, err)
	}
	ips, err := h.resolve(network, host)
	if err != nil {
		return nil, fail(netip.AddrPort{}, err)
	}
	var first error
	for _, ip := range ips {
		to := netip.AddrPortFrom(ip, port)
		c, err := h.dial(ctx, to)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = fail(to, err)
		}
	}
	return nil, first
}

// dial sends SYNs to one address until one gets through or ctx ends. Waiting is
// on the network's changed channel, not on a retransmission timer: a dial that
// outlives a partition connects when it heals, where Linux takes up to its
// next retry (1, 3, 7 s).
func (h *Host) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	h.net.mu.Lock()
	life := h.lives
	h.net.mu.Unlock()
	travelled := false // a round trip has passed since the way was last seen open
	for {
		if ctx.Err() != nil {
			return nil, ctxError(ctx)
		}
		c, rtt, changed, err := h.attempt(to, life, travelled)
		if c != nil || err != nil {
			return c, err
		}
		if rtt > 0 {
			t := time.NewTimer(rtt)
			select {
			case <-t.C:
				travelled = true
			case <-ctx.Done():
				t.Stop()
			}
			continue
		}
		travelled = false
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// attempt is one look at the network: a connection, an error, a round trip to
// sit out first, or a channel to wait on.
func (h *Host) attempt(to netip.AddrPort, life int, travelled bool) (net.Conn, time.Duration, <-chan struct{}, error) {
	n := h.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if h.lives != life {
		return nil, 0, nil, net.ErrClosed
	}
	from, target, err := h.route(to.Addr())
	if err != nil {
		return nil, 0, nil, err
	}
	if !n.reaches(h, target) || !n.reaches(target, h) {
		return nil, 0, n.changed, nil
	}
	if rtt := n.shape(h, target).Latency + n.shape(target, h).Latency; rtt > 0 && !travelled {
		return nil, rtt, nil, nil
	}
	l := target.listening(to)
	if l == nil {
		return nil, 0, nil, os.NewSyscallError("connect", syscall.ECONNREFUSED)
	}
	if len(l.backlog) >= backlogSize {
		return nil, 0, n.changed, nil
	}
	near, far := n.join(h, target, netip.AddrPortFrom(from, h.freePort()), to)
	l.backlog = append(l.backlog, far)
	l.cond.Signal()
	return near, 0, nil, nil
}

// route finds who has an address and which of our own we speak to it from. Needs net.mu.
func (h *Host) route(to netip.Addr) (netip.Addr, *Host, error) {
	if to.IsLoopback() {
		if to.Is4() {
			// Linux speaks from 127.0.0.1 to all of 127.0.0.0/8.
			return netip.AddrFrom4([4]byte{127, 0, 0, 1}), h, nil
		}
		return to, h, nil
	}
	target := h.net.addrs[to]
	switch target {
	case nil:
		return netip.Addr{}, nil, os.NewSyscallError("connect", syscall.EHOSTUNREACH)
	case h:
		return to, h, nil
	}
	for _, own := range h.addrs {
		if own.Is4() == to.Is4() {
			return own, target, nil
		}
	}
	return netip.Addr{}, nil, os.NewSyscallError("connect", syscall.ENETUNREACH)
}

// listening returns the listener that takes connections to an address, the one
// bound to it before one bound to all. Needs net.mu.
func (h *Host) listening(to netip.AddrPort) *listener {
	for l := range h.listeners {
		if l.accepts(to) {
			return l // unique: Listen refuses overlaps
		}
	}
	return nil
}

// freePort returns the next ephemeral port nobody listens on. Needs net.mu.
func (h *Host) freePort() uint16 {
	for {
		p := h.nextPort
		if h.nextPort++; p == lastPort {
			h.nextPort = firstPort
		}
		if !h.taken(p) {
			return p
		}
	}
}

func (h *Host) taken(port uint16) bool {
	for l := range h.listeners {
		if l.at.Port() == port {
			return true
		}
	}
	return false
}

// owns says whether an address is the host's own. Needs net.mu.
func (h *Host) owns(ip netip.Addr) bool { return ip.IsLoopback() || h.net.addrs[ip] == h }

// Kill ends the host's program as SIGKILL would: its listeners are gone, its
// dials and connections fail with net.ErrClosed on its own side and
// ECONNRESET on the peers', as far as the network lets the RST through.
// The host can be used again at once, as by a restarted program.
func (h *Host) Kill() {
	n := h.net
	n.mu.Lock()
	defer n.mu.Unlock()
	h.lives++
	for l := range h.listeners {
		l.shut()
	}
	for l := range n.links {
		l.kill(h)
		if l.done() {
			delete(n.links, l)
		}
	}
	n.notify()
}
