package dist

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// FuzzReceiver feeds frames, each with its four bytes of length, to a receiver.
// What it takes as a signal must survive being sent on by AppendRaw's own rules:
// a control message that parses can be written and parses to the same again.
func FuzzReceiver(f *testing.F) {
	for _, flags := range modes {
		w := newWire(f, flags)
		for _, test := range controls {
			var payload any
			if test.c.Op.HasPayload() {
				payload = etf.Atom("payload")
			}
			if _, err := w.s.Append(&w.b, &test.c, payload); err != nil {
				continue // op 37 where it is not negotiated
			}
		}
		f.Add(uint64(flags), bytes.Join(w.b.Chunks(nil), nil))
	}
	var stream []byte
	for _, body := range [][]byte{first(1, 3, "a"), {}, next(1, 2, ""), first(9, 1, "j"), next(1, 1, "\x01")} {
		stream = append(binary.BigEndian.AppendUint32(stream, uint32(len(body))), body...)
	}
	f.Add(uint64(flagsOTP25), stream)
	for _, rec := range recordings(f) {
		f.Add(uint64(rec.flags), rec.stream('a'))
		f.Add(uint64(rec.flags), rec.stream('b'))
	}
	f.Fuzz(func(t *testing.T, flags uint64, stream []byte) {
		limits := ReceiveLimits{Message: 1 << 16, Reassembly: 1 << 17, Sequences: 16, Fragments: 64}
		r := NewReceiver(Flags(flags), limits)
		for len(stream) >= 4 {
			n := min(int(binary.BigEndian.Uint32(stream)), len(stream)-4)
			sig, err := r.Frame(stream[4 : 4+n])
			stream = stream[4+n:]
			if err != nil {
				return
			}
			if r.held > limits.Reassembly || len(r.seqs) > limits.Sequences || (len(r.seqs) == 0 && r.held != 0) {
				t.Fatalf("%d bytes in %d sequences", r.held, len(r.seqs))
			}
			if sig != nil {
				checkAgain(t, &sig.Control)
			}
		}
	})
}

func checkAgain(t *testing.T, c *Control) {
	e := etf.Encoder{Records: true}
	b, err := c.Append(nil, &e)
	if err != nil {
		t.Fatalf("%v came but cannot be sent: %v", c.Op, err)
	}
	var d etf.Decoder
	d.Reset(b, nil)
	var again Control
	if err := again.Parse(&d); err != nil {
		t.Fatalf("%v: %v", c.Op, err)
	}
	b2, err := again.Append(nil, &e)
	if err != nil || !bytes.Equal(b, b2) {
		t.Fatalf("%v: % x and % x (%v)", c.Op, b, b2, err)
	}
}

// FuzzAcceptor plays a whole handshake with whatever is thrown at it.
func FuzzAcceptor(f *testing.F) {
	a := NewInitiator(localA, localB.Name, cookie, 1)
	hello := a.AppendName(nil)
	if err := a.Challenge(NewAcceptor(localB, 2).AppendChallenge(nil)); err != nil {
		f.Fatal(err)
	}
	reply := a.AppendReply(nil)
	f.Add(hello, []byte("strue"), []byte("c12345678"), reply)
	f.Add([]byte("n\x00\x05\x07\xdf\x7f\xbda@h"), []byte("sfalse"), []byte("c\x00\x00\x00\x0d\x00\x00\x00\x01"), reply)
	f.Add(NewInitiator(Local{Name: "h", Flags: FlagsSupported | FlagNameMe}, "", "", 0).AppendName(nil), []byte{}, []byte{}, reply)
	for _, rec := range recordings(f) {
		f.Add(rec.handshake[0].body, []byte("strue"), []byte{}, rec.handshake[3].body)
	}
	f.Fuzz(func(t *testing.T, hello, alive, complement, reply []byte) {
		h := NewAcceptor(localB, 2)
		peer, err := h.Name(hello)
		if err != nil {
			if h.Result() != (Result{}) {
				t.Fatal("a result without a name")
			}
			return
		}
		if !peer.Dynamic && CheckName(peer.Name) != nil {
			t.Fatalf("name %q passes", peer.Name)
		}
		h.Alive(alive)
		if peer.Old && h.Complement(complement) != nil {
			return
		}
		proof := digest(cookie, 2)
		if err := h.Reply(reply, cookie); err != nil {
			return
		}
		if !bytes.Contains(reply, proof[:]) || h.Result().Flags.Missing() != 0 {
			t.Fatalf("%+v with reply % x", h.Result(), reply)
		}
	})
}

// FuzzInitiator does the same on the other side.
func FuzzInitiator(f *testing.F) {
	b := NewAcceptor(localB, 2)
	proof := digest(cookie, 1)
	ack := append([]byte{'a'}, proof[:]...)
	for _, status := range []string{"sok", "sok_simultaneous", "salive", "snok", "snot_allowed", "snamed:\x00\x0ax@10.0.0.1\x00\x00\x00\x01"} {
		f.Add([]byte(status), b.AppendChallenge(nil), ack, status == "snamed")
	}
	for _, rec := range recordings(f) {
		f.Add(rec.handshake[1].body, rec.handshake[2].body, rec.handshake[4].body, false)
	}
	f.Fuzz(func(t *testing.T, status, challenge, ack []byte, dynamic bool) {
		local := localA
		if dynamic {
			local = Local{Name: "10.0.0.1", Flags: FlagsSupported | FlagNameMe}
		}
		h := NewInitiator(local, localB.Name, cookie, 1)
		h.AppendName(nil)
		if _, err := h.Status(status); err != nil {
			return
		}
		if err := h.Challenge(challenge); err != nil {
			return
		}
		if err := h.Ack(ack); err != nil {
			return
		}
		r := h.Result()
		if r.Peer.Name != localB.Name || r.Flags.Missing() != 0 || CheckName(r.Local.Name) != nil {
			t.Fatalf("%+v", r)
		}
	})
}
