package cli

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/truss-beam/truss/epmd"
)

// beginEpmd serves an epmd by the command until the test ends.
func beginEpmd(t *testing.T, flags ...string) (e *running, port string) {
	t.Helper()
	port = freePort(t)
	e = begin(t, append([]string{"epmd", "-port", port, "-address", "127.0.0.1"}, flags...)...)
	if got := e.line(t); got != "ready "+port {
		t.Fatalf("%q", got)
	}
	return e, port
}

func register(t *testing.T, port, name string) {
	t.Helper()
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	client := epmd.Client{Port: number}
	registered, err := client.Register(t.Context(), "127.0.0.1", epmd.Registration{Name: name, Port: 9})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { registered.Close() })
}

func TestEpmd(t *testing.T) {
	e, port := beginEpmd(t)
	register(t, port, "app")
	if got := command(t, "epmd", "-names", "-port", port).ok(t); got != "app 9\n" {
		t.Errorf("%q", got)
	}
	command(t, "epmd", "-kill", "-port", port).fails(t, exitFailed, "cannot kill the epmd at port "+port, "nodes are registered")
	command(t, "epmd", "-stop", "app", "-port", port).fails(t, exitFailed, "cannot stop app", "--relaxed-command-check")
	command(t, "epmd", "-port", port).fails(t, exitFailed, "cannot serve epmd at port "+port, "truss epmd --names")
	if got := command(t, "epmd", "-daemon", "-port", port).ok(t); got != "" {
		t.Errorf("where one is there already, --daemon prints %q", got)
	}
	if left := e.end(); left.code != exitOK || left.err != "" || left.out != "" {
		t.Errorf("%+v", left)
	}
	command(t, "epmd", "-names", "-port", port).fails(t, exitFailed, "no epmd")
	command(t, "epmd", "-kill", "-port", port).fails(t, exitFailed, "no epmd")
}

// TestEpmdKill ends an epmd from outside.
func TestEpmdKill(t *testing.T) {
	e, port := beginEpmd(t)
	if got := command(t, "epmd", "--kill", "--port", port).ok(t); got != "killed\n" {
		t.Errorf("%q", got)
	}
	if left := <-e.result; left.code != exitOK {
		t.Errorf("%+v", left)
	}
}

// TestEpmdRelaxed has the flag and the variable that allow what else is refused.
func TestEpmdRelaxed(t *testing.T) {
	_, port := beginEpmd(t, "-relaxed_command_check")
	register(t, port, "app")
	o := object(t, command(t, "epmd", "--stop", "app", "--port", port, "--json").ok(t))
	if o["done"] != "stopped" {
		t.Errorf("%v", o)
	}
	t.Setenv("ERL_EPMD_RELAXED_COMMAND_CHECK", "1")
	_, port = beginEpmd(t)
	register(t, port, "app")
	command(t, "epmd", "--kill", "--port", port).ok(t)
}

// TestEpmdEnvironment has the port and the addresses from the environment.
func TestEpmdEnvironment(t *testing.T) {
	port := freePort(t)
	t.Setenv("ERL_EPMD_PORT", port)
	t.Setenv("ERL_EPMD_ADDRESS", "127.0.0.1")
	e := begin(t, "epmd", "--json")
	if o := object(t, e.line(t)); o["event"] != "ready" || strconv.Itoa(int(o["port"].(float64))) != port {
		t.Errorf("%v", o)
	}
	command(t, "epmd", "--names").ok(t)
	t.Setenv("ERL_EPMD_ADDRESS", "nowhere")
	command(t, "epmd").fails(t, exitUsage, `"nowhere"`)
	t.Setenv("ERL_EPMD_PORT", "nowhere")
	command(t, "epmd").fails(t, exitUsage, "ERL_EPMD_PORT")
}

// TestAwaitEpmd has a daemon that ends instead of serving, as one does that comes
// second, and one that never answers.
func TestAwaitEpmd(t *testing.T) {
	number, err := strconv.Atoi(freePort(t))
	if err != nil {
		t.Fatal(err)
	}
	client := &epmd.Client{Port: number}
	ended := make(chan error, 1)
	ended <- context.Canceled
	if err := awaitEpmd(t.Context(), client, ended); err == nil || !strings.Contains(err.Error(), "ended at once") {
		t.Errorf("%v", err)
	}
	expired, cancel := context.WithCancel(t.Context())
	cancel()
	if err := awaitEpmd(expired, client, nil); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("%v", err)
	}
}
