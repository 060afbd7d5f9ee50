package interop

import (
	"context"
	"net"
	"sync"
	"time"
)

// gatedNetwork is the real network, but for a cable that a test can pull: then no
// byte passes, in either direction, and nobody is told. Not even that this side
// closes a connection reaches the other before the cable is back.
type gatedNetwork struct {
	mu   sync.Mutex
	open chan struct{} // closed while bytes pass
}

func newGatedNetwork() *gatedNetwork {
	g := &gatedNetwork{open: make(chan struct{})}
	close(g.open)
	return g
}

func (g *gatedNetwork) pull() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = make(chan struct{})
}

func (g *gatedNetwork) plug() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
	default:
		close(g.open)
	}
}

func (g *gatedNetwork) passes() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

func (g *gatedNetwork) wrap(c net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return &gatedConn{Conn: c, gate: g, closed: make(chan struct{})}, nil
}

func (g *gatedNetwork) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return g.wrap(new(net.Dialer).DialContext(ctx, network, address))
}

func (g *gatedNetwork) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return gatedListener{Listener: l, gate: g}, nil
}

type gatedListener struct {
	net.Listener
	gate *gatedNetwork
}

func (l gatedListener) Accept() (net.Conn, error) { return l.gate.wrap(l.Listener.Accept()) }

type gatedConn struct {
	net.Conn
	gate   *gatedNetwork
	once   sync.Once
	closed chan struct{}
}

// pass waits until bytes pass.
func (c *gatedConn) pass() error {
	select {
	case <-c.gate.passes():
		return nil
	case <-c.closed:
		return net.ErrClosed
	}
}

func (c *gatedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if problem := c.pass(); problem != nil {
		return 0, problem
	}
	return n, err
}

func (c *gatedConn) Write(b []byte) (int, error) {
	if err := c.pass(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

func (c *gatedConn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		select {
		case <-c.gate.passes():
			_ = c.Conn.Close()
		default:
			_ = c.Conn.SetReadDeadline(time.Unix(1, 0)) // nobody reads any more
			go func() {
				<-c.gate.passes()
				_ = c.Conn.Close()
			}()
		}
	})
	return nil
}
