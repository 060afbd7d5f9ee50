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

func TestLowering(t *testing.T) {
	old := FlagsMandatory | FlagDistHdrAtomCache
	reason := etf.Atom("why")
	tests := []struct {
		flags Flags
		c     Control
		want  Op // 0: ErrNotNegotiated
	}{
		{FlagsSupported, Control{Op: OpSendSender}, OpSendSender},
		{old, Control{Op: OpSendSender}, OpSend},
		{old, Control{Op: OpSendSenderTT}, OpSendTT},
		{old, Control{Op: OpPayloadExit}, OpExit},
		{old, Control{Op: OpPayloadExitTT}, OpExitTT},
		{old, Control{Op: OpPayloadExit2}, OpExit2},
		{old, Control{Op: OpPayloadExit2TT}, OpExit2TT},
		{old, Control{Op: OpPayloadMonitorPExit}, 0},
		{old | FlagDistMonitor, Control{Op: OpPayloadMonitorPExit}, OpMonitorPExit},
		{old | FlagDistMonitor, Control{Op: OpMonitorP}, OpMonitorP},
		{old | FlagDistMonitor, Control{Op: OpMonitorP, ToName: "x"}, 0},
		{old, Control{Op: OpDemonitorP}, 0},
		{old, Control{Op: OpSpawnRequest}, 0},
		{old, Control{Op: OpAliasSend}, 0},
		{old, Control{Op: OpUnlinkID, ID: 1}, OpUnlinkID},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactPriority}, OpSendSender},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactToken}, OpSendSenderTT},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactPriority | AltactName, ToName: "x"}, OpRegSend},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactToken | AltactName, ToName: "x"}, OpRegSendTT},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactAlias}, OpAliasSend},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactAlias | AltactToken}, OpAliasSendTT},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactExit | AltactPriority}, OpPayloadExit2},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactExit | AltactAlias}, 0},
		{old, Control{Op: OpAltactSigSend, Flags: AltactExit}, OpExit2},
		{old, Control{Op: OpAltactSigSend}, OpSend},
	}
	for _, test := range tests {
		c := test.c
		c.From, c.To, c.Ref, c.Leader, c.Token = pidA, pidB, refA, leader, token
		given := c
		var payload any
		raw := []byte(nil)
		if c.Op.HasPayload() {
			payload = reason
			raw, _ = new(etf.Encoder).Append(nil, reason)
		}
		for _, isRaw := range []bool{false, true} {
			w := newWire(t, test.flags)
			var err error
			if isRaw {
				_, err = w.s.AppendRaw(&w.b, &c, raw)
			} else {
				_, err = w.s.Append(&w.b, &c, payload)
			}
			if !reflect.DeepEqual(c, given) {
				t.Errorf("%v was changed", test.c.Op)
			}
			if test.want == 0 {
				if !errors.Is(err, ErrNotNegotiated) || w.b.Len() != 0 {
					t.Errorf("%v to %v: %v", test.c.Op, test.flags, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%v to %v: %v", test.c.Op, test.flags, err)
				continue
			}
			got := w.carry()[0]
			if got.c.Op != test.want {
				t.Errorf("%v goes out as %v, want %v", test.c.Op, got.c.Op, test.want)
			}
			if c.Op.HasPayload() && got.payload != reason && got.c.Reason != reason {
				t.Errorf("%v goes out as %v without its payload", test.c.Op, got.c.Op)
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
		t.Error("64 KiB are fragmented")
	}
	if st := w.send(&Control{Op: OpSendSender, From: pidA, To: pidB}, make([]byte, fragmentSize-4)); st == nil {
		t.Error("more than 64 KiB are not fragmented")
	}
}

// Many senders at once, with small signals and fragments of large ones in any
// interleaving, atoms coming and going by the thousand: what each sends comes
// out unchanged and in its order.
func TestInterleavings(t *testing.T) {
	for name, flags := range modes {
		t.Run(name, func(t *testing.T) {
			for range 3 {
				seed := rand.Uint64()
				interleave(t, flags, seed)
				if t.Failed() {
					t.Fatalf("with seed %d", seed)
				}
			}
		})
	}
}

func interleave(t *testing.T, flags Flags, seed uint64) {
	const senders, signals = 8, 400
	rnd := rand.New(rand.NewPCG(seed, 0))
	w := newWire(t, flags)
	sent := make([][]etf.Term, senders)
	streams := make([]*Stream, senders)
	got := make([][]etf.Term, senders)
	for left := signals; left > 0 || active(streams); {
		who := rnd.IntN(senders)
		switch {
		case streams[who] != nil:
			if !streams[who].Next(&w.b) {
				streams[who] = nil
			}
		case left > 0:
			left--
			payload := randomTerm(rnd, rnd.IntN(12) == 0)
			sent[who] = append(sent[who], payload)
			from := etf.Pid{Node: "a@h", ID: uint32(who), Creation: 1}
			streams[who] = w.send(&Control{Op: OpSendSender, From: from, To: pidB}, payload)
		}
		for _, r := range w.carry() {
			who := r.c.From.ID
			got[who] = append(got[who], r.payload)
		}
	}
	for who := range sent {
		if !reflect.DeepEqual(got[who], sent[who]) {
			t.Errorf("sender %d: %d signals sent, %d came, or others", who, len(sent[who]), len(got[who]))
		}
	}
}

func active(streams []*Stream) bool {
	for _, st := range streams {
		if st != nil {
			return true
		}
	}
	return false
}

// randomTerm makes lists of atoms out of 5000, more than the cache holds, and if
// large, binaries that take several fragments.
func randomTerm(rnd *rand.Rand, large bool) etf.Term {
	list := etf.List{etf.Tuple{int64(rnd.Uint32()), pidA, refA}}
	for range rnd.IntN(40) {
		n := rnd.IntN(5000)
		list = append(list, etf.Atom(strings.Repeat("ä", n%7*20)+fmt.Sprint(n)))
	}
	if large {
		list = append(list, make([]byte, rnd.IntN(5*fragmentSize)), etf.Atom("between"), make([]byte, rnd.IntN(2*fragmentSize)))
	}
	return list
}
