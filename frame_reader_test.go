package truss

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"runtime"
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
		r := frameReader{from: from, max: 1 << 20, received: new(atomic.Int64), slabs: new(slabs)}
		kept := make([]frame, len(want))
		for i := range want {
			f, err := r.next()
			if err != nil || !bytes.Equal(f.body, want[i]) {
				t.Fatalf("seed %d, frame %d: %d bytes, want %d: %v", seed, i, len(f.body), len(want[i]), err)
			}
			if keep := random.IntN(2) == 0; keep {
				kept[i] = f
				r.done(f, true)
			} else {
				r.done(f, false)
			}
			// One that was kept is released sooner or later, or never.
			if j := random.IntN(len(want)); j <= i && kept[j].slab != nil && random.IntN(2) == 0 {
				if !bytes.Equal(kept[j].body, want[j]) {
					t.Fatalf("seed %d: frame %d changed before it was released", seed, j)
				}
				kept[j].slab.release()
				kept[j] = frame{}
			}
		}
		for i, f := range kept {
			if f.slab != nil && !bytes.Equal(f.body, want[i]) {
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
	r := frameReader{from: strings.NewReader("\x00\x00\x10\x01"), max: 4096, received: new(atomic.Int64), slabs: new(slabs)}
	if _, err := r.next(); err == nil || !strings.Contains(err.Error(), "4097 bytes is more than the 4096") {
		t.Error("too large:", err)
	}
	// One that announces a gigabyte and sends little costs little.
	r = frameReader{from: strings.NewReader("\x3f\x00\x00\x00" + strings.Repeat("x", 1000)), max: 1 << 30, received: new(atomic.Int64), slabs: new(slabs)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := r.next()
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; err != io.ErrUnexpectedEOF || got > 2*trusted {
		t.Errorf("cut off: %v, %d bytes allocated", err, got)
	}
}

// TestSlabsAreReused: frames that nobody keeps, and those that are released, need no
// new memory.
func TestSlabsAreReused(t *testing.T) {
	for name, wire := range map[string]string{
		"large": strings.Repeat("\x00\x01\x00\x00"+strings.Repeat("x", 64<<10), 50),
		"small": strings.Repeat("\x00\x00\x00\x64"+strings.Repeat("x", 100), 40_000),
	} {
		for _, kept := range []bool{false, true} {
			r := frameReader{from: strings.NewReader(wire), max: 1 << 20, received: new(atomic.Int64), slabs: new(slabs)}
			used := map[*byte]bool{}
			for {
				f, err := r.next()
				if err != nil {
					break
				}
				used[&f.slab.b[0]] = true
				r.done(f, kept)
				if kept {
					f.slab.release()
				}
			}
			if len(used) > 25 { // of 50 and more; the race detector has sync.Pool lose every fourth
				t.Errorf("%s frames, kept %v: %d slabs", name, kept, len(used))
			}
		}
	}
}

// TestTicksGrowNoSlab has an idle connection tick for days.
func TestTicksGrowNoSlab(t *testing.T) {
	ticks := iotest.OneByteReader(bytes.NewReader(make([]byte, 4*4096)))
	r := frameReader{from: ticks, max: 4096, received: new(atomic.Int64), slabs: new(slabs)}
	for range 4096 {
		f, err := r.next()
		if err != nil {
			t.Fatal(err)
		}
		r.done(f, false)
	}
	if len(r.slab.b) != minSlab {
		t.Errorf("ticks have grown the slab to %d bytes", len(r.slab.b))
	}
}
