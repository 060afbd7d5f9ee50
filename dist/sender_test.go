package dist

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// A term that cannot be encoded must leave no trace: else the next frame would
// refer to atoms that the peer never got.
func TestFailureLeavesNoTrace(t *testing.T) {
	for name, flags := range modes {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, flags)
			c := &Control{Op: OpSendSender, From: pidA, To: pidB}
			w.send(c, etf.Atom("first"))
			before := w.b.Len()
			for _, bad := range []any{
				etf.Tuple{etf.Atom("new"), math.NaN()},
				etf.Tuple{etf.Atom("new"), etf.Atom(strings.Repeat("x", 256))},
				etf.Tuple{make([]byte, spliceMin), etf.Atom("new"), make(chan int)},
				etf.Tuple{make([]byte, 3*fragmentSize), make(chan int)},
			} {
				var perr *ProtocolError
				if st, err := w.s.Append(&w.b, c, bad); !errors.As(err, &perr) || perr.Op != OpSendSender || st != nil {
					t.Fatalf("%v, %v", st, err)
				}
			}
			if _, err := w.s.AppendRaw(&w.b, c, nil); err == nil {
				t.Error("no payload passes")
			}
			if _, err := w.s.Append(&w.b, &Control{Op: OpLink, From: pidA, To: pidB}, 1); err == nil {
				t.Error("a payload for LINK passes")
			}
			if w.b.Len() != before {
				t.Fatalf("%d bytes in the buffer, before %d", w.b.Len(), before)
			}
			w.send(c, etf.Tuple{etf.Atom("new"), etf.Atom("first")})
			got := w.carry()
			if want := (etf.Tuple{etf.Atom("new"), etf.Atom("first")}); len(got) != 2 || !reflect.DeepEqual(got[1].payload, want) {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestLongAndManyAtoms(t *testing.T) {
	long := etf.Atom(strings.Repeat("ä", 255))
	var many etf.List
	for i := range 400 {
		many = append(many, etf.Atom(fmt.Sprint("atom", i)))
	}
	w := newWire(t, flagsOTP25)
	c := &Control{Op: OpSendSender, From: pidA, To: pidB}
	for range 3 {
		for _, payload := range []etf.Term{etf.Tuple{long, etf.Atom("short")}, many, etf.Atom("short"), long, etf.Atom("")} {
			w.send(c, payload)
			if got := w.carry(); !reflect.DeepEqual(got[0].payload, payload) {
				t.Fatalf("%.100s arrives as %.100s", etf.Format(payload), etf.Format(got[0].payload))
			}
		}
	}
}

// Large binaries must be in the buffer themselves, not as copies.
func TestLargeBinariesAreReferenced(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 2<<10)
	w := newWire(t, flagsOTP25)
	c := &Control{Op: OpSendSender, From: pidA, To: pidB}
	payload := etf.List{large, etf.Atom("x"), large[:10], large[:spliceMin]}
	w.send(c, payload)
	shared := 0
	for _, chunk := range w.b.Chunks(nil) {
		if &chunk[0] == &large[0] {
			shared++
		}
	}
	if shared != 2 {
		t.Errorf("%d chunks are references, want 2", shared)
	}
	if got := w.carry(); !reflect.DeepEqual(got[0].payload, payload) {
		t.Error("arrives changed")
	}
	// In fragments too.
	huge := bytes.Repeat(large, 10)
	for st := w.send(c, huge); st.Next(&w.b); {
	}
	copied := 0
	for i, chunk := range w.b.Chunks(nil) {
		if i%2 == 0 {
			copied += len(chunk)
		}
	}
	if copied > 300 {
		t.Errorf("%d bytes are copied", copied)
	}
	if got := w.carry(); !reflect.DeepEqual(got[0].payload, huge) {
		t.Error("arrives changed")
	}
	// In a control message they are copied.
	old := newWire(t, FlagsMandatory|FlagDistHdrAtomCache|FlagFragments)
	old.send(&Control{Op: OpPayloadExit, From: pidA, To: pidB}, etf.Tuple{large, large})
	if got := old.carry(); !reflect.DeepEqual(got[0].c.Reason, etf.Tuple{large, large}) {
		t.Error("reason arrives changed")
	}
}

func TestFragmentBytes(t *testing.T) {
	for _, size := range []int{fragmentSize + 1, 2 * fragmentSize, 2*fragmentSize + 1, 10 * fragmentSize} {
		w := newWire(t, flagsOTP25)
		raw := make([]byte, size)
		for i := range raw {
			raw[i] = byte(rand.Uint32())
		}
		copy(raw, []byte{109, byte((size - 5) >> 24), byte((size - 5) >> 16), byte((size - 5) >> 8), byte(size - 5)})
		st, err := w.s.AppendRaw(&w.b, &Control{Op: OpSendSender, From: pidA, To: pidB}, raw)
		if err != nil || st == nil {
			t.Fatal(st, err)
		}
		count := (size + fragmentSize - 1) / fragmentSize
		left := size - fragmentSize
		for more := true; more; {
			if st.Len() != left {
				t.Fatalf("%d bytes left, want %d", st.Len(), left)
			}
			more = st.Next(&w.b)
			left = max(0, left-fragmentSize)
		}
		if st.Next(&w.b) || st.Len() != 0 {
			t.Error("there is more")
		}
		bodies := w.frames()
		if len(bodies) != count {
			t.Fatalf("%d fragments, want %d", len(bodies), count)
		}
		for i, body := range bodies {
			tag := byte(tagNext)
			if i == 0 {
				tag = tagFirst
			}
			if body[0] != version || body[1] != tag || binary.BigEndian.Uint64(body[2:]) != 1 || binary.BigEndian.Uint64(body[10:]) != uint64(count-i) {
				t.Errorf("fragment %d of %d opens with % x", i, count, body[:18])
			}
			sig, err := w.r.Frame(body)
			if err != nil || (sig != nil) != (i == count-1) {
				t.Fatalf("fragment %d of %d: %v, %v", i, count, sig, err)
			}
			if sig != nil && !bytes.Equal(sig.Payload, raw) {
				t.Error("arrives changed")
			}
		}
		if len(w.r.seqs) != 0 || w.r.held != 0 {
			t.Errorf("receiver keeps %d sequences, %d bytes", len(w.r.seqs), w.r.held)
		}
	}
	// At most 64 KiB go in one piece.
	w := newWire(t, flagsOTP25)
	if st := w.send(&Control{Op: OpSendSender, From: pidA, To: pidB}, make([]byte, fragmentSize-5)); st != nil {
		t.Error("256 KiB are fragmented")
	}
	if st := w.send(&Control{Op: OpSendSender, From: pidA, To: pidB}, make([]byte, fragmentSize-4)); st == nil {
		t.Error("more than 256 KiB are not fragmented")
	}
}

// A frame has at most 2^32-1 bytes; one more leaves no trace.
func TestFrameTooLong(t *testing.T) {
	var b Buffer
	b.AppendTick()
	if math.MaxInt == math.MaxInt32 {
		return // an int cannot hold such a length
	}
	largest := uint64(math.MaxUint32) // a variable: the constant would not compile where int has 32 bits
	if start := b.begin(); !b.end(start, int(largest)) {
		t.Error("2^32-1 bytes are refused")
	}
	if start := b.begin(); b.end(start, int(largest+1)) || b.Len() != 8 {
		t.Errorf("2^32 bytes pass, or leave %d bytes", b.Len()-8)
	}
}
