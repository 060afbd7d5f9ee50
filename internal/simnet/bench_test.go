package simnet

import (
	"io"
	"net"
	"testing"
)

func benchPair(b *testing.B) (near, far net.Conn) {
	n := New(Options{})
	l, err := n.Host("10.0.0.2").Listen(b.Context(), "tcp", ":5")
	if err != nil {
		b.Fatal(err)
	}
	near, err = n.Host("10.0.0.1").Dial(b.Context(), "tcp", "10.0.0.2:5")
	if err != nil {
		b.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { near.Close(); far.Close(); l.Close() })
	return near, far
}

// BenchmarkPingPong is the latency a simulated cluster pays per message.
func BenchmarkPingPong(b *testing.B) {
	near, far := benchPair(b)
	go io.Copy(far, far)
	msg := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		near.Write(msg)
		if _, err := io.ReadFull(near, msg); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkThroughput moves 16 KiB a time.
func BenchmarkThroughput(b *testing.B) {
	near, far := benchPair(b)
	go io.Copy(io.Discard, far)
	chunk := make([]byte, 16<<10)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := near.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
}

// TestInstantLinkDoesNotAllocate: without a latency, a message through a
// connection costs the simulation no garbage.
func TestInstantLinkDoesNotAllocate(t *testing.T) {
	near, far := pair(t, New(Options{}))
	msg := make([]byte, 64)
	if allocs := testing.AllocsPerRun(100, func() {
		near.Write(msg)
		far.Read(msg)
	}); allocs > 0 {
		t.Errorf("%v allocations a message, want none", allocs)
	}
}
