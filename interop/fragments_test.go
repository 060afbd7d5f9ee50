package interop

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
)

const (
	bigCount = 5
	bigSize  = 10 << 20
	smalls   = 100 // sent by another process while one big message is on its way
)

// bigPayload is what interop_peer:big/2 makes.
func bigPayload(n, size int) []byte {
	var piece []byte
	for i := 1; i <= 999; i++ {
		piece = binary.BigEndian.AppendUint32(piece, uint32(i*7+n))
	}
	return bytes.Repeat(piece, size/len(piece)+1)[:size]
}

// arrival is one message as the receiving side saw it.
type arrival struct {
	kind string // before, big, after: all by one process; small: by another
	i, j int
}

// TestBigMessages sends messages of 10 MB both ways at once. They must be whole
// and in order with the small messages of the same process, and let the small
// messages of other processes overtake them.
func TestBigMessages(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		p.beam.MustEval(t, "interop_peer:start_collectors()")
		received := collect(t, p.node)

		theirs := p.beam.Go(fmt.Sprintf("interop_peer:send_bigs('%s', %d, %d, %d)", p.node.Name(), bigCount, bigSize, smalls))
		sendBigs(t, p.node, p.beam.Name)
		theirs.MustWait(t)

		checkArrivals(t, "from the BEAM", <-received)
		checkArrivals(t, "from Go", collectedByBEAM(t, p.beam))
		if got := p.beam.MustEval(t, p.sockets()); got != "1" {
			t.Errorf("%s connections", got)
		}
	})
}

// collect registers big and small and yields what has arrived at them once it is
// all that is expected.
func collect(t *testing.T, n *truss.Node) <-chan []arrival {
	all := make(chan []arrival, 1)
	var mu sync.Mutex
	var seen []arrival
	note := func(a arrival) {
		mu.Lock()
		defer mu.Unlock()
		if seen = append(seen, a); len(seen) == bigCount*(3+smalls) {
			all <- seen
		}
	}
	receive := func(ctx context.Context, p *truss.Process) error {
		for {
			m, err := p.Receive(ctx)
			if err != nil {
				return err
			}
			term, err := m.Term()
			if err != nil {
				t.Error(err)
				return err
			}
			message := term.(etf.Tuple)
			a := arrival{kind: string(message[0].(etf.Atom)), i: int(message[1].(int64))}
			switch a.kind {
			case "small":
				a.j = int(message[2].(int64))
			case "big":
				if !bytes.Equal(message[2].([]byte), bigPayload(a.i, bigSize)) {
					t.Errorf("big message %d is broken", a.i)
				}
			}
			note(a)
		}
	}
	for _, name := range []string{"big", "small"} {
		if _, err := n.Spawn(receive, truss.Registered(name)); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// sendBigs is what interop_peer:send_bigs/4 does.
func sendBigs(t *testing.T, n *truss.Node, peer string) {
	t.Helper()
	turn := make(chan int, bigCount)
	var sending sync.WaitGroup
	spawn := func(fn func(ctx context.Context, p *truss.Process) error) {
		sending.Add(1)
		_, err := n.Spawn(func(ctx context.Context, p *truss.Process) error {
			defer sending.Done()
			if err := fn(ctx, p); err != nil {
				t.Error(err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	spawn(func(ctx context.Context, p *truss.Process) error {
		for i := range turn {
			for j := 1; j <= smalls; j++ {
				message := etf.Tuple{etf.Atom("small"), i, j}
				if err := p.Send(ctx, truss.Name{Name: "small", Node: peer}, message); err != nil {
					return err
				}
			}
		}
		return nil
	})
	spawn(func(ctx context.Context, p *truss.Process) error {
		defer close(turn)
		to := truss.Name{Name: "big", Node: peer}
		for i := 1; i <= bigCount; i++ {
			payload := bigPayload(i, bigSize)
			err := p.Send(ctx, to, etf.Tuple{etf.Atom("before"), i})
			turn <- i
			if err == nil {
				err = p.Send(ctx, to, etf.Tuple{etf.Atom("big"), i, payload})
			}
			if err == nil {
				err = p.Send(ctx, to, etf.Tuple{etf.Atom("after"), i})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	sending.Wait()
}

func collectedByBEAM(t *testing.T, n *beam.Node) []arrival {
	t.Helper()
	text := n.MustEval(t, fmt.Sprintf("interop_peer:collected(%d)", bigCount*(3+smalls)))
	term, err := etf.Parse(text)
	if err != nil {
		t.Fatalf("%.200s: %v", text, err)
	}
	var arrivals []arrival
	for _, element := range term.(etf.List) {
		message := element.(etf.Tuple)
		a := arrival{kind: string(message[0].(etf.Atom)), i: int(message[1].(int64))}
		if a.kind == "small" {
			a.j = int(message[2].(int64))
		}
		arrivals = append(arrivals, a)
	}
	return arrivals
}

func checkArrivals(t *testing.T, direction string, arrivals []arrival) {
	t.Helper()
	var ofBig, ofSmall []arrival
	overtaken := 0 // small messages that arrived before the big one they were sent after
	arrived := map[int]bool{}
	for _, a := range arrivals {
		if a.kind == "small" {
			ofSmall = append(ofSmall, a)
			if !arrived[a.i] {
				overtaken++
			}
			continue
		}
		ofBig = append(ofBig, a)
		if a.kind == "big" {
			arrived[a.i] = true
		}
	}
	for k, a := range ofBig {
		want := arrival{kind: []string{"before", "big", "after"}[k%3], i: k/3 + 1}
		if a != want {
			t.Fatalf("%s: message %d of the big sender is %v, want %v", direction, k, a, want)
		}
	}
	for k, a := range ofSmall {
		if want := (arrival{kind: "small", i: k/smalls + 1, j: k%smalls + 1}); a != want {
			t.Fatalf("%s: message %d of the small sender is %v, want %v", direction, k, a, want)
		}
	}
	t.Logf("%s: %d of %d small messages overtook a big one", direction, overtaken, bigCount*smalls)
	if overtaken == 0 {
		t.Errorf("%s: no small message overtook a big one", direction)
	}
}
