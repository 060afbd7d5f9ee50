package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/epmd"
	"github.com/truss-beam/truss/internal/beam"
)

// TestMain takes away what of the environment would decide a test.
func TestMain(m *testing.M) {
	for _, name := range []string{
		"TRUSS_COOKIE", "RELEASE_COOKIE", "RELEASE_NODE", "RELEASE_DISTRIBUTION", "FLY_APP_NAME", "DNS_CLUSTER_QUERY",
		"FLY_REGION", "MY_REGION",
		"ERL_EPMD_PORT", "ERL_EPMD_ADDRESS", "ERL_EPMD_RELAXED_COMMAND_CHECK",
	} {
		os.Unsetenv(name)
	}
	os.Setenv("HOME", os.DevNull) // where there is no .erlang.cookie
	os.Exit(m.Run())
}

const cookie = "secret"

// result is what a command left.
type result struct {
	code     int
	out, err string
}

// command runs a command line to its end, with nothing on standard input.
func command(t *testing.T, args ...string) result {
	t.Helper()
	return commandWith(t, "", args...)
}

func commandWith(t *testing.T, in string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := Run(t.Context(), args, strings.NewReader(in), &out, &errs)
	return result{code, out.String(), errs.String()}
}

// ok wants success, nothing on standard error, and returns the output.
func (r result) ok(t *testing.T) string {
	t.Helper()
	if r.code != exitOK || r.err != "" {
		t.Fatalf("exit %d, standard error %q", r.code, r.err)
	}
	return r.out
}

// fails wants an exit code, nothing on standard output, and on standard error one
// line with all of the texts.
func (r result) fails(t *testing.T, code int, texts ...string) {
	t.Helper()
	if r.code != code || r.out != "" {
		t.Errorf("exit %d, want %d; standard output %q", r.code, code, r.out)
	}
	if strings.Count(r.err, "\n") != 1 || !strings.HasPrefix(r.err, "truss: ") {
		t.Errorf("standard error %q is not one line of truss", r.err)
	}
	for _, text := range texts {
		if !strings.Contains(r.err, text) {
			t.Errorf("standard error %q lacks %q", r.err, text)
		}
	}
}

// object reads one line of JSON.
func object(t *testing.T, line string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(line), &o); err != nil || strings.Count(line, "\n") > 1 {
		t.Fatalf("%q is not one JSON object: %v", line, err)
	}
	return o
}

// serveEpmd runs an epmd until the test ends and returns its address.
func serveEpmd(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- new(epmd.Server).Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		<-served
	})
	return listener.Addr().String()
}

func freePort(t *testing.T) string { return strconv.Itoa(beam.FreePort(t)) }

// startNode starts a node with an echo and a rex, and returns it with the epmd it
// is registered at.
func startNode(t *testing.T, name string) (*truss.Node, string) {
	t.Helper()
	address := serveEpmd(t)
	node, err := truss.Start(t.Context(), truss.Config{
		Name: name, Cookie: cookie, Listen: "127.0.0.1", Epmd: address, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := node.Serve("echo", echo{node}); err != nil {
		t.Fatal(err)
	}
	if err := serveRPC(node); err != nil {
		t.Fatal(err)
	}
	return node, address
}

// running is a command that has not ended.
type running struct {
	lines  *bufio.Scanner
	stop   context.CancelFunc
	result chan result
}

// begin runs a command line until stopped or the test ends.
func begin(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	r := &running{bufio.NewScanner(reader), cancel, make(chan result, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var errs bytes.Buffer
		code := Run(ctx, args, strings.NewReader(""), writer, &errs)
		writer.Close()
		r.result <- result{code: code, err: errs.String()}
	}()
	t.Cleanup(func() {
		cancel()
		reader.Close()
		<-ended
	})
	return r
}

// line returns the next line of output.
func (r *running) line(t *testing.T) string {
	t.Helper()
	if !r.lines.Scan() {
		t.Fatalf("no more output: %v; %+v", r.lines.Err(), <-r.result)
	}
	return r.lines.Text()
}

// end stops the command and returns what it left, the rest of its output included.
func (r *running) end() result {
	r.stop()
	rest := ""
	for r.lines.Scan() {
		rest += r.lines.Text() + "\n"
	}
	left := <-r.result
	left.out = rest
	return left
}

// portOf is the port of an address.
func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func text(format string, args ...any) string { return fmt.Sprintf(format, args...) }
