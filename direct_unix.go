//go:build unix

package truss

import (
	"errors"
	"net"
	"syscall"
)

// direct writes a socket without ever waiting for it. It belongs to whoever is
// writing its connection.
type direct struct {
	raw syscall.RawConn
	try func(fd uintptr) bool // made once: a closure per write would allocate

	data []byte
	n    int
	err  error
}

// newDirect returns nil for what is not a socket of the operating system.
func newDirect(socket net.Conn) *direct {
	s, ok := socket.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	d := &direct{raw: raw}
	d.try = func(fd uintptr) bool {
		d.n, d.err = syscall.Write(int(fd), d.data)
		return true // do not wait
	}
	return d
}

// write returns how much the socket took; that it took less than all is no error.
func (d *direct) write(data []byte) (int, error) {
	d.data = data
	err := d.raw.Write(d.try)
	d.data = nil
	if err != nil {
		return 0, err
	}
	if errors.Is(d.err, syscall.EAGAIN) || errors.Is(d.err, syscall.EINTR) {
		return 0, nil
	}
	return max(d.n, 0), d.err
}
