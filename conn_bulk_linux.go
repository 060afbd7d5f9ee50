package truss

import (
	"runtime"
	"syscall"
	"unsafe"
)

// Linux has one lock for a socket. A write of half a megabyte holds it for 150 µs, and
// whoever writes on takes it again before a reader that waits for it has got a processor:
// beside a 10 MB message, with two cores, one answer of fifty lay there for 1 to 5 ms.
// So while much is written the writer goroutine keeps all others from reading, and
// reads itself after each call.

// readsBulk is how much it reads then at most: the reader goroutine comes for the rest.
const readsBulk = 64 << 10

// writeBulk writes what is unwritten of the chunks.
func (c *conn) writeBulk() error {
	var failed error
	err := c.raw.Write(func(fd uintptr) bool {
		for len(c.unwritten) > 0 {
			n, err := c.writeAndRead(fd)
			c.unwritten = skip(c.unwritten, n)
			if err == syscall.EAGAIN {
				return false
			}
			if err != 0 && err != syscall.EINTR {
				failed = err
				return true
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	return failed
}

// writeAndRead writes as much of what is unwritten as needs no waiting, and then reads. While
// another reads as much as there is, it leaves that to it.
func (c *conn) writeAndRead(fd uintptr) (int, syscall.Errno) {
	reads := c.reading.TryLock()
	for range 10 { // most find nothing, and are done in a microsecond
		if reads {
			break
		}
		runtime.Gosched()
		reads = c.reading.TryLock()
	}
	n, errno := writev(fd, c.unwritten)
	if reads {
		c.descriptor.most = readsBulk
		err := c.actRaw(nil, fd)
		c.descriptor.most = 0
		c.reading.Unlock()
		if err != nil {
			c.fail(readError(err))
		}
	}
	return n, errno
}

// chunksPerCall is as many as may lie on the stack: fragments are few, and large.
const chunksPerCall = 64

// writev is the system call, for which package syscall has no function.
func writev(fd uintptr, chunks [][]byte) (int, syscall.Errno) {
	var vectors [chunksPerCall]syscall.Iovec
	chunks = chunks[:min(len(chunks), chunksPerCall)]
	for i, chunk := range chunks {
		vectors[i].Base = unsafe.SliceData(chunk)
		vectors[i].SetLen(len(chunk))
	}
	n, _, errno := syscall.Syscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&vectors)), uintptr(len(chunks)))
	if errno != 0 {
		n = 0
	}
	return int(n), errno
}

const (
	// notSent is how much the socket takes that it cannot send yet, if small messages go
	// between the fragments of large ones: by itself it takes 4 MiB, for which they would
	// wait. Where there are none that costs 1 MB messages up to half of their throughput.
	notSent    = 128 << 10
	shortLasts = 64 // writes without a small message, 32 MiB

	tcpNotSentLowat = 25 // TCP_NOTSENT_LOWAT, which package syscall lacks
)

// keepShort limits what the socket takes, from the first small message that is written beside
// large ones until there has been none for a while.
func (c *conn) keepShort(beside bool) {
	was := c.short > 0
	switch {
	case beside && c.raw != nil:
		c.short = shortLasts
	case was:
		c.short--
	}
	if is := c.short > 0; is != was {
		limit := 0 // the system's
		if is {
			limit = notSent
		}
		_ = c.raw.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowat, limit)
		})
	}
}
