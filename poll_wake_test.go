//go:build unix

package truss

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// bareConn is a connection without a reader goroutine, and its peer's end.
func bareConn(t *testing.T) (*Node, *conn, net.Conn) {
	t.Helper()
	n, err := Start(t.Context(), Config{Name: "a@127.0.0.1", Cookie: "c", Hidden: true, NoListen: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	n.config.BusyWait = time.Hour // also with one processor
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ours, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	theirs, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	peer := dist.Result{Flags: dist.FlagsSupported}
	peer.Peer.Name = "b@127.0.0.1"
	c := newConn(n, ours, peer, nil)
	t.Cleanup(func() { // ends its writer goroutine, if there is one
		c.fail(ErrClosed)
		close(c.done)
	})
	return n, c, theirs
}

// TestPollingMeetsABreak: a message that a process has read itself reaches it also if
// what comes behind breaks the connection.
func TestPollingMeetsABreak(t *testing.T) {
	n, c, theirs := bareConn(t)
	p, err := n.visitor()
	if err != nil {
		t.Fatal(err)
	}
	defer p.leave()
	p.via.Store(c)

	var b dist.Buffer
	from := etf.Pid{Node: "b@127.0.0.1", ID: 1, Creation: 1}
	if _, err := dist.NewSender(dist.FlagsSupported).Append(&b, &dist.Control{Op: dist.OpSendSender, From: from, To: p.pid}, etf.Atom("hello")); err != nil {
		t.Fatal(err)
	}
	wire := append([]byte{}, b.Chunks(nil)[0]...)
	wire = binary.BigEndian.AppendUint32(wire, 3)
	if _, err := theirs.Write(append(wire, "bad"...)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if m, err := p.Receive(ctx); err != nil || m.Tag() != "hello" {
		t.Errorf("%v, %v", m, err)
	}
	if !c.lost.Load() {
		t.Error("what broke the protocol did not end the connection")
	}
}

// TestGatheringMakesRoom: a sender that waits since too much is gathered goes on when
// that has been written, by whoever acts on what arrives.
func TestGatheringMakesRoom(t *testing.T) {
	n, c, theirs := bareConn(t)
	go io.Copy(io.Discard, theirs)
	n.config.SendBuffer = 1000
	p, err := n.visitor()
	if err != nil {
		t.Fatal(err)
	}
	defer p.leave()
	c.gatherFrom()
	to := &target{node: c.name, pid: etf.Pid{Node: "b@127.0.0.1", ID: 1, Creation: 1}}
	if err := c.sendMessage(t.Context(), p, to, make([]byte, 2000)); err != nil {
		t.Fatal(err)
	}
	sent := make(chan error)
	go func() { sent <- c.sendMessage(t.Context(), p, to, etf.Atom("hello")) }()
	for waits := false; !waits; runtime.Gosched() {
		c.mu.Lock()
		waits = c.space != nil
		c.mu.Unlock()
	}
	c.flushGathered()
	select {
	case err := <-sent:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the sender still waits")
		c.fail(ErrClosed)
	}
}

// TestOverloadGathersNothing: where whoever reads does not get the processor back soon,
// what is sent meanwhile does not wait for that.
func TestOverloadGathersNothing(t *testing.T) {
	n, c, theirs := bareConn(t)
	p, err := n.visitor()
	if err != nil {
		t.Fatal(err)
	}
	defer p.leave()
	c.overloaded = true
	c.gatherFrom()
	to := &target{node: c.name, pid: etf.Pid{Node: "b@127.0.0.1", ID: 1, Creation: 1}}
	if err := c.sendMessage(t.Context(), p, to, etf.Atom("hello")); err != nil {
		t.Fatal(err)
	}
	if err := theirs.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
}

// TestLingeringEndsWithTheConnection: a reader goroutine whose connection ends while it
// lingers leaves that to others.
func TestLingeringEndsWithTheConnection(t *testing.T) {
	n, c, theirs := bareConn(t)
	ended := make(chan error, 1)
	go func() { ended <- c.readRaw() }()
	if _, err := theirs.Write(make([]byte, 4)); err != nil { // a tick
		t.Fatal(err)
	}
	for !n.lingering.Load() {
		runtime.Gosched()
	}
	theirs.Close()
	if err := <-ended; err == nil {
		t.Error("the connection has not ended")
	}
	if n.lingering.Load() {
		t.Error("nobody else will ever linger")
	}
}
