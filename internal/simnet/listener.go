package simnet

import (
	"net"
	"net/netip"
	"sync"
)

// backlogSize is how many connections wait for Accept before dials wait too.
const backlogSize = 128

// listener is a net.Listener of one host. Its fields below at are guarded by the network's mu.
type listener struct {
	host    *Host
	network string
	at      netip.AddrPort

	cond    sync.Cond
	backlog []*conn
	closed  bool
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	n := l.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(l.backlog) == 0 && !l.closed {
		l.cond.Wait()
	}
	if l.closed {
		return nil, l.fail("accept")
	}
	c := l.backlog[0]
	l.backlog = l.backlog[1:]
	if len(l.backlog) == backlogSize-1 {
		n.notify()
	}
	return c, nil
}

// Close stops listening; connections not yet accepted are reset.
func (l *listener) Close() error {
	n := l.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if l.closed {
		return l.fail("close")
	}
	l.shut()
	return nil
}

// shut is Close for a listener that is open. Needs net.mu.
func (l *listener) shut() {
	l.closed = true
	delete(l.host.listeners, l)
	for _, c := range l.backlog {
		c.link.kill(l.host)
		if c.link.done() {
			delete(l.host.net.links, c.link)
		}
	}
	l.backlog = nil
	l.cond.Broadcast()
	l.host.net.notify()
}

func (l *listener) Addr() net.Addr { return tcpAddr(l.at) }

func (l *listener) fail(op string) error {
	return &net.OpError{Op: op, Net: l.network, Addr: l.Addr(), Err: net.ErrClosed}
}

// accepts says whether a connection to an address is this listener's.
func (l *listener) accepts(to netip.AddrPort) bool {
	return l.at.Port() == to.Port() && (l.at.Addr() == to.Addr() || l.any(to.Addr()))
}

// any says whether the listener is bound to all addresses of ip's family.
func (l *listener) any(ip netip.Addr) bool {
	return l.at.Addr().IsUnspecified() && family(l.network, ip)
}

// overlaps says whether two listeners would take the same connections, which
// Linux refuses even where one address is more specific.
func (l *listener) overlaps(o *listener) bool {
	if l.at.Port() != o.at.Port() {
		return false
	}
	a, b := l.at.Addr(), o.at.Addr()
	return a == b || l.any(b) || o.any(a)
}
