package truss

import (
	"errors"
	"net"
	"slices"
	"sync"

	"github.com/truss-beam/truss/dist"
)

// errNotAllowed is the refusal of a peer that Config.Allow leaves out.
var errNotAllowed = errors.Join(dist.ErrNotAllowed, errors.New("Config.Allow does not name it"))

// allows tells whether Config.Allow lets this node be connected to peer, which
// may be a host alone if it asks for a name.
func (n *Node) allows(peer string) bool {
	if n.config.Allow == nil {
		return true
	}
	_, host, full := dist.SplitName(peer)
	if !full {
		host = peer
	}
	return slices.Contains(n.config.Allow, peer) || slices.Contains(n.config.Allow, host)
}

// cookie is the cookie shared with peer.
func (n *Node) cookie(peer string) string {
	if cookie, ok := n.config.Cookies[peer]; ok {
		return cookie
	}
	return n.config.Cookie
}

// maxHandshakes is how many incoming handshakes may be under way. Each holds a
// socket, a goroutine and up to a few KiB, for at most four steps of SetupTime.
// A cluster of a thousand nodes that restarts at once stays well below, for a
// handshake takes a millisecond.
const maxHandshakes = 512

// admission bounds the incoming handshakes under way. Beyond the bound the
// oldest is cut: a flood of connections that say nothing must not keep out one
// that does, which needs only a moment.
type admission struct {
	mu      sync.Mutex
	pending []net.Conn // oldest first
}

// enter admits a connection; leave must be called when its handshake is over.
func (a *admission) enter(socket net.Conn) (leave func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.pending) >= maxHandshakes {
		_ = a.pending[0].Close()
		a.pending = a.pending[1:]
	}
	a.pending = append(a.pending, socket)
	return func() { a.leave(socket) }
}

func (a *admission) leave(socket net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.Index(a.pending, socket); i >= 0 {
		a.pending = slices.Delete(a.pending, i, i+1)
	}
}
