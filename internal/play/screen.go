package play

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// screen is where results go: text for people, or one object a line.
type screen struct {
	json  bool
	color bool

	mu  sync.Mutex // guards out: one write at a time
	out io.Writer
}

// newScreen has colours on a terminal that is not dumb, unless NO_COLOR is set.
func newScreen(out io.Writer, json bool) *screen {
	_, isTerminal := terminalOf(out)
	color := isTerminal && !json && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return &screen{out: out, json: json, color: color}
}

// terminalOf returns the descriptor of a reader or writer that is a terminal.
func terminalOf(stream any) (fd int, is bool) {
	file, ok := stream.(*os.File)
	if !ok {
		return 0, false
	}
	fd = int(file.Fd())
	return fd, term.IsTerminal(fd)
}

// say prints a text, or with --json an object; nil is nothing. It is one write,
// so that lines from several sources do not mix. That nobody reads is no reason
// to stop.
func (s *screen) say(text string, object any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.json {
		_, _ = io.WriteString(s.out, strings.TrimSuffix(text, "\n")+"\n")
		return
	}
	if object == nil {
		return
	}
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(object) == nil {
		_, _ = s.out.Write(line.Bytes())
	}
}

// writeTo changes where everything goes, and returns where it went before.
func (s *screen) writeTo(out io.Writer) (old io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, s.out = s.out, out
	return old
}

func (s *screen) paint(code, text string) string {
	if !s.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s *screen) bold(text string) string  { return s.paint("1", text) }
func (s *screen) dim(text string) string   { return s.paint("2", text) }
func (s *screen) red(text string) string   { return s.paint("31", text) }
func (s *screen) green(text string) string { return s.paint("32", text) }
