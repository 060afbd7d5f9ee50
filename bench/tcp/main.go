// Command tcp is the floor: the same number of bytes over one TCP connection,
// with nothing but a length and a checksum done to them.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/truss-beam/truss/bench/internal/contender"
)

// overhead is what the distribution protocol adds to a small payload: length,
// header with atom cache references, and the control message with two pids.
// TestOverhead in bench/truss holds it against what a Truss node writes.
const overhead = 48

// tupleBytes is the encoded {reading, N, on} with its atoms in the cache.
const tupleBytes = 11

func main() {
	contender.Program{Serve: serve, Drive: drive}.Main()
}

// frame is the size of one message on the wire.
func frame(j contender.Job) int {
	if j.Payload == "tuple" {
		return overhead + tupleBytes
	}
	return overhead + j.Size
}

func serve(j contender.Job) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = answer(conn) // the driver notices
			}()
		}
	}()
	return listener.Addr().String(), nil
}

// order opens a connection and says what comes on it.
type order struct {
	Kind        kind
	Size, Count uint32 // of frames
}

type kind uint32

const (
	counting kind = iota // Count frames of Size bytes, to be confirmed as a whole; then another order
	echoing              // frames of Size bytes, each sent back
	calling              // requests of calls
	spawning             // those of calls that have a goroutine each
)

func answer(conn net.Conn) error {
	for {
		var o order
		if err := binary.Read(conn, binary.BigEndian, &o); err != nil {
			return err
		}
		switch o.Kind {
		case counting:
			got, err := take(conn, o)
			if err != nil {
				return err
			}
			if err := binary.Write(conn, binary.BigEndian, got); err != nil {
				return err
			}
		case echoing:
			return echo(conn, int(o.Size))
		default:
			c, ok := calls()[o.Kind]
			if !ok {
				return fmt.Errorf("an order of kind %d", o.Kind)
			}
			return c.serve(conn)
		}
	}
}

func echo(conn net.Conn, size int) error {
	b := make([]byte, size)
	for {
		if _, err := io.ReadFull(conn, b); err != nil {
			return err
		}
		if _, err := conn.Write(b); err != nil {
			return err
		}
	}
}

// take reads the frames: small ones through a buffer, large ones each into the
// same memory.
func take(conn net.Conn, o order) (contender.Receipt, error) {
	var got contender.Receipt
	var from io.Reader = conn
	if o.Size < large {
		from = bufio.NewReaderSize(conn, large)
	}
	b := make([]byte, o.Size)
	for range o.Count {
		if _, err := io.ReadFull(from, b); err != nil {
			return got, err
		}
		if binary.BigEndian.Uint32(b) != o.Size-4 {
			return got, fmt.Errorf("a frame of %d bytes", binary.BigEndian.Uint32(b))
		}
		got.Count++
		got.Sum += sum(b)
	}
	return got, nil
}

// large is where frames are written and read one by one.
const large = 64 << 10

// sum is that of the payload, which begins where the overhead ends.
func sum(b []byte) uint64 { return contender.Sum(b[overhead:]) }

func drive(j contender.Job) (contender.Figures, error) {
	conn, err := net.Dial("tcp", j.Peer)
	if err != nil {
		return nil, err
	}
	switch j.Scenario {
	case "send":
		f, err := contender.Flow(contender.Job{Payload: "binary", Size: frame(j) - overhead, Count: j.Count, Senders: j.Senders, Warmup: j.Warmup},
			func(each int, payloads [][]byte) (contender.Receipt, error) {
				return flow(conn, frames(payloads), j.Senders, each)
			})
		if j.Payload == "tuple" {
			delete(f, "mb_per_s")
		}
		return f, err
	case "rtt":
		return trips(conn, j)
	case "mixed":
		return mixed(conn, j)
	}
	for kind, c := range calls() {
		if c.scenario != j.Scenario {
			continue
		}
		if err := binary.Write(conn, binary.BigEndian, order{Kind: kind}); err != nil {
			return nil, err
		}
		return c.drive(conn, j)
	}
	return nil, fmt.Errorf("no scenario %q", j.Scenario)
}

func trips(conn net.Conn, j contender.Job) (contender.Figures, error) {
	caller, err := pinger(conn, frame(j))
	if err != nil {
		return nil, err
	}
	return contender.Trips(j, caller)
}

// pinger makes round trips of so many bytes.
func pinger(conn net.Conn, size int) (contender.Caller, error) {
	b := make([]byte, size)
	if err := binary.Write(conn, binary.BigEndian, order{Kind: echoing, Size: uint32(size)}); err != nil {
		return nil, err
	}
	return func(work func(func() error) error) error {
		return work(func() error {
			if _, err := conn.Write(b); err != nil {
				return err
			}
			_, err := io.ReadFull(conn, b)
			return err
		})
	}, nil
}

// mixed makes its round trips on a connection of their own: over one, nothing could be
// quicker.
func mixed(stream net.Conn, j contender.Job) (contender.Figures, error) {
	conn, err := net.Dial("tcp", j.Peer)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	caller, err := pinger(conn, overhead+tupleBytes)
	if err != nil {
		return nil, err
	}
	return contender.Mixed(j, func(count int, payloads [][]byte) (contender.Receipt, error) {
		return flow(stream, frames(payloads), 1, count)
	}, caller)
}

// frames puts a header of the right size before each payload.
func frames(payloads [][]byte) [][]byte {
	framed := make([][]byte, len(payloads))
	for i, payload := range payloads {
		framed[i] = make([]byte, overhead, overhead+len(payload))
		binary.BigEndian.PutUint32(framed[i], uint32(overhead+len(payload)-4))
		framed[i] = append(framed[i], payload...)
	}
	return framed
}

// flow has the senders share the connection behind a lock, as the processes of
// one node do.
func flow(conn net.Conn, frames [][]byte, senders, each int) (contender.Receipt, error) {
	var got contender.Receipt
	if err := binary.Write(conn, binary.BigEndian, order{counting, uint32(len(frames[0])), uint32(each * senders)}); err != nil {
		return got, err
	}
	out := &locked{w: bufio.NewWriterSize(conn, large)}
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for i := range each {
				out.write(frames[i%len(frames)])
			}
		})
	}
	all.Wait()
	if err := out.w.Flush(); err != nil {
		return got, err
	}
	err := binary.Read(conn, binary.BigEndian, &got)
	return got, err
}

// locked is a buffered writer with several users. It keeps its first error for
// Flush; one larger than its buffer goes straight to the socket.
type locked struct {
	mu sync.Mutex
	w  *bufio.Writer
}

func (l *locked) write(b []byte) {
	l.mu.Lock()
	_, _ = l.w.Write(b)
	l.mu.Unlock()
}
