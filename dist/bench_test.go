package dist

import (
	"bytes"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// hello is the signal of the hot path: a small message between two processes,
// with all atoms known to both caches.
func hello() (Control, any) {
	c := Control{Op: OpSendSender,
		From: etf.Pid{Node: "shop@fdaa:0:1::3", ID: 120, Creation: 1700000000},
		To:   etf.Pid{Node: "web@fdaa:0:1::4", ID: 99, Serial: 2, Creation: 1700000001}}
	return c, etf.Tuple{etf.Atom("hello"), int64(42)}
}

func TestSendDoesNotAllocate(t *testing.T) {
	c, payload := hello()
	w := newWire(t, FlagsSupported)
	raw, err := new(etf.Encoder).Append(nil, payload)
	if err != nil {
		t.Fatal(err)
	}
	large := any(make([]byte, spliceMin))
	for name, send := range map[string]func() (*Stream, error){
		"Append":       func() (*Stream, error) { return w.s.Append(&w.b, &c, payload) },
		"AppendRaw":    func() (*Stream, error) { return w.s.AppendRaw(&w.b, &c, raw) },
		"large binary": func() (*Stream, error) { return w.s.Append(&w.b, &c, large) },
		"control on the stack": func() (*Stream, error) {
			local := c
			return w.s.Append(&w.b, &local, payload)
		},
	} {
		allocs := testing.AllocsPerRun(1000, func() {
			w.b.Reset()
			if _, err := send(); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s allocates %v times", name, allocs)
		}
	}
}

func TestReceiveDoesNotAllocate(t *testing.T) {
	for _, test := range controls {
		switch test.c.Op {
		case OpLink, OpSend, OpRegSend, OpMonitorP, OpDemonitorP, OpSendSender, OpAliasSend, OpUnlinkID, OpUnlinkIDAck, OpPayloadExit, OpAltactSigSend:
		default:
			continue
		}
		if test.c.Token != nil || test.c.ID > 1<<63 {
			continue
		}
		w := newWire(t, FlagsSupported)
		var payload any
		if test.c.Op.HasPayload() {
			payload = etf.Atom("hello")
		}
		w.send(&test.c, payload)
		w.carry()
		w.send(&test.c, payload)
		body := w.frames()[0]
		if allocs := testing.AllocsPerRun(1000, func() {
			if _, err := w.r.Frame(body); err != nil {
				t.Fatal(err)
			}
		}); allocs != 0 {
			t.Errorf("%s allocates %v times", test.text, allocs)
		}
	}
}

func BenchmarkSend(b *testing.B) {
	c, payload := hello()
	s := NewSender(FlagsSupported)
	var buf Buffer
	b.ReportAllocs()
	for b.Loop() {
		if buf.Len() > 64<<10 {
			buf.Reset()
		}
		if _, err := s.Append(&buf, &c, payload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReceive(b *testing.B) {
	c, payload := hello()
	w := newWire(b, FlagsSupported)
	w.send(&c, payload)
	w.carry()
	w.send(&c, payload)
	body := w.frames()[0]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.r.Frame(body); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMegabyte is a message of 1 MB, in fragments, from term to payload.
func BenchmarkMegabyte(b *testing.B) {
	c, _ := hello()
	payload := any(bytes.Repeat([]byte("0123456789abcdef"), 1<<16))
	w := newWire(b, FlagsSupported)
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		for st := w.send(&c, payload); st.Next(&w.b); {
		}
		for _, body := range w.frames() {
			if _, err := w.r.Frame(body); err != nil {
				b.Fatal(err)
			}
		}
	}
}
