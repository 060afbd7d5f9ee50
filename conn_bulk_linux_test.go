package truss

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// greet has the peer send as many messages to p as take so many bytes, and returns how
// many.
func greet(t *testing.T, theirs net.Conn, p *Process, least int) (count int) {
	t.Helper()
	var b dist.Buffer
	from := etf.Pid{Node: "b@127.0.0.1", ID: 1, Creation: 1}
	sender := dist.NewSender(dist.FlagsSupported)
	for ; b.Len() < least; count++ {
		if _, err := sender.Append(&b, &dist.Control{Op: dist.OpSendSender, From: from, To: p.pid}, etf.Atom("hello")); err != nil {
			t.Fatal(err)
		}
	}
	for _, chunk := range b.Chunks(nil) {
		if _, err := theirs.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	return count
}

// arrived is how many messages p has got.
func arrived(p *Process) int {
	waiting, _ := p.mailbox.load()
	return waiting
}

// bulkWrites writes so many bytes, as the writer goroutine does, and checks what arrives.
func bulkWrites(t *testing.T, c *conn, theirs net.Conn, size int) {
	t.Helper()
	want := bytes.Repeat([]byte("0123456789abcde"), size/15)
	got := make(chan []byte, 1)
	go func() {
		b := make([]byte, len(want))
		_, _ = io.ReadFull(theirs, b)
		got <- b
	}()
	c.unwritten = net.Buffers{want[:10:10], want[10:]}
	if err := c.writeBulk(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(<-got, want) {
		t.Error("what arrives is not what was written")
	}
}

// TestBulkReads: who writes much acts on what has arrived, though nobody else does.
func TestBulkReads(t *testing.T) {
	n, c, theirs := bareConn(t)
	p, err := n.visitor()
	if err != nil {
		t.Fatal(err)
	}
	defer p.leave()
	sent := greet(t, theirs, p, 1)
	bulkWrites(t, c, theirs, 30<<20) // more than the socket takes at once
	if got := arrived(p); got != sent {
		t.Errorf("%d messages, want %d", got, sent)
	}
}

// TestBulkReadsSome: a peer that sends as much as it can does not keep the writer from
// writing, and the reader goroutine finds the rest.
func TestBulkReadsSome(t *testing.T) {
	n, c, theirs := bareConn(t)
	p, err := n.visitor()
	if err != nil {
		t.Fatal(err)
	}
	defer p.leave()
	sent := greet(t, theirs, p, 4*readsBulk)
	bulkWrites(t, c, theirs, 1000)
	some := arrived(p)
	if some == 0 || some > sent/2 {
		t.Errorf("%d messages of %d", some, sent)
	}
	_ = c.raw.Control(func(fd uintptr) { _, err = c.actOnAll(fd) })
	if got := arrived(p); err != errNoMore || got != sent {
		t.Errorf("%d and then %d messages of %d, %v", some, got, sent, err)
	}
}

// TestBulkLeavesReading: while another acts on what has arrived, the writer only writes.
func TestBulkLeavesReading(t *testing.T) {
	n, c, theirs := bareConn(t)
	p, err := n.visitor()
	if err != nil {
		t.Fatal(err)
	}
	defer p.leave()
	greet(t, theirs, p, 1)
	c.reading.Lock()
	defer c.reading.Unlock()
	bulkWrites(t, c, theirs, 1000)
	if got := arrived(p); got != 0 {
		t.Errorf("%d messages", got)
	}
}

// TestBulkMeetsABreak: what the writer finds wrong ends the connection.
func TestBulkMeetsABreak(t *testing.T) {
	_, c, theirs := bareConn(t)
	if _, err := theirs.Write(append(binary.BigEndian.AppendUint32(nil, 3), "bad"...)); err != nil {
		t.Fatal(err)
	}
	bulkWrites(t, c, theirs, 1000)
	if !c.lost.Load() {
		t.Error("the connection goes on")
	}
}

// TestBulkWaitsWithoutReading: a writer that waits for room keeps nobody from reading, or two
// that send much to each other would wait for ever.
func TestBulkWaitsWithoutReading(t *testing.T) {
	_, c, theirs := bareConn(t)
	c.unwritten = net.Buffers{make([]byte, 64<<20)}
	written := make(chan error)
	go func() { written <- c.writeBulk() }()
	if _, err := io.ReadFull(theirs, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	for !c.reading.TryLock() { // fails by never ending
		runtime.Gosched()
	}
	c.reading.Unlock()
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	if err := <-written; err != nil {
		t.Error(err)
	}
}

// TestKeepShort: the socket takes little while small messages go beside large ones, and as
// much as it likes again when none have for a while.
func TestKeepShort(t *testing.T) {
	_, c, _ := bareConn(t)
	for i, want := range map[int]int{0: 0, 1: notSent, shortLasts: notSent, shortLasts + 1: 0} {
		c.keepShort(false)
		for k := range i {
			c.keepShort(k == 0)
		}
		var got int
		var err error
		_ = c.raw.Control(func(fd uintptr) {
			got, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowat)
		})
		if err != nil || got != want {
			t.Errorf("after %d writes %d, %v, want %d", i, got, err, want)
		}
		for c.short > 0 {
			c.keepShort(false)
		}
	}
}
