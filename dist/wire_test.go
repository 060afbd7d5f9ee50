package dist

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// modes are the sets of flags that make frames look different.
var modes = map[string]Flags{
	"otp29":        FlagsSupported,
	"otp25":        flagsOTP25,
	"no fragments": flagsOTP25 &^ FlagFragments,
	"no cache":     flagsOTP25 &^ FlagDistHdrAtomCache,
	"pass-through": flagsOTP25 &^ (FlagDistHdrAtomCache | FlagFragments),
}

// wire is a connection without a network.
type wire struct {
	t testing.TB
	s *Sender
	r *Receiver
	b Buffer
}

func newWire(t testing.TB, flags Flags) *wire {
	return &wire{t: t, s: NewSender(flags), r: NewReceiver(flags, ReceiveLimits{})}
}

// frames takes what waits in the buffer apart. Each body is a slice of its own,
// as from a socket.
func (w *wire) frames() (bodies [][]byte) {
	w.t.Helper()
	all := bytes.Join(w.b.Chunks(nil), nil)
	if len(all) != w.b.Len() {
		w.t.Fatalf("Len says %d, there are %d bytes", w.b.Len(), len(all))
	}
	w.b.Reset()
	for len(all) > 0 {
		n := int(binary.BigEndian.Uint32(all))
		bodies = append(bodies, bytes.Clone(all[4:4+n]))
		all = all[4+n:]
	}
	return bodies
}

// carry sends everything over and returns the signals that come out, payloads
// decoded.
func (w *wire) carry() (out []received) {
	w.t.Helper()
	for _, body := range w.frames() {
		sig, err := w.r.Frame(body)
		if err != nil {
			w.t.Fatalf("%v in % x", err, body[:min(len(body), 64)])
		}
		if sig != nil {
			out = append(out, w.read(sig))
		}
	}
	return out
}

type received struct {
	c       Control
	payload etf.Term
}

func (w *wire) read(sig *Signal) received {
	w.t.Helper()
	got := received{c: sig.Control}
	if sig.Control.Op.HasPayload() {
		var d etf.Decoder
		d.Reset(sig.Payload, sig.Atoms)
		term, err := d.Term()
		if err != nil || len(d.Rest()) != 0 {
			w.t.Fatalf("payload of %v: %v, %d bytes left", sig.Control.Op, err, len(d.Rest()))
		}
		got.payload = term
	}
	return got
}

func (w *wire) send(c *Control, payload any) *Stream {
	w.t.Helper()
	st, err := w.s.Append(&w.b, c, payload)
	if err != nil {
		w.t.Fatal(err)
	}
	return st
}

func TestEveryOpArrives(t *testing.T) {
	for name, flags := range modes {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, flags|FlagAltactSig)
			for range 2 { // the second time from the cache
				for _, test := range controls {
					var payload any
					if test.c.Op.HasPayload() {
						payload = etf.Tuple{etf.Atom("payload"), pidA, int64(test.c.Op)}
					}
					if st := w.send(&test.c, payload); st != nil {
						t.Fatalf("%s is fragmented", test.text)
					}
					got := w.carry()
					if len(got) != 1 || !reflect.DeepEqual(got[0].c, test.c) || !reflect.DeepEqual(got[0].payload, payload) {
						t.Errorf("%s arrives as %+v", test.text, got)
					}
				}
			}
		})
	}
}

// The bytes of each mode, written by hand from erl_ext_dist and
// erl_dist_protocol. The slots of the cache are whatever the hash says, so the
// header is checked by its parts.
func TestFrameBytes(t *testing.T) {
	signal := Control{Op: OpRegSend, From: pidA, ToName: "x"}
	ctl := func(a, empty, x string) string {
		return "h\x04a\x06X" + a + "\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03" + empty + x
	}
	inline := ctl("w\x03a@h", "w\x00", "w\x01x")
	cached := ctl("R\x00", "R\x01", "R\x02")
	t.Run("pass-through", func(t *testing.T) {
		w := newWire(t, modes["pass-through"])
		w.send(&signal, etf.Atom("x"))
		want := "p\x83" + inline + "\x83w\x01x"
		if got := w.frames(); len(got) != 1 || string(got[0]) != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
	t.Run("no cache", func(t *testing.T) {
		w := newWire(t, modes["no cache"])
		w.send(&signal, etf.Atom("x"))
		want := "\x83D\x00" + inline + "w\x01x"
		if got := w.frames(); len(got) != 1 || string(got[0]) != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
	t.Run("cache", func(t *testing.T) {
		w := newWire(t, flagsOTP25)
		w.send(&signal, etf.Atom("x"))
		w.send(&signal, etf.Atom("x"))
		got := w.frames()
		first := got[0]
		// 131 68, 3 atoms, 2 bytes of flags of which all are new and short.
		if string(first[:3]) != "\x83D\x03" || first[3]&0x88 != 0x88 || first[4]&0xf8 != 0x08 {
			t.Errorf("header % x", first[:5])
		}
		if string(first[6:10]) != "\x03a@h" || first[11] != 0 || string(first[13:15]) != "\x01x" || string(first[15:]) != cached+"R\x02" {
			t.Errorf("first frame %q", first[5:])
		}
		want := append([]byte("\x83D\x03"), first[3]&^0x88, first[4]&^0x08, first[5], first[10], first[12])
		want = append(want, cached+"R\x02"...)
		if !bytes.Equal(got[1], want) {
			t.Errorf("second frame %q, want %q", got[1], want)
		}
	})
}

func TestTicks(t *testing.T) {
	w := newWire(t, FlagsSupported)
	w.b.AppendTick()
	w.b.AppendTick()
	if got := w.frames(); len(got) != 2 || len(got[0]) != 0 {
		t.Errorf("%q", got)
	}
	if sig, err := w.r.Frame(nil); sig != nil || err != nil {
		t.Errorf("%v, %v", sig, err)
	}
}
