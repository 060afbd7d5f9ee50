package dist

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// recording is a connection between two nodes as it went over the wire, the file
// format of testdata/*.txt:
//
//	cookie truss_interop
//	flags 0xd07df7fbd                  what both announced
//	# any comment
//	a> 4e000000…                       a message of the dialling node, in hex
//	b< 736f6b                          one of the other; a run of equal bytes is 78*65000
//	  = {22,<…>,<…>} {hello,42}        the signal that this frame completes
//
// The handshake comes first, through the message "a" (acknowledgement). Lengths
// are left out.
type recording struct {
	name      string
	cookie    string
	flags     Flags
	handshake []message
	frames    []message
}

type message struct {
	from    byte // 'a' dialled, 'b' was dialled
	body    []byte
	signal  string // as the file has it
	comment string
}

// stream is all frames of one side as one stream of bytes.
func (r *recording) stream(from byte) (out []byte) {
	for _, m := range r.frames {
		if m.from == from && len(out)+len(m.body) < 1<<13 {
			out = binary.BigEndian.AppendUint32(out, uint32(len(m.body)))
			out = append(out, m.body...)
		}
	}
	return out
}

// recordings loads all of testdata.
func recordings(t testing.TB) (all []*recording) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings in testdata", err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := parseRecording(string(text))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		rec.name = strings.TrimSuffix(filepath.Base(path), ".txt")
		all = append(all, rec)
	}
	return all
}

func parseRecording(text string) (*recording, error) {
	rec := new(recording)
	last := &rec.handshake
	for i, line := range strings.Split(text, "\n") {
		key, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "", "#":
		case "cookie":
			rec.cookie = rest
		case "flags":
			n, err := strconv.ParseUint(rest, 0, 64)
			if err != nil {
				return nil, err
			}
			rec.flags = Flags(n)
		case "a>", "b<":
			body, err := unhex(rest)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			*last = append(*last, message{from: key[0], body: body})
			if last == &rec.handshake && len(body) > 0 && body[0] == tagAck {
				last = &rec.frames
			}
		case "=":
			(*last)[len(*last)-1].signal = rest
		default:
			return nil, fmt.Errorf("line %d: %q", i+1, key)
		}
	}
	if len(rec.handshake) < 5 || len(rec.frames) == 0 {
		return nil, fmt.Errorf("%d messages of handshake, %d frames", len(rec.handshake), len(rec.frames))
	}
	return rec, nil
}

// enhex prints bytes in hex, runs of 32 and more as XX*N.
func enhex(b []byte) string {
	var out strings.Builder
	plain := 0
	flush := func(to int) {
		if plain < to {
			if out.Len() > 0 {
				out.WriteByte(' ')
			}
			out.WriteString(hex.EncodeToString(b[plain:to]))
		}
	}
	for i := 0; i < len(b); {
		j := i
		for j < len(b) && b[j] == b[i] {
			j++
		}
		if j-i >= 32 {
			flush(i)
			if out.Len() > 0 {
				out.WriteByte(' ')
			}
			fmt.Fprintf(&out, "%02x*%d", b[i], j-i)
			plain = j
		}
		i = j
	}
	flush(len(b))
	return out.String()
}

func unhex(text string) (b []byte, err error) {
	for part := range strings.FieldsSeq(text) {
		digits, count, run := strings.Cut(part, "*")
		piece, err := hex.DecodeString(digits)
		if err != nil {
			return nil, err
		}
		n := 1
		if run {
			if n, err = strconv.Atoi(count); err != nil {
				return nil, err
			}
		}
		b = append(b, bytes.Repeat(piece, n)...)
	}
	return b, nil
}

// describe prints a signal as recordings have it.
func describe(sig *Signal) (string, error) {
	var e etf.Encoder
	b, err := sig.Control.Append(nil, &e)
	if err != nil {
		return "", err
	}
	text, err := describeTerm(b, nil)
	if err != nil || !sig.Control.Op.HasPayload() {
		return sig.Control.Op.String() + " " + text, err
	}
	payload, err := describeTerm(sig.Payload, sig.Atoms)
	return sig.Control.Op.String() + " " + text + " + " + payload, err
}

func describeTerm(b []byte, atoms []etf.Term) (string, error) {
	var d etf.Decoder
	d.Reset(b, atoms)
	term, err := d.Term()
	if err == nil && len(d.Rest()) > 0 {
		err = fmt.Errorf("%d bytes too many", len(d.Rest()))
	}
	text := strings.ReplaceAll(etf.Format(term), "\n", " ")
	if len(text) > 400 {
		text = fmt.Sprintf("%s... %d bytes", strings.ToValidUTF8(text[:100], ""), len(text))
	}
	return text, err
}

// TestRecordings plays every recorded handshake with our machines, which must
// make each message byte for byte as OTP made it, and reads every frame.
func TestRecordings(t *testing.T) {
	ops := map[Op]bool{}
	for _, rec := range recordings(t) {
		t.Run(rec.name, func(t *testing.T) {
			checkHandshake(t, rec)
			again := map[byte]*wire{'a': newWire(t, rec.flags), 'b': newWire(t, rec.flags)}
			for _, w := range again {
				w.s.fragment = 64 << 10 // OTP's
			}
			receivers := map[byte]*Receiver{'a': NewReceiver(rec.flags, ReceiveLimits{}), 'b': NewReceiver(rec.flags, ReceiveLimits{})}
			for i, m := range rec.frames {
				sig, err := receivers[m.from].Frame(m.body)
				if err != nil {
					t.Fatalf("frame %d (%s): %v", i, m.signal, err)
				}
				if sig == nil {
					if m.signal != "" {
						t.Errorf("frame %d is no signal, but %s", i, m.signal)
					}
					continue
				}
				text, err := describe(sig)
				if err != nil || text != m.signal {
					t.Errorf("frame %d is\n%s, %v, want\n%s", i, text, err, m.signal)
				}
				ops[sig.Control.Op] = true
				resend(t, again[m.from], sig, m)
			}
		})
	}
	for op := range Op(opCount) {
		// No OTP sends UNLINK any more, nor a token with exit/2.
		if op.info().name != "" && !ops[op] && op != OpUnlink && op != OpPayloadExit2TT && op != OpExit2TT {
			t.Errorf("%v is in no recording", op)
		}
	}
}

func checkHandshake(t *testing.T, rec *recording) {
	t.Helper()
	var got [][]byte
	hello, reply := rec.handshake[0].body, rec.handshake[3].body
	challenge := frame{b: rec.handshake[2].body}
	challenge.u8()
	b := Local{Flags: Flags(challenge.u64())}
	bChallenge := challenge.u32()
	b.Creation, b.Name = challenge.u32(), challenge.name()

	acceptor := NewAcceptor(b, bChallenge)
	peer, err := acceptor.Name(hello)
	if err != nil {
		t.Fatal(err)
	}
	a := Local{Name: peer.Name, Flags: peer.Flags, Creation: peer.Creation}
	initiator := NewInitiator(a, b.Name, rec.cookie, binary.BigEndian.Uint32(reply[1:]))
	got = append(got, initiator.AppendName(nil), acceptor.AppendStatus(nil, StatusOK), acceptor.AppendChallenge(nil))
	status, err := initiator.Status(rec.handshake[1].body)
	if err != nil || status != StatusOK {
		t.Fatal(status, err)
	}
	if err := initiator.Challenge(rec.handshake[2].body); err != nil {
		t.Fatal(err)
	}
	got = append(got, initiator.AppendReply(nil))
	if err := acceptor.Reply(reply, rec.cookie); err != nil {
		t.Fatal(err)
	}
	got = append(got, acceptor.AppendAck(nil))
	if err := initiator.Ack(rec.handshake[4].body); err != nil {
		t.Fatal(err)
	}
	for i, m := range rec.handshake {
		if !bytes.Equal(got[i], m.body) {
			t.Errorf("message %d: % x, OTP sent % x", i, got[i], m.body)
		}
	}
	if f := initiator.Result().Flags; f != rec.flags || acceptor.Result().Flags != f {
		t.Errorf("flags %v, recorded %v", f, rec.flags)
	}
}

// resend sends a signal of OTP's by our own means. Without an atom cache there
// is one way to say it, so the bytes must be OTP's; with one, it must be read as
// the same.
func resend(t *testing.T, w *wire, sig *Signal, m message) {
	t.Helper()
	c := sig.Control
	var payload any
	if c.Op.HasPayload() {
		payload = w.read(sig).payload
	}
	for st := w.send(&c, payload); st != nil && st.Next(&w.b); {
	}
	bodies := w.frames()
	if w.s.cache == nil && len(bodies) == 1 && !bytes.Equal(bodies[0], m.body) {
		t.Errorf("%s\nwe send % x\nOTP did % x", m.signal, bodies[0], m.body)
	}
	for _, body := range bodies {
		got, err := w.r.Frame(body)
		if err != nil {
			t.Fatalf("%s: %v", m.signal, err)
		}
		if got == nil {
			continue
		}
		if text, err := describe(got); err != nil || text != m.signal {
			t.Errorf("sent on it is\n%s, %v, want\n%s", text, err, m.signal)
		}
	}
}
