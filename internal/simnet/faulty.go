package simnet

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Faults are what [Faulty] does to a connection; the zero value does nothing.
type Faults struct {
	// CutAfterWrite and CutAfterRead break the connection, with an RST where it
	// is a simnet or TCP connection, as soon as that many bytes have passed. The
	// call that carries the last of them still returns them; if it had more to
	// write it returns ECONNRESET too. 0 means never.
	CutAfterWrite, CutAfterRead int
	// WritePiece and ReadPiece are the most bytes one write or read below
	// passes on: 1 gives a parser every possible boundary. 0 means no limit.
	WritePiece, ReadPiece int
	// WriteDelay passes before each piece is written.
	WriteDelay time.Duration
}

// Faulty wraps a connection, also a real one, so that it misbehaves. Writes of
// several goroutines do not interleave, in however many pieces they go out.
func Faulty(c net.Conn, f Faults) net.Conn {
	return &faultyConn{Conn: c, faults: f, turn: make(chan struct{}, 1), closing: make(chan struct{})}
}

type faultyConn struct {
	net.Conn
	faults  Faults
	turn    chan struct{} // holds one token while a Write is under way
	closing chan struct{} // closed by the first Close or cut
	written int           // owned by who holds turn

	mu     sync.Mutex // guards what follows, and is never held while waiting
	read   int
	cut    bool // the fault has struck
	closed bool // Close was called
}

// Write passes b on piece by piece.
func (c *faultyConn) Write(b []byte) (int, error) {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	sent := 0
	for {
		piece := b[sent:]
		if limit := c.faults.WritePiece; limit > 0 && len(piece) > limit {
			piece = piece[:limit]
		}
		if limit := c.faults.CutAfterWrite; limit > 0 {
			piece = piece[:min(len(piece), limit-c.written)]
		}
		c.pause()
		n, err := c.Conn.Write(piece)
		sent += n
		c.written += n
		if err != nil {
			return sent, c.explain("write", err)
		}
		if c.faults.CutAfterWrite > 0 && c.written >= c.faults.CutAfterWrite {
			c.strike()
		}
		if sent == len(b) {
			return sent, nil
		}
	}
}

// Read reads at most a piece.
func (c *faultyConn) Read(b []byte) (int, error) {
	if limit := c.faults.ReadPiece; limit > 0 && len(b) > limit {
		b = b[:limit]
	}
	if limit := c.faults.CutAfterRead; limit > 0 {
		c.mu.Lock()
		b = b[:max(0, min(len(b), limit-c.read))]
		c.mu.Unlock()
	}
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	c.read += n
	over := c.faults.CutAfterRead > 0 && c.read >= c.faults.CutAfterRead
	c.mu.Unlock()
	if over && n > 0 {
		c.strike()
	}
	return n, c.explain("read", err)
}

// pause waits for WriteDelay, or until the connection is closed.
func (c *faultyConn) pause() {
	if c.faults.WriteDelay <= 0 {
		return
	}
	t := time.NewTimer(c.faults.WriteDelay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.closing:
	}
}

// Close closes the connection below and ends a pause.
func (c *faultyConn) Close() error {
	c.mu.Lock()
	first := !c.closed && !c.cut
	afterCut := c.cut && !c.closed
	c.closed = true
	c.mu.Unlock()
	if first {
		close(c.closing)
	}
	if afterCut {
		return nil // the connection below is closed already, which is not the caller's mistake
	}
	return c.Conn.Close()
}

// CloseWrite passes on what TCP has and net.Conn lacks.
func (c *faultyConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// strike breaks the connection as rudely as its kind allows.
func (c *faultyConn) strike() {
	c.mu.Lock()
	first := !c.cut && !c.closed
	c.cut = true
	c.mu.Unlock()
	if !first {
		return
	}
	close(c.closing)
	switch below := c.Conn.(type) {
	case *conn:
		below.abort()
	case *net.TCPConn:
		below.SetLinger(0) // makes Close send an RST
		below.Close()
	default:
		below.Close()
	}
}

// explain turns the "closed" that strike left below into the reset it stands for.
func (c *faultyConn) explain(op string, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil || err == io.EOF || !c.cut || c.closed {
		return err
	}
	return &net.OpError{
		Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(),
		Err: os.NewSyscallError(op, syscall.ECONNRESET),
	}
}
