package truss

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
)

// TestFrameReader: whatever the sizes of frames and reads, the bodies are those
// sent, and stay so unless they were taken back.
func TestFrameReader(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		var wire []byte
		var want [][]byte
		for range 300 {
			size := []int{0, 1, 100, 4 << 10, 65 << 10, 300 << 10}[random.IntN(6)]
			if size > 1<<16 && random.IntN(10) > 0 {
				size = 10
			}
			body := bytes.Repeat([]byte{byte(random.Uint32())}, size)
			want = append(want, body)
			wire = binary.BigEndian.AppendUint32(wire, uint32(size))
			wire = append(wire, body...)
		}
		var from io.Reader = bytes.NewReader(wire)
		if seed%2 == 0 {
			from = iotest.HalfReader(from)
		}
		r := frameReader{from: from, max: 1 << 20, received: new(atomic.Int64)}
		kept := make([][]byte, len(want))
		for i := range want {
			body, err := r.next()
			if err != nil || !bytes.Equal(body, want[i]) {
				t.Fatalf("seed %d, frame %d: %d bytes, want %d: %v", seed, i, len(body), len(want[i]), err)
			}
			if random.IntN(2) == 0 {
				r.takeBack()
			} else {
				kept[i] = body
			}
		}
		for i, body := range kept {
			if body != nil && !bytes.Equal(body, want[i]) {
				t.Fatalf("seed %d: frame %d changed after it was given", seed, i)
			}
		}
		if _, err := r.next(); err != io.EOF {
			t.Errorf("seed %d: at the end: %v", seed, err)
		}
		if got := r.received.Load(); got != int64(len(wire)) {
			t.Errorf("seed %d: %d of %d bytes counted", seed, got, len(wire))
		}
	}
}

func TestFrameReaderLimits(t *testing.T) {
	r := frameReader{from: strings.NewReader("\x00\x00\x10\x01"), max: 4096, received: new(atomic.Int64)}
	if _, err := r.next(); err == nil || !strings.Contains(err.Error(), "4097 bytes is more than the 4096") {
		t.Error("too large:", err)
	}
	// One that announces a gigabyte and sends little costs little.
	r = frameReader{from: strings.NewReader("\x3f\x00\x00\x00" + strings.Repeat("x", 1000)), max: 1 << 30, received: new(atomic.Int64)}
	if _, err := r.next(); err != io.ErrUnexpectedEOF || len(r.slab) > trusted {
		t.Errorf("cut off: %v, %d bytes allocated", err, len(r.slab))
	}
	// Frames that are all taken back need one slab.
	wire := strings.Repeat("\x00\x01\x00\x00"+strings.Repeat("x", 64<<10), 50)
	r = frameReader{from: strings.NewReader(wire), max: 1 << 20, received: new(atomic.Int64)}
	var slabs int
	for last := (*byte)(nil); ; {
		if _, err := r.next(); err != nil {
			break
		}
		r.takeBack()
		if &r.slab[0] != last {
			last = &r.slab[0]
			slabs++
		}
	}
	if slabs > 2 {
		t.Errorf("%d slabs for frames that nobody keeps", slabs)
	}
}
