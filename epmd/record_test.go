package epmd

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// record rewrites testdata from Erlang's own epmd:
//
//	go test ./epmd -run TestRecord -record
//
// Commit what changes only after understanding why.
var record = flag.Bool("record", false, "rewrite testdata/*.txt from the epmd on PATH")

func TestRecord(t *testing.T) {
	if !*record {
		t.Skip("not recording: -record was not given (the recorded files are checked by TestTranscripts)")
	}
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts in testdata", err)
	}
	for _, path := range files {
		recordFile(t, path)
	}
}

func recordFile(t *testing.T, path string) {
	tr := loadTranscript(t, filepath.Base(path))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	daemon := exec.CommandContext(ctx, "epmd", append([]string{"-port", strconv.Itoa(tr.port), "-address", "127.0.0.1"}, tr.flags...)...)
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); daemon.Wait() }()
	addr := fmt.Sprintf("127.0.0.1:%d", tr.port)
	waitForServer(t, addr)

	// Creations count seconds, so a whole file has to fit in one.
	time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second + 20*time.Millisecond)))
	start := time.Now().Unix()
	var out strings.Builder
	conns := map[string]net.Conn{}
	for _, s := range tr.steps {
		switch {
		case s.comment != "" || s.conn == "":
			if strings.HasPrefix(s.comment, "# time") {
				s.comment = fmt.Sprintf("# time %d", start)
			}
			fmt.Fprintln(&out, s.comment)
		case s.op == ">":
			if conns[s.conn] == nil {
				c, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				conns[s.conn] = c
			}
			conns[s.conn].Write(s.data)
			fmt.Fprintf(&out, "%s > %s\n", s.conn, formatBytes(s.data))
			recordReplies(&out, conns, s.conn)
		case s.op == "close":
			conns[s.conn].Close()
			delete(conns, s.conn)
			fmt.Fprintf(&out, "%s close\n", s.conn)
			time.Sleep(20 * time.Millisecond)
		}
	}
	for _, c := range conns {
		c.Close()
	}
	if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// recordReplies reads every open connection until it is quiet, the one that
// just spoke for longer.
func recordReplies(out io.Writer, conns map[string]net.Conn, spoke string) {
	for _, name := range slices.Sorted(maps.Keys(conns)) {
		c := conns[name]
		quiet := time.Millisecond
		if name == spoke {
			quiet = 15 * time.Millisecond
		}
		c.SetReadDeadline(time.Now().Add(quiet))
		data, err := io.ReadAll(bufio.NewReader(c))
		if len(data) > 0 {
			fmt.Fprintf(out, "%s < %s\n", name, formatBytes(data))
		}
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			fmt.Fprintf(out, "%s eof\n", name)
			c.Close()
			delete(conns, name)
		}
	}
}

func waitForServer(t *testing.T, addr string) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("nothing answers at %s", addr)
}
