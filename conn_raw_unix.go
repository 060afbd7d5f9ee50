//go:build unix

package truss

import (
	"cmp"
	"errors"
	"io"
	"net"
	"runtime"
	"syscall"

	"github.com/truss-beam/truss/dist"
)

// openRaw makes the socket one that is read and written without waiting, if it is of
// a kind that can: a TCP connection, without TLS.
func (c *conn) openRaw() {
	tcp, ok := c.socket.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	c.raw = raw
	c.frames.from = &c.descriptor
}

// descriptor reads a socket without waiting. Owned as the connection's reading.
type descriptor struct {
	fd   uintptr
	most int // how much it is to read before it says that there is no more; zero for any amount
}

const spent = -1 // of descriptor.most

// errNoMore is the end of what has arrived by now.
var errNoMore = errors.New("nothing more has arrived")

func (d *descriptor) Read(b []byte) (int, error) {
	if d.most == spent {
		return 0, errNoMore
	}
	for {
		n, err := syscall.Read(int(d.fd), b)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return 0, errNoMore
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			if d.most > 0 {
				d.most = cmp.Or(max(d.most-n, 0), spent)
			}
			return n, nil
		}
	}
}

// readRaw is the reader goroutine's part: it reads each time something has arrived that
// nobody else has read yet. To try and to wait are one to RawConn, so that nothing can
// arrive unnoticed between the two.
func (c *conn) readRaw() error {
	defer c.sleeps()
	var failed error
	err := c.raw.Read(func(fd uintptr) bool {
		for {
			var found bool
			if found, failed = c.actOnAll(fd); failed != errNoMore {
				return true
			}
			if !c.lingers(found) {
				return false
			}
			runtime.Gosched()
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// actOnAll acts on what has arrived, and tells whether that was anything.
func (c *conn) actOnAll(fd uintptr) (found bool, err error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	c.descriptor.fd = fd
	before := c.received.Load()
	err = c.act(nil)
	return c.received.Load() > before, err
}

// actRaw acts on what has arrived, for p. c.reading is held.
func (c *conn) actRaw(p *Process, fd uintptr) error {
	c.descriptor.fd = fd
	if err := c.act(p); err != errNoMore {
		return err
	}
	return nil
}

// tryWrite writes as much of a batch as needs no waiting.
func (c *conn) tryWrite(batch *dist.Buffer) (n int) {
	chunks := batch.Chunks(nil)
	_ = c.raw.Write(func(fd uintptr) bool { // an error is the writer goroutine's to meet
		for _, chunk := range chunks {
			k, err := syscall.Write(int(fd), chunk)
			n += max(k, 0)
			if err != nil || k < len(chunk) {
				break
			}
		}
		return true
	})
	return n
}
