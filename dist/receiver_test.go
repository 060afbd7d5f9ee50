package dist

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// ctlSend is {22, <0.0.0>@a, <0.0.0>@a} with atoms written out.
var ctlSend = "h\x03a\x16" + strings.Repeat("Xw\x01a\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03", 2)

// fragment opens a frame of a sequence.
func fragment(tag byte, seq, id uint64, rest string) []byte {
	b := binary.BigEndian.AppendUint64([]byte{version, tag}, seq)
	return append(binary.BigEndian.AppendUint64(b, id), rest...)
}

func first(seq, id uint64, rest string) []byte {
	return fragment(tagFirst, seq, id, "\x00"+ctlSend+rest)
}

func next(seq, id uint64, rest string) []byte { return fragment(tagNext, seq, id, rest) }

// Each row is frames of which the last breaks the protocol (protocol.md C lists
// what OTP closes a connection for), and what the error says.
func TestReceiverRefuses(t *testing.T) {
	small := ReceiveLimits{Message: 100, Reassembly: 4096, Sequences: 2, Fragments: 10}
	header := func(rest string) []byte { return []byte("\x83D" + rest) }
	tests := map[string]struct {
		flags  Flags
		frames [][]byte
		text   string
	}{
		"version":            {flagsOTP25, [][]byte{{130, 68, 0}}, "opens with byte 130"},
		"too short":          {flagsOTP25, [][]byte{{131}}, "opens with"},
		"tag":                {flagsOTP25, [][]byte{{131, 71, 0}}, "unknown distribution header 71"},
		"pass-through":       {flagsOTP25, [][]byte{[]byte("p\x83" + ctlSend + "\x83a\x01")}, "opens with byte 112"},
		"header":             {modes["pass-through"], [][]byte{header("\x00" + ctlSend + "a\x01")}, "opens with byte 131"},
		"no version":         {modes["pass-through"], [][]byte{[]byte("p" + ctlSend + "\x83a\x01")}, "opens with"},
		"no version in msg":  {modes["pass-through"], [][]byte{[]byte("p\x83" + ctlSend + "a\x01")}, "SEND_SENDER: the message"},
		"only 112":           {modes["pass-through"], [][]byte{[]byte("p")}, "opens with"},
		"refs without cache": {modes["no cache"], [][]byte{header("\x01\x08\x00\x01a" + ctlSend + "a\x01")}, "atom cache was not negotiated"},
		"no header":          {flagsOTP25, [][]byte{header("")}, "cut off"},
		"cut flags":          {flagsOTP25, [][]byte{header("\x04\x00\x00")}, "4 atoms cut off"},
		"cut refs":           {flagsOTP25, [][]byte{header("\x02\x88\x00\x00\x01a")}, "cut off at atom 1 of 2"},
		"cut atom":           {flagsOTP25, [][]byte{header("\x01\x08\x00\x02a")}, "atom 0"},
		"cut length":         {flagsOTP25, [][]byte{header("\x01\x08\x00")}, "atom 0"},
		"cut long length":    {flagsOTP25, [][]byte{header("\x01\x18\x00\x00")}, "atom 0"},
		"atom not UTF-8":     {flagsOTP25, [][]byte{header("\x01\x08\x00\x01\xff" + ctlSend + "a\x01")}, "no atom"},
		"atom of 256 chars":  {flagsOTP25, [][]byte{header("\x01\x18\x00\x01\x00" + strings.Repeat("x", 256))}, "no atom"},
		"unset slot":         {flagsOTP25, [][]byte{header("\x01\x02\x07" + ctlSend + "a\x01")}, "slot 519, which is unset"},
		"ref out of range":   {flagsOTP25, [][]byte{header("\x01\x08\x00\x01ah\x02R\x01R\x00")}, "number"},
		"ref out of range 2": {flagsOTP25, [][]byte{header("\x01\x08\x00\x01ah\x03a\x06R\x01R\x00")}, "REG_SEND"},
		"no message":         {flagsOTP25, [][]byte{header("\x00" + ctlSend)}, "SEND_SENDER: the message, reason or arguments are missing"},
		"no control":         {flagsOTP25, [][]byte{header("\x00")}, "no tuple"},
		"unknown op":         {flagsOTP25, [][]byte{header("\x00h\x01a\x05")}, "unknown control message 5 of arity 1"},
		"unlink":             {flagsOTP25, [][]byte{header("\x00h\x03a\x04jj")}, "UNLINK: forbidden"},
		"arity":              {flagsOTP25, [][]byte{header("\x00h\x04a\x01jjj")}, "LINK: arity 4 instead of 3"},

		"fragment, no flag":    {modes["no fragments"], [][]byte{first(1, 1, "a\x01")}, "FRAGMENTS was not negotiated"},
		"short fragment":       {flagsOTP25, [][]byte{first(1, 1, "")[:17]}, "17 bytes"},
		"fragment 0":           {flagsOTP25, [][]byte{first(1, 0, "a\x01")}, "count down to 1"},
		"skipped id":           {flagsOTP25, [][]byte{first(1, 3, "a"), next(1, 1, "\x01")}, "fragment 1 of sequence 1 instead of 2"},
		"repeated id":          {flagsOTP25, [][]byte{first(1, 3, "a"), next(1, 2, "\x01"), next(1, 2, "\x01")}, "instead of 1"},
		"not begun":            {flagsOTP25, [][]byte{next(1, 1, "\x01")}, "has not begun"},
		"ended":                {flagsOTP25, [][]byte{first(1, 2, "a"), next(1, 1, "\x01"), next(1, 1, "\x01")}, "has not begun"},
		"live sequence reused": {flagsOTP25, [][]byte{first(1, 3, "a"), first(1, 2, "a")}, "begins again"},
		"nothing in pieces":    {flagsOTP25, [][]byte{first(1, 2, ""), next(1, 1, "")}, "missing"},
		"LINK in pieces":       {flagsOTP25, [][]byte{fragment(tagFirst, 1, 2, "\x00h\x03a\x01"+ctlSend[4:])}, "LINK: in fragments"},

		"too many announced": {flagsOTP25, [][]byte{first(1, 11, "a")}, "announces 11 fragments, the limit is 10"},
		"2^63 announced":     {flagsOTP25, [][]byte{first(1, 1<<63, "a")}, "announces"},
		"too many sequences": {flagsOTP25, [][]byte{first(1, 2, "a"), first(2, 2, "a"), first(3, 2, "a")}, "more than 2 incomplete"},
		"too large":          {flagsOTP25, [][]byte{first(1, 3, "a"), next(1, 2, strings.Repeat("x", 100))}, "over 100 bytes"},
		"too large at once":  {flagsOTP25, [][]byte{first(1, 3, strings.Repeat("x", 101))}, "over 100 bytes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := NewReceiver(test.flags, small)
			for i, frame := range test.frames {
				sig, err := r.Frame(frame)
				if i < len(test.frames)-1 {
					if err != nil {
						t.Fatalf("frame %d: %v", i, err)
					}
					continue
				}
				var perr *ProtocolError
				if sig != nil || !errors.As(err, &perr) || !strings.Contains(err.Error(), test.text) {
					t.Errorf("%v, %v; want %q", sig, err, test.text)
				}
			}
		})
	}
}

func TestReassemblyLimit(t *testing.T) {
	r := NewReceiver(flagsOTP25, ReceiveLimits{Reassembly: 10000})
	var err error
	n := 0
	for ; err == nil && n < 100; n++ {
		_, err = r.Frame(first(uint64(n), 2, "a"))
	}
	if !errors.Is(err, ErrTooLarge) || n != 10 {
		t.Errorf("after %d sequences: %v", n, err)
	}
}

// What OTP accepts although OTP does not send it.
func TestReceiverAccepts(t *testing.T) {
	for name, frames := range map[string][][]byte{
		"empty pieces":                        {first(1, 4, ""), next(1, 3, "a"), next(1, 2, ""), next(1, 1, "\x01")},
		"a lone first fragment":               {first(1, 1, "a\x01")},
		"an ended sequence reused":            {first(1, 1, "a\x01"), first(1, 2, "a"), next(1, 1, "\x01")},
		"sequence 0":                          {first(0, 2, "a"), next(0, 1, "\x01")},
		"others between":                      {first(1, 2, "a"), nil, first(2, 2, "a"), []byte("\x83D\x00" + ctlSend + "a\x01"), next(1, 1, "\x01"), next(2, 1, "\x01")},
		"long atoms":                          {[]byte("\x83D\x01\x18\x00\x00\x01a" + ctlSend + "R\x00")},
		"bytes behind a control without load": {[]byte("\x83D\x00h\x03a\x01" + ctlSend[4:] + "xyz")},
	} {
		r := NewReceiver(flagsOTP25, ReceiveLimits{})
		var last *Signal
		for i, f := range frames {
			sig, err := r.Frame(f)
			if err != nil {
				t.Fatalf("%s: frame %d: %v", name, i, err)
			}
			last = sig
		}
		if last == nil {
			t.Errorf("%s: no signal", name)
		} else if last.Control.Op.HasPayload() && string(last.Payload) != "a\x01" && string(last.Payload) != "R\x00" {
			t.Errorf("%s: payload %q", name, last.Payload)
		}
	}
}

// Signals of pairs of processes that alternate share one table per pair.
func TestAtomTablesAlternate(t *testing.T) {
	r := NewReceiver(flagsOTP25, ReceiveLimits{})
	frames := [][]byte{}
	for i := range 5 {
		f := []byte("\x83D\x02\x88\x00\x00\x01x_\x01_" + ctlSend + "R\x01")
		f[8] = byte(i + 1)
		f[10] = byte('0' + i)
		if _, err := r.Frame(f); err != nil {
			t.Fatal(err)
		}
		frames = append(frames, append([]byte("\x83D\x02\x00\x00\x00"), append([]byte{byte(i + 1)}, ctlSend+"R\x01"...)...))
	}
	tables := map[*etf.Term]bool{}
	for range 2 {
		for _, f := range frames {
			sig, err := r.Frame(f)
			if err != nil {
				t.Fatal(err)
			}
			tables[&sig.Atoms[0]] = true
		}
	}
	if len(tables) != len(frames) {
		t.Errorf("%d tables for %d pairs", len(tables), len(frames))
	}
}

func TestErrorsTellWhere(t *testing.T) {
	r := NewReceiver(flagsOTP25, ReceiveLimits{})
	_, err := r.Frame([]byte("\x83D\x00h\x03a\x01" + ctlSend[4:20] + "a\x00"))
	var perr *ProtocolError
	if !errors.As(err, &perr) || perr.Op != OpLink || perr.Offset < 23 || perr.Offset > 25 {
		t.Errorf("%v", err)
	}
}

// A table that was handed out must not change when slots do, and is handed out
// again while it holds.
func TestAtomTablesAreSnapshots(t *testing.T) {
	r := NewReceiver(flagsOTP25, ReceiveLimits{})
	table := func(refs string) []etf.Term {
		t.Helper()
		sig, err := r.Frame([]byte("\x83D" + refs + ctlSend + "R\x00"))
		if err != nil {
			t.Fatal(err)
		}
		return sig.Atoms
	}
	one := table("\x01\x08\x05\x01x")
	if again := table("\x01\x00\x05"); &again[0] != &one[0] {
		t.Error("an unchanged table is made anew")
	}
	if again := table("\x01\x08\x05\x01x"); &again[0] != &one[0] {
		t.Error("a slot set to what it holds makes the table anew")
	}
	two := table("\x01\x08\x05\x01y")
	if !reflect.DeepEqual(one, []etf.Term{etf.Atom("x")}) || !reflect.DeepEqual(two, []etf.Term{etf.Atom("y")}) {
		t.Errorf("%v, %v", one, two)
	}
	// One header may set a slot twice: each reference means what it held then.
	if got := table("\x02\x88\x00\x05\x01p\x05\x01q"); !reflect.DeepEqual(got, []etf.Term{etf.Atom("p"), etf.Atom("q")}) {
		t.Errorf("%v", got)
	}
	// Likewise a sequence keeps the table of its first fragment.
	if _, err := r.Frame(fragment(tagFirst, 1, 2, "\x01\x08\x05\x01s"+ctlSend+"R")); err != nil {
		t.Fatal(err)
	}
	table("\x01\x08\x05\x01z")
	sig, err := r.Frame(next(1, 1, "\x00"))
	if err != nil || !reflect.DeepEqual(sig.Atoms, []etf.Term{etf.Atom("s")}) || string(sig.Payload) != "R\x00" {
		t.Errorf("%+v, %v", sig, err)
	}
}

// Frames of fragments may be used again: nothing that they brought may change.
func TestFragmentsKeepNothing(t *testing.T) {
	const both = Flags(FlagsSupported)
	s, r := NewSender(both), NewReceiver(both, ReceiveLimits{})
	payload := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	token := []byte("a token with a binary")
	var b Buffer
	stream, err := s.Append(&b, &Control{Op: OpSendSenderTT, From: pidA, To: pidB, Token: token}, payload)
	if err != nil || stream == nil {
		t.Fatal(stream, err)
	}
	for stream.Next(&b) {
	}
	wire := bytes.Join(b.Chunks(nil), nil)
	for len(wire) > 0 {
		n := int(binary.BigEndian.Uint32(wire))
		frame := bytes.Clone(wire[4 : 4+n])
		wire = wire[4+n:]
		sig, err := r.Frame(frame)
		if err != nil {
			t.Fatal(err)
		}
		clear(frame)
		if sig == nil {
			continue
		}
		var d etf.Decoder
		d.Reset(sig.Payload, sig.Atoms)
		got, err := d.Term()
		if err != nil || !sig.Own || !etf.Equal(got, payload) || !etf.Equal(sig.Control.Token, token) {
			t.Errorf("own %v, token %q, %v", sig.Own, sig.Control.Token, err)
		}
		return
	}
	t.Error("no signal came")
}

func TestPayloadAliasesFrame(t *testing.T) {
	r := NewReceiver(flagsOTP25, ReceiveLimits{})
	body := []byte("\x83D\x00" + ctlSend + "a\x01")
	sig, err := r.Frame(body)
	if err != nil || &sig.Payload[0] != &body[len(body)-2] {
		t.Errorf("payload is a copy (%v)", err)
	}
}

// TestPlacedFragments: a signal is the same whether its fragments come as frames or
// are read into their place, and what has no place is for Frame to judge.
func TestPlacedFragments(t *testing.T) {
	flags := flagsOTP25
	sender := NewSender(flags)
	payload := bytes.Repeat([]byte("0123456789abcdef"), 80<<10)
	ctl := Control{Op: OpSendSender, From: pidA, To: pidB}
	var b Buffer
	stream, err := sender.Append(&b, &ctl, payload)
	if err != nil || stream == nil {
		t.Fatal(stream, err)
	}
	for stream.Next(&b) {
		continue
	}
	wire := bytes.Join(b.Chunks(nil), nil)
	r := NewReceiver(flags, ReceiveLimits{})
	offered := 0
	r.Alloc = func(least, announced int) []byte {
		offered = announced
		return make([]byte, 0, announced)
	}
	var sig *Signal
	placed := 0
	for len(wire) > 0 {
		length := int(binary.BigEndian.Uint32(wire))
		body := wire[4 : 4+length]
		wire = wire[4+length:]
		if place := r.Place(body, length); place != nil {
			placed += copy(place, body[fragmentHead:])
			sig, err = r.Placed(body[:fragmentHead], len(place))
		} else {
			sig, err = r.Frame(body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if sig == nil || !sig.Own || !bytes.Equal(sig.Payload[5:], payload) {
		t.Error("the payload is not what was sent")
	}
	if rest := len(payload) - fragmentSize; placed < rest || offered < len(payload) {
		t.Errorf("%d of %d bytes were placed, in %d announced", placed, rest, offered)
	}
	for _, head := range []string{
		"\x83F" + strings.Repeat("\x00", 7) + "\x09" + strings.Repeat("\x00", 7) + "\x01", // not begun
		"\x83E" + strings.Repeat("\x00", 7) + "\x01" + strings.Repeat("\x00", 7) + "\x01", // a first one
		"\x83D" + strings.Repeat("\x00", 20),
	} {
		if r.Place([]byte(head), 100) != nil {
			t.Errorf("%q has a place", head)
		}
	}
}

// What is allocated for a payload is at most twice what has come, unless large
// fragments announce it; and it is copied once if they come as announced.
func TestSequenceRoom(t *testing.T) {
	for _, test := range []struct {
		piece     int
		fragments uint64
		most      int // times the bytes that have come
	}{
		{1, 60_000, 2}, {1000, 60_000, 2}, {largePiece - 1, 100, 2}, {64 << 10, 16, 16}, {256 << 10, 40, 9},
	} {
		r := NewReceiver(flagsOTP25, ReceiveLimits{})
		var s sequence
		var want []byte
		moved := 0
		for i := range min(test.fragments, 200) {
			piece := bytes.Repeat([]byte{byte(i)}, test.piece)
			want = append(want, piece...)
			before := cap(s.payload)
			if err := r.grow(&s, len(piece), test.fragments-1-i); err != nil {
				t.Fatal(err)
			}
			s.payload = append(s.payload, piece...)
			if cap(s.payload) != before {
				moved++
			}
			if cap(s.payload) > test.most*len(want)+64 { // and what the allocator rounds up to
				t.Fatalf("%+v: after %d bytes %d are held", test, len(want), cap(s.payload))
			}
		}
		if !bytes.Equal(s.payload, want) || test.piece == 64<<10 && moved != 1 || test.piece == 256<<10 && moved > 3 {
			t.Errorf("%+v: %d bytes, want %d; allocated %d times", test, len(s.payload), len(want), moved)
		}
	}
}
