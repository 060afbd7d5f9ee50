package dist

import (
	"fmt"
	"io"
	"net"
	"testing"
)

// BenchmarkSplice weighs copying a binary into the buffer against one more
// element in the writev, over loopback TCP, to justify spliceMin.
func BenchmarkSplice(b *testing.B) {
	for _, size := range []int{1 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10} {
		data := make([]byte, size)
		for _, refer := range []bool{false, true} {
			b.Run(fmt.Sprintf("%dK/refer=%v", size>>10, refer), func(b *testing.B) {
				conn := sink(b)
				var buf Buffer
				var chunks [][]byte
				b.SetBytes(int64(4 * size))
				for b.Loop() {
					buf.Reset()
					for range 4 { // messages in one write
						buf.buf = append(buf.buf, make([]byte, 60)...)
						if refer {
							buf.refs = append(buf.refs, bufferRef{len(buf.buf), data})
						} else {
							buf.buf = append(buf.buf, data...)
						}
					}
					chunks = buf.Chunks(chunks[:0])
					out := net.Buffers(chunks)
					if _, err := out.WriteTo(conn); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// sink is a connection to somebody who reads and forgets.
func sink(b *testing.B) net.Conn {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		if conn, err := l.Accept(); err == nil {
			io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{conn}, make([]byte, 1<<20))
			conn.Close()
		}
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return conn
}
