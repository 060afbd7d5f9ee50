package epmd

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A transcript is a conversation with an epmd, one step a line:
//
//	a > 0001 "n"      send these bytes on connection a, which is opened by its first line
//	a < 00001111      these bytes are read, no more and no less
//	a eof             the server closed the connection
//	a close           we close it
//
// Strings stand for their bytes. testdata holds transcripts recorded from
// Erlang's own epmd; the same file is played against our server.
type transcript struct {
	flags []string // of the epmd command line, from "# flags ..."
	port  int      // epmd's own, from "# port N"
	start int64    // unix time of the first registration, from "# time N"
	steps []step
}

type step struct {
	line    int
	conn    string
	op      string // ">", "<", "eof", "close"
	data    []byte
	comment string // a whole line, kept when recording
}

func loadTranscript(t testing.TB, file string) transcript {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var tr transcript
	for i, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		fields := strings.Fields(line)
		s := step{line: i + 1}
		switch {
		case len(fields) == 0 || fields[0] == "#":
			s.comment = line
			tr.header(t, fields)
		case len(fields) >= 2:
			s.conn, s.op = fields[0], fields[1]
			_, rest, _ := strings.Cut(line, s.op)
			s.data, err = parseBytes(rest)
			if err != nil {
				t.Fatalf("%s:%d: %v", file, i+1, err)
			}
		default:
			t.Fatalf("%s:%d: %q is not a step", file, i+1, line)
		}
		tr.steps = append(tr.steps, s)
	}
	return tr
}

func (tr *transcript) header(t testing.TB, fields []string) {
	if len(fields) < 3 {
		return
	}
	var err error
	switch fields[1] {
	case "flags":
		tr.flags = fields[2:]
	case "port":
		tr.port, err = strconv.Atoi(fields[2])
	case "time":
		tr.start, err = strconv.ParseInt(fields[2], 10, 64)
	}
	if err != nil {
		t.Fatal(err)
	}
}

var byteToken = regexp.MustCompile(`^\s*("(?:[^"\\]|\\.)*"|[0-9a-f]+)`)

func parseBytes(s string) ([]byte, error) {
	var out []byte
	for strings.TrimSpace(s) != "" {
		m := byteToken.FindString(s)
		if m == "" {
			return nil, fmt.Errorf("%q is neither hex nor a string", s)
		}
		s = s[len(m):]
		token := strings.TrimSpace(m)
		if token[0] == '"' {
			text, err := strconv.Unquote(token)
			if err != nil {
				return nil, err
			}
			out = append(out, text...)
			continue
		}
		raw, err := hex.DecodeString(token)
		if err != nil {
			return nil, err
		}
		out = append(out, raw...)
	}
	return out, nil
}

var printable = regexp.MustCompile(`[a-zA-Z0-9 <>:,./=\n-]{4,}`)

// formatBytes is the inverse of parseBytes: text where there is some, else hex.
func formatBytes(b []byte) string {
	var parts []string
	rest := 0
	for _, span := range printable.FindAllIndex(b, -1) {
		if span[0] > rest {
			parts = append(parts, hex.EncodeToString(b[rest:span[0]]))
		}
		parts = append(parts, strconv.Quote(string(b[span[0]:span[1]])))
		rest = span[1]
	}
	if rest < len(b) {
		parts = append(parts, hex.EncodeToString(b[rest:]))
	}
	return strings.Join(parts, " ")
}

func TestTranscriptBytesRoundTrip(t *testing.T) {
	for _, b := range [][]byte{{0, 1, 'n'}, []byte("\x00\x00\x11\x11name web at port 4711\n"), {}, []byte("a\"b\\long enough")} {
		back, err := parseBytes(formatBytes(b))
		if err != nil || !bytes.Equal(back, b) {
			t.Errorf("%x became %q became %x, %v", b, formatBytes(b), back, err)
		}
	}
}
