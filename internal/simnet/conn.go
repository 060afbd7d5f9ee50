package simnet

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// conn is one end of a connection: a net.Conn that also has CloseWrite.
type conn struct {
	link          *link
	host          *Host
	peer          *conn
	out           *half // where this end writes; it reads peer.out
	local, remote net.Addr

	// Guarded by link.mu.
	closed  bool // this end was closed or killed
	shut    bool // CloseWrite was called
	reset   bool // an RST has arrived
	broken  bool // the peer answered our bytes with an RST after it had closed
	writing bool // a Write is under way; the next waits, so that none interleave
	readBy  deadline
	writeBy deadline
}

// Read reads what has arrived, and waits if nothing has. What arrived before a
// reset or the peer's close is still readable, as on Linux.
func (c *conn) Read(b []byte) (int, error) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	in := c.peer.out
	for {
		switch {
		case c.closed:
			return 0, c.fail("read", net.ErrClosed)
		case c.readBy.expired:
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		case len(b) == 0:
			return 0, nil
		case in.ready.Len() > 0:
			return in.take(b), nil
		case c.reset:
			return 0, c.fail("read", os.NewSyscallError("read", syscall.ECONNRESET))
		case in.fin:
			return 0, io.EOF
		}
		in.cond.Wait()
	}
}

// Write sends b whole, waiting for room. Writes do not interleave.
func (c *conn) Write(b []byte) (int, error) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	for c.writing {
		if err := c.writeError(); err != nil {
			return 0, err
		}
		c.out.cond.Wait()
	}
	c.writing = true
	defer func() {
		c.writing = false
		c.out.cond.Broadcast()
	}()
	sent := 0
	for {
		if err := c.writeError(); err != nil {
			return sent, err
		}
		k := min(len(b)-sent, c.out.room())
		if k > 0 {
			c.out.send(b[sent:sent+k], none)
			sent += k
		}
		if sent == len(b) {
			return sent, nil
		}
		if k == 0 {
			c.out.cond.Wait()
		}
	}
}

// writeError is why this end cannot write now, nil if it can.
func (c *conn) writeError() error {
	switch {
	case c.closed:
		return c.fail("write", net.ErrClosed)
	case c.writeBy.expired:
		return c.fail("write", os.ErrDeadlineExceeded)
	case c.reset:
		return c.fail("write", os.NewSyscallError("write", syscall.ECONNRESET))
	case c.shut, c.broken:
		return c.fail("write", os.NewSyscallError("write", syscall.EPIPE))
	}
	return nil
}

// CloseWrite ends this direction; the other can still be read.
func (c *conn) CloseWrite() error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	switch {
	case c.closed:
		return c.fail("close", net.ErrClosed)
	case c.reset:
		return c.fail("close", os.NewSyscallError("shutdown", syscall.ENOTCONN))
	case !c.shut:
		c.shut = true
		c.out.send(nil, fin)
	}
	return nil
}

// Close sends what was written and ends the connection; with unread bytes it
// resets it instead.
func (c *conn) Close() error {
	c.link.mu.Lock()
	if c.closed {
		c.link.mu.Unlock()
		return c.fail("close", net.ErrClosed)
	}
	if c.peer.out.ready.Len() > 0 {
		c.kill()
	} else {
		if !c.shut && !c.reset {
			c.out.send(nil, fin)
		}
		c.end()
	}
	done := c.peer.closed
	c.link.mu.Unlock()
	// Taken one after the other: the network's mutex comes before the link's.
	if done {
		c.link.net.forget(c.link)
	}
	return nil
}

// kill closes this end without manners: what has not arrived is lost and the
// peer gets an RST. Needs link.mu.
func (c *conn) kill() {
	if c.closed {
		return
	}
	c.end()
	if !c.reset {
		c.out.drop()
		c.out.send(nil, rst)
	}
}

// abort is Close with an RST, for Faulty.
func (c *conn) abort() {
	c.link.mu.Lock()
	c.kill()
	done := c.peer.closed
	c.link.mu.Unlock()
	if done {
		c.link.net.forget(c.link)
	}
}

// end marks this end closed and wakes whoever waits on it. Needs link.mu.
func (c *conn) end() {
	c.closed = true
	c.readBy.stop()
	c.writeBy.stop()
	c.wake()
}

// receiveReset is the arrival of an RST. Needs link.mu.
func (c *conn) receiveReset() {
	c.reset = true
	c.out.drop()
	c.wake()
}

func (c *conn) wake() {
	c.out.cond.Broadcast()
	c.peer.out.cond.Broadcast()
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *conn) SetDeadline(t time.Time) error { return c.setDeadlines(t, &c.readBy, &c.writeBy) }

// SetReadDeadline makes reads fail with os.ErrDeadlineExceeded from t on.
func (c *conn) SetReadDeadline(t time.Time) error { return c.setDeadlines(t, &c.readBy) }

// SetWriteDeadline makes writes fail with os.ErrDeadlineExceeded from t on.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.setDeadlines(t, &c.writeBy) }

func (c *conn) setDeadlines(t time.Time, which ...*deadline) error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.closed {
		return c.fail("set", net.ErrClosed)
	}
	for _, d := range which {
		d.set(t, c)
	}
	return nil
}

func (c *conn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// deadline is a moment after which one kind of operation fails. Guarded by link.mu.
type deadline struct {
	expired bool
	timer   *time.Timer
	version int // a timer that was stopped too late finds that it is an old one
}

func (d *deadline) set(t time.Time, c *conn) {
	d.stop()
	d.expired = false
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.expired = true
		c.wake()
		return
	}
	version := d.version
	d.timer = time.AfterFunc(wait, func() {
		c.link.mu.Lock()
		defer c.link.mu.Unlock()
		if d.version == version {
			d.expired = true
			c.wake()
		}
	})
}

func (d *deadline) stop() {
	d.version++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil // a connection has a deadline in its handshake, and then for days none
	}
}
