package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/truss-beam/truss/internal/beam"
)

// build builds the program and returns its file.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "truss")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

func freePort(t *testing.T) string { return strconv.Itoa(beam.FreePort(t)) }

// TestProgram is what the tests of internal/cli cannot have: processes with
// signals and exit codes, and one in the background.
func TestProgram(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no SIGTERM to send")
	}
	program := build(t)
	environment := append(os.Environ(), "ERL_EPMD_PORT="+freePort(t), "ERL_EPMD_ADDRESS=127.0.0.1", "TRUSS_COOKIE=secret", "DNS_CLUSTER_QUERY=")
	run := func(args ...string) (string, error) {
		cmd := exec.Command(program, args...)
		cmd.Env = environment
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	// Relaxed, because a name may still be there for a moment when it is to end.
	if out, err := run("epmd", "-daemon", "-relaxed_command_check"); err != nil || out != "" {
		t.Fatalf("epmd -daemon: %v, %q", err, out)
	}
	t.Cleanup(func() {
		if out, err := run("epmd", "-kill"); err != nil || out != "killed\n" {
			t.Errorf("epmd -kill: %v, %q", err, out)
		}
	})
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(signal.String(), func(t *testing.T) { testSignal(t, program, environment, run, signal) })
	}
	if out, err := run("ping", "nobody@127.0.0.1"); exitCode(err) != 1 || !strings.HasPrefix(out, "truss: cannot connect to nobody@127.0.0.1") {
		t.Errorf("ping of nobody: %v, %q", err, out)
	}
	if out, err := run("ping"); exitCode(err) != 2 {
		t.Errorf("ping without a node: %v, %q", err, out)
	}
}

// testSignal runs a node until the signal.
func testSignal(t *testing.T, program string, environment []string, run func(...string) (string, error), signal os.Signal) {
	name := signal.String() + "@127.0.0.1" // of its own: epmd may take a moment to forget one
	node := exec.Command(program, "node", "--name", name, "--listen", "127.0.0.1", "--epmd", "127.0.0.1")
	node.Env = environment
	var errs bytes.Buffer
	node.Stderr = &errs
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Process.Kill() }) // it has ended, unless the test failed
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready "+name {
		t.Fatalf("the node prints %q; %s", lines.Text(), &errs)
	}
	if got, err := run("call", name, "echo", "{hello, world}"); err != nil || got != "{hello,world}\n" {
		t.Errorf("call: %v, %q", err, got)
	}
	if err := node.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		t.Errorf("one more line: %s", lines.Text())
	}
	if err := node.Wait(); err != nil || errs.Len() > 0 {
		t.Errorf("the node ends with %v, standard error %q", err, &errs)
	}
}

func exitCode(err error) int {
	if exit, ok := err.(*exec.ExitError); ok {
		return exit.ExitCode()
	}
	return 0
}
