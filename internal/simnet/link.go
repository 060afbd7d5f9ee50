package simnet

import (
	"net/netip"
	"sync"
)

// link is one connection: two ends, and the half pipe each writes into. One mutex
// guards both directions, since a reset touches both and a test network has no
// contention worth two.
type link struct {
	net  *Network
	mu   sync.Mutex
	ends [2]*conn
}

// join connects two hosts. Needs n.mu.
func (n *Network) join(from, to *Host, local, remote netip.AddrPort) (near, far *conn) {
	l := &link{net: n}
	near = &conn{link: l, host: from, local: tcpAddr(local), remote: tcpAddr(remote)}
	far = &conn{link: l, host: to, local: tcpAddr(remote), remote: tcpAddr(local)}
	near.peer, far.peer = far, near
	near.out = newHalf(near, n.buffer, n.shape(from, to))
	far.out = newHalf(far, n.buffer, n.shape(to, from))
	l.ends = [2]*conn{near, far}
	n.links[l] = struct{}{}
	return near, far
}

// cut resets both ends.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.ends {
		c.out.drop()
		c.receiveReset()
	}
}

// kill closes the ends that are a dead host's.
func (l *link) kill(h *Host) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.ends {
		if c.host == h {
			c.kill()
		}
	}
}

// done says whether nobody can use the connection any more.
func (l *link) done() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ends[0].closed && l.ends[1].closed
}

// believed says whether either end still takes the connection for good.
func (l *link) believed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.ends {
		if !c.closed && !c.reset {
			return true
		}
	}
	return false
}
