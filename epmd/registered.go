package epmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Registration is what a node tells epmd about itself.
type Registration struct {
	Name   string // the part before the @
	Port   uint16 // where the node listens
	Hidden bool

	// The range of distribution versions. Both 0: 6 and 5, which is what OTP 25 to
	// 29 register (their documentation says 6 and 6).
	High, Low uint16

	Extra []byte // free, at most 1020 bytes
}

func (r Registration) request() (aliveRequest, error) {
	if !validName(r.Name) || strings.Contains(r.Name, "@") {
		return aliveRequest{}, fmt.Errorf("%w name %q: it is the part before the @, 1 to 255 characters of UTF-8 without NUL", ErrInvalid, r.Name)
	}
	if len(r.Extra) > maxExtra {
		return aliveRequest{}, fmt.Errorf("%w extra: %d bytes, %d are possible", ErrInvalid, len(r.Extra), maxExtra)
	}
	req := aliveRequest{port: r.Port, nodeType: nodeNormal, high: r.High, low: r.Low, name: r.Name, extra: string(r.Extra)}
	if r.Hidden {
		req.nodeType = nodeHidden
	}
	if req.high == 0 && req.low == 0 {
		req.high, req.low = 6, 5
	}
	return req, nil
}

// Registered is a name held at an epmd. It lasts until Close, or until epmd ends it.
type Registered struct {
	creation uint32
	conn     net.Conn
	done     chan struct{} // closed by watch, after err is set
	err      error

	closing sync.Once
	closed  chan struct{} // Close was called: what ends the connection is us
}

// Register registers a name at the epmd of a host, which has to be this host:
// others refuse (ErrRefused). The error is ErrNameTaken if somebody holds it.
// ctx bounds the registering, not the registration.
func (c *Client) Register(ctx context.Context, host string, r Registration) (*Registered, error) {
	req, err := r.request()
	if err != nil {
		return nil, err
	}
	reg := &Registered{done: make(chan struct{}), closed: make(chan struct{})}
	reg.conn, err = c.converse(ctx, host, req.append(nil), func(r io.Reader) (err error) {
		reg.creation, err = readAliveReply(r)
		return err
	})
	if errors.Is(err, ErrNameTaken) {
		return nil, fmt.Errorf("%w: %s is registered by another program (%v)", ErrNameTaken, r.Name, err)
	}
	if err != nil {
		return nil, err
	}
	go reg.watch()
	return reg, nil
}

// watch waits for the end of the connection; epmd never says anything on it.
func (r *Registered) watch() {
	var one [1]byte
	_, err := r.conn.Read(one[:])
	r.conn.Close()
	select {
	case <-r.closed:
		err = net.ErrClosed
	default:
		if err == nil {
			err = fmt.Errorf("%w: it spoke on a registration", ErrProtocol)
		}
		err = fmt.Errorf("epmd at %s ended the registration: %w", r.conn.RemoteAddr(), err)
	}
	r.err = err
	close(r.done)
}

// Creation is the number that tells this incarnation of the node from others.
func (r *Registered) Creation() uint32 { return r.creation }

// Done is closed when the name is no longer registered.
func (r *Registered) Done() <-chan struct{} { return r.done }

// Err says why, once Done is closed: net.ErrClosed after Close, otherwise what
// ended it. Before, it is nil.
func (r *Registered) Err() error {
	select {
	case <-r.done:
		return r.err
	default:
		return nil
	}
}

// closeLimit is how long Close waits for epmd to confirm. It does so within a
// millisecond; one that is stuck must not keep a program from ending.
const closeLimit = time.Second

// Close gives the name up. When it returns the name is free: closing the
// connection alone leaves it taken until epmd has noticed, so Close only says
// that nothing more will come, and waits for epmd to close its side in turn.
func (r *Registered) Close() error {
	r.closing.Do(func() { close(r.closed) })
	if half, ok := r.conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = r.conn.SetReadDeadline(time.Now().Add(closeLimit)) // ends watch's Read
	} else {
		r.conn.Close()
	}
	<-r.done
	return nil
}
