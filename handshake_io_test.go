package truss

import (
	"log/slog"
	"net"
	"testing"
	"testing/iotest"
	"time"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// pieces is a socket of which reads return a byte each.
type pieces struct{ net.Conn }

func (p pieces) Read(b []byte) (int, error) { return iotest.OneByteReader(p.Conn).Read(b) }

// TestHandshakeFrames: frames come whole however they were sent, in one piece or in many,
// and what is behind them is left.
func TestHandshakeFrames(t *testing.T) {
	for _, prefix := range []int{2, 4} {
		for _, inPieces := range []bool{false, true} {
			ours, theirs := net.Pipe()
			if inPieces {
				ours = pieces{ours}
			}
			sender := handshakeIO{socket: theirs, step: time.Minute, prefix: prefix}
			sender.write(func(b []byte) []byte { return append(b, "first"...) })
			sender.write(func(b []byte) []byte { return b })
			sender.write(func(b []byte) []byte { return append(b, make([]byte, 1000)...) })
			sender.out = append(sender.out, "rest"...)
			sent := make(chan error, 1)
			go func() { sent <- sender.flush() }()
			h := handshakeIO{socket: ours, step: time.Minute, prefix: prefix}
			for _, want := range []int{len("first"), 0, 1000} {
				body, err := h.read()
				if err != nil || len(body) != want {
					t.Fatalf("a frame of %d bytes, want %d: %v", len(body), want, err)
				}
			}
			if !inPieces {
				if err := <-sent; err != nil {
					t.Error(err)
				}
				if string(h.in) != "rest" {
					t.Errorf("%q is left", h.in)
				}
			}
			ours.Close()
			if _, err := h.read(); err == nil {
				t.Error("a frame from a closed socket")
			}
			theirs.Close()
		}
	}
}

// TestHandshakeFrameTooLong: a length that no handshake has is an error before anything
// of that length is read.
func TestHandshakeFrameTooLong(t *testing.T) {
	h := handshakeIO{prefix: 2, in: []byte{255, 255}}
	if _, err := h.next(); err == nil {
		t.Error("no error")
	}
}

// TestBytesBehindTheHandshake: a peer's first signals may come with its last word of the
// handshake.
func TestBytesBehindTheHandshake(t *testing.T) {
	n, err := Start(t.Context(), Config{Name: "a@127.0.0.1", Cookie: "c", Hidden: true, NoListen: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	p, err := n.visitor()
	if err != nil {
		t.Fatal(err)
	}
	defer p.leave()
	var b dist.Buffer
	from := etf.Pid{Node: "b@127.0.0.1", ID: 1, Creation: 1}
	if _, err := dist.NewSender(dist.FlagsSupported).Append(&b, &dist.Control{Op: dist.OpSendSender, From: from, To: p.pid}, etf.Atom("hello")); err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	defer theirs.Close()
	peer := dist.Result{Flags: dist.FlagsSupported}
	peer.Peer.Name = "b@127.0.0.1"
	c := newConn(n, ours, peer, b.Chunks(nil)[0])
	n.running.Go(c.readLoop)
	if m, err := p.Receive(t.Context()); err != nil || m.Tag() != "hello" {
		t.Errorf("%v, %v", m, err)
	}
	c.fail(ErrClosed)
}
