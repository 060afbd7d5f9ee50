package epmd

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParseNames(t *testing.T) {
	tests := []struct {
		text string
		want []NamePort // nil: malformed
	}{
		{"", []NamePort{}},
		{"name web at port 4711\n", []NamePort{{"web", 4711}}},
		{"name a at port 1\nname b at port 0\n", []NamePort{{"a", 1}, {"b", 0}}},
		{"name a at port 2 at port 1\n", []NamePort{{"a at port 2", 1}}},
		{"name x\ny at port 7\nname é at port 8\n", []NamePort{{"é", 8}}},
		{"name  at port 1\n", []NamePort{{"", 1}}},
		{"name a at port 65536\n", nil},
		{"name a at port 1", nil},
		{"nome a at port 1\n", nil},
		{"name a at port -1\n", nil},
		{"name a\n", nil},
		{"\n", nil},
	}
	for _, tt := range tests {
		got, err := parseNames([]byte(tt.text))
		if tt.want == nil {
			if !errors.Is(err, ErrProtocol) {
				t.Errorf("%q: %v, %v, want ErrProtocol", tt.text, got, err)
			}
			continue
		}
		if err != nil || len(got) != len(tt.want) || len(got) > 0 && !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: %v, %v, want %v", tt.text, got, err, tt.want)
		}
	}
}

func TestMalformedReplies(t *testing.T) {
	tests := map[string]struct {
		read func(io.Reader) error
		data string
		want error
	}{
		"alive: nothing":         {aliveErr, "", io.ErrUnexpectedEOF},
		"alive: half":            {aliveErr, "v\x00\x00\x00", io.ErrUnexpectedEOF},
		"alive: another reply":   {aliveErr, "w\x00\x00\x00\x00\x00", ErrProtocol},
		"alive: refused":         {aliveErr, "v\x01\x00\x00\x00\x63", ErrNameTaken},
		"alive: refused, old":    {aliveErr, "y\x01\x00\x63", ErrNameTaken},
		"port: nothing":          {portErr, "", io.ErrUnexpectedEOF},
		"port: unknown":          {portErr, "w\x01", ErrUnknownName},
		"port: another reply":    {portErr, "HTTP/1.1 400 Bad Request", ErrProtocol},
		"port: half":             {portErr, "w\x00\x12\x67M\x00\x00\x06\x00\x05\x00\x03we", io.ErrUnexpectedEOF},
		"port: no extra":         {portErr, "w\x00\x12\x67M\x00\x00\x06\x00\x05\x00\x03web", io.ErrUnexpectedEOF},
		"port: name too long":    {portErr, "w\x00\x12\x67M\x00\x00\x06\x00\x05\xff\xff", ErrProtocol},
		"port: extra too long":   {portErr, "w\x00\x12\x67M\x00\x00\x06\x00\x05\x00\x01w\xff\xff", ErrProtocol},
		"listing: half a port":   {listErr, "\x00\x00", io.ErrUnexpectedEOF},
		"listing: never ends":    {listErr, strings.Repeat("name a at port 1\n", maxListing/16), ErrProtocol},
		"word: another":          {wordErr, "YES", ErrProtocol},
		"word: half":             {wordErr, "N", io.ErrUnexpectedEOF},
		"port: complete, no EOF": {portErr, "w\x00\x12\x67M\x00\x00\x06\x00\x05\x00\x01w\x00\x00more", nil},
	}
	for name, tt := range tests {
		if err := tt.read(strings.NewReader(tt.data)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func aliveErr(r io.Reader) error { _, err := readAliveReply(r); return err }
func portErr(r io.Reader) error  { _, err := readPortReply(r); return err }
func listErr(r io.Reader) error  { _, err := readListing(r); return err }
func wordErr(r io.Reader) error  { _, err := readWord(r, 2, killed, notNow); return err }

// seeds returns every byte string of the transcripts that went in one direction.
func seeds(f *testing.F, op string) [][]byte {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatal("no transcripts", err)
	}
	var all [][]byte
	for _, path := range files {
		for _, s := range loadTranscript(f, filepath.Base(path)).steps {
			if s.op == op {
				all = append(all, s.data)
			}
		}
	}
	return all
}

// FuzzRequest gives the server's parsers anything: what they take, they give
// back unchanged.
func FuzzRequest(f *testing.F) {
	for _, b := range seeds(f, ">") {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		body, err := readRequest(bytes.NewReader(data))
		if err != nil {
			return
		}
		if len(body) == 0 || len(body) > maxRequest {
			t.Fatalf("a body of %d bytes", len(body))
		}
		if r, err := parseAlive(body); err == nil {
			again, err := parseAlive(r.append(nil)[2:])
			if err != nil || again != r {
				t.Errorf("%+v became %+v, %v", r, again, err)
			}
		}
		if name, err := parsePortPlease(body); err == nil && !validName(name) {
			t.Errorf("took the name %q", name)
		}
		// All of the server but its sockets, as a local and trusted peer.
		v := &serving{Server: Server{Relaxed: true}.withDefaults(), stop: func() {}}
		v.mu.names = newRegistry(3)
		ours, theirs := net.Pipe()
		theirs.Close()
		defer ours.Close()
		for fd := range 3 {
			var out bytes.Buffer
			x := &exchange{serving: v, conn: ours, local: true, fd: fd, out: bufio.NewWriterSize(&out, 16)}
			if err := x.answer(body); err == nil {
				x.out.Flush()
				if out.Len() == 0 || out.Len() > 3*(maxNameBytes+100)+maxExtra {
					t.Errorf("an answer of %d bytes to %q", out.Len(), body)
				}
			}
			if x.hold != (body[0] == opAlive2 && out.Len() > 0) {
				t.Errorf("held: %t, answer: %q", x.hold, &out)
			}
		}
		if len(v.mu.names.live) > 1 {
			t.Errorf("one name was registered %d times", len(v.mu.names.live))
		}
	})
}

// FuzzReply gives the client's parsers anything.
func FuzzReply(f *testing.F) {
	for _, b := range seeds(f, "<") {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		readAliveReply(bytes.NewReader(data))
		readWord(bytes.NewReader(data), 7, stopped, notThere)
		if e, err := readPortReply(bytes.NewReader(data)); err == nil {
			if len(e.Name) > maxNameBytes || len(e.Extra) > maxExtra {
				t.Errorf("an entry of %d and %d bytes", len(e.Name), len(e.Extra))
			}
		}
		text, err := readListing(bytes.NewReader(data))
		if err != nil {
			return
		}
		names, err := parseNames(text)
		if err != nil {
			return
		}
		var back []byte
		for _, n := range names {
			back = appendNameLine(back, &aliveRequest{name: n.Name, port: n.Port})
		}
		if parsed, err := parseNames(back); err != nil || !reflect.DeepEqual(parsed, names) {
			t.Errorf("%v became %v, %v", names, parsed, err)
		}
	})
}
