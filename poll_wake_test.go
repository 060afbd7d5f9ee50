//go:build unix

package truss

import (
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// TestPollingMeetsABreak: a message that a process has read itself reaches it also if
// what comes behind breaks the connection.
func TestPollingMeetsABreak(t *testing.T) {
	n, err := Start(t.Context(), Config{Name: "a@127.0.0.1", Cookie: "c", Hidden: true, NoListen: true, BusyWait: time.Hour, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
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
	defer ours.Close()
	theirs, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	peer := dist.Result{Flags: dist.FlagsSupported}
	peer.Peer.Name = "b@127.0.0.1"
	c := newConn(n, ours, peer) // without its goroutines: only the process reads
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
