package truss

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync/atomic"
	"testing"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// pathReading is {reading, N, on}, the small tuple of docs/performance.md.
type pathReading struct {
	_     struct{} `etf:"reading,tuple"`
	N     uint64
	State etf.Atom
}

// BenchmarkPath is what each step takes of a small message from one process to
// another, in a stream: all but the system calls, which many messages share.
func BenchmarkPath(b *testing.B) {
	b.Run("1 send", benchPathSend)
	b.Run("2 frame", benchPathFrame)
	b.Run("3 signal", benchPathSignal)
	b.Run("4 mailbox", benchPathMailbox)
	b.Run("5 unmarshal", benchPathUnmarshal)
}

var (
	pathFrom = etf.Pid{Node: "drive@127.0.0.1", ID: 120, Creation: 1700000000}
	pathTo   = etf.Pid{Node: "serve@127.0.0.1", ID: 121, Creation: 1700000001}
)

// benchPathSend is Send of a struct to a process on another node, whose connection is
// being written, so that what is sent gathers.
func benchPathSend(b *testing.B) {
	n := &Node{name: string(pathFrom.Node), config: Config{SendBuffer: 1 << 20}}
	c := &conn{node: n, name: string(pathTo.Node), queue: new(dist.Buffer), writing: true}
	c.peer.Flags = dist.FlagsSupported
	p := &Process{node: n, pid: pathFrom}
	p.via.Store(c)
	message, ctx, to := &pathReading{N: 1_000_000, State: "on"}, context.Background(), any(pathTo)
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Send(ctx, to, message); err != nil {
			b.Fatal(err)
		}
		if c.queue.Len() > maxSlab {
			c.queue.Reset()
		}
	}
}

// pathFrames are the frames of so many such messages.
func pathFrames(b *testing.B, messages int) []byte {
	s := dist.NewSender(dist.FlagsSupported)
	var buf dist.Buffer
	for i := range messages {
		c := dist.Control{Op: dist.OpSendSender, From: pathFrom, To: pathTo}
		if _, err := s.Append(&buf, &c, &pathReading{N: 1_000_000 + uint64(i), State: "on"}); err != nil {
			b.Fatal(err)
		}
	}
	return bytes.Join(buf.Chunks(nil), nil)
}

// repeated reads the same bytes again and again.
type repeated struct {
	all  []byte
	next int
}

func (r *repeated) Read(b []byte) (int, error) {
	n := copy(b, r.all[r.next:])
	r.next = (r.next + n) % len(r.all)
	return n, nil
}

// benchPathFrame cuts frames out of what is read; to copy that into the buffer, as the
// kernel does, is part of it.
func benchPathFrame(b *testing.B) {
	var received atomic.Int64
	r := &frameReader{from: &repeated{all: pathFrames(b, 1000)}, max: 1 << 20, received: &received, slabs: new(slabs)}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := r.buffered(); !ok {
			f, err := r.next()
			if err != nil {
				b.Fatal(err)
			}
			r.done(f, false)
		}
	}
}

// pathBody is a frame behind others like it: their atoms are known.
func pathBody(b *testing.B) (*dist.Receiver, []byte) {
	r := dist.NewReceiver(dist.FlagsSupported, dist.ReceiveLimits{})
	var body []byte
	for rest := pathFrames(b, 10); len(rest) > 0; {
		n := 4 + int(binary.BigEndian.Uint32(rest))
		body, rest = rest[4:n], rest[n:]
		if _, err := r.Frame(body); err != nil {
			b.Fatal(err)
		}
	}
	return r, body
}

func benchPathSignal(b *testing.B) {
	r, body := pathBody(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Frame(body); err != nil {
			b.Fatal(err)
		}
	}
}

// pathMessage is the message of a frame, in a buffer that it shares.
func pathMessage(b *testing.B) Message {
	r, body := pathBody(b)
	signal, err := r.Frame(body)
	if err != nil {
		b.Fatal(err)
	}
	s := &slab{shared: true}
	s.uses.Store(beingRead)
	return Message{raw: signal.Payload, from: &source{atoms: signal.Atoms, slab: s, shared: true}}
}

// benchPathMailbox puts messages in a mailbox, as many at once as the reader does, and
// receives each.
func benchPathMailbox(b *testing.B) {
	p := &Process{node: &Node{}}
	all := make([]Message, signalsPerRouse)
	for i := range all {
		all[i] = pathMessage(b)
	}
	ctx := context.Background()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(all) == 0 {
			p.mailbox.putQuietly(ordinary, all...)
		}
		if _, err := p.Receive(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

// benchPathUnmarshal reads a message into a struct and gives its buffer back.
func benchPathUnmarshal(b *testing.B) {
	m := pathMessage(b)
	var v pathReading
	b.ReportAllocs()
	for b.Loop() {
		if m.from.slab.uses.Load() < beingRead/2 {
			m.from.slab.uses.Store(beingRead)
		}
		if err := m.Unmarshal(&v); err != nil {
			b.Fatal(err)
		}
		m.Release()
	}
}
