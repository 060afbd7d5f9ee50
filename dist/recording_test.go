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
		if m.from == from && len(out)+len(m.body) < 1<<16 {
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
		text = fmt.Sprintf("%s... %d characters", text[:100], len(text))
	}
	return text, err
}
