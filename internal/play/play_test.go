package play_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/truss-beam/truss/internal/beam"
)

// TestProgram runs the real command with real processes.
func TestProgram(t *testing.T) {
	truss := filepath.Join(t.TempDir(), "truss")
	if runtime.GOOS == "windows" {
		truss += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", truss, "../../cmd/truss").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := program{truss}
	t.Run("check", func(t *testing.T) { t.Parallel(); p.check(t) })
	t.Run("check on one address", func(t *testing.T) { t.Parallel(); p.check(t, "--one-address") })
	t.Run("check gives up", func(t *testing.T) { t.Parallel(); p.checkGivesUp(t) })
	t.Run("session", func(t *testing.T) { t.Parallel(); p.session(t) })
	t.Run("killed", func(t *testing.T) { t.Parallel(); p.killed(t) })
	t.Run("machine ends with its input", func(t *testing.T) { t.Parallel(); p.machine(t) })
	t.Run("mistakes", func(t *testing.T) { t.Parallel(); p.mistakes(t) })
}

type program struct{ path string }

// limit is for machines in trouble: all of it takes a second.
const limit = 60 * time.Second

// run returns what it prints and the exit code.
func (p program) run(t *testing.T, input string, args ...string) (out, errs string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), p.path, append([]string{"play"}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

func (p program) check(t *testing.T, more ...string) {
	out, errs, code := p.run(t, "", append([]string{"--check", "--json"}, more...)...)
	if code != 0 || errs != "" {
		t.Fatalf("exit code %d: %s\n%s", code, errs, out)
	}
	var objects []map[string]any
	for line := range strings.Lines(out) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if object["ok"] != true {
			t.Errorf("not ok: %s", line)
		}
		objects = append(objects, object)
	}
	const steps = 11
	if len(objects) != steps+1 {
		t.Fatalf("%d lines, want one for each of %d steps and the sum:\n%s", len(objects), steps, out)
	}
	states := map[any]int{}
	for _, m := range objects[steps]["machines"].([]any) {
		states[m.(map[string]any)["state"]]++
	}
	if states["running"] != 4 || states["stopped"] != 1 {
		t.Errorf("the machines at the end: %v", states)
	}
}

func (p program) checkGivesUp(t *testing.T) {
	out, errs, code := p.run(t, "", "--check", "--timeout", "1ms")
	if code != 1 || !strings.Contains(errs, "check failed at step 1 of 11, start 3 machines") && !strings.Contains(errs, "--timeout 1ms is over") {
		t.Errorf("exit code %d: %s\n%s", code, errs, out)
	}
}

func (p program) session(t *testing.T) {
	out, errs, code := p.run(t, "machines\nscale 4\nnodes\ncall m4 {hi, <<\"x\">>}\nclone m1 --region syd\nregions\nrpc primary {a, 1}\nrpc syd b\nbroadcast {to, all}\nquit\n")
	if code != 0 || errs != "" {
		t.Fatalf("exit code %d: %s\n%s", code, errs, out)
	}
	for _, want := range []string{
		"m1 m2 m3 joined: each sees the others after ",
		"play> machines\n", "play> scale 4\nm4 joined: seen by m1 m2 m3 after ",
		"  lists  m1   m2   m3   m4\n  m1     .    yes  yes  yes\n", "  m4     yes  yes  yes  .\n",
		`{hi,<<"x">>}  from demo@127.0.`, "m5 joined: seen by m1 m2 m3 m4 after ",
		"  m1   fra  fra  fra  fra  syd\n", "  m5   fra  fra  fra  fra  syd\n",
		"{a,1}  ran on demo@127.0.", ", called by m5, after ", "b  ran on demo@127.0.", "m1 has reached m1 m2 m3 m4 m5  after ", "stopping the machines\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

// killed kills the play as nobody can prevent, and wants its machines to end.
func (p program) killed(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), p.path, "play", "--json", "--machines", "2")
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var addrs []string
	for scanner := bufio.NewScanner(output); len(addrs) == 0 && scanner.Scan(); {
		var object struct {
			Machines []any `json:"machines"`
		}
		if err := json.Unmarshal(scanner.Bytes(), &object); err != nil {
			t.Fatalf("%v: %s", err, scanner.Text())
		}
		for _, m := range object.Machines {
			if m, ok := m.(map[string]any); ok { // else it is the ids of those that joined
				_, host, _ := strings.Cut(m["node"].(string), "@")
				addrs = append(addrs, net.JoinHostPort(host, fmt.Sprint(m["port"])))
			}
		}
	}
	if len(addrs) != 2 {
		t.Fatalf("machines at %v", addrs)
	}
	for _, addr := range addrs {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, output)
	_ = cmd.Wait()
	for _, addr := range addrs {
		for deadline := time.Now().Add(limit); ; time.Sleep(5 * time.Millisecond) {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				break
			}
			conn.Close()
			if time.Now().After(deadline) {
				t.Fatalf("the machine at %s outlives the play by %v", addr, limit)
			}
		}
	}
}

// machine is the portable half of that: without any death signal.
func (p program) machine(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), p.path, "play", "machine", "--",
		"node", "--name", "demo@127.0.0.1", "--listen", "127.0.0.1", "--epmd", "none", "--port", freePort(t))
	cmd.Env = append(os.Environ(), "TRUSS_COOKIE=secret")
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	if !lines.Scan() || lines.Text() != "ready demo@127.0.0.1" {
		t.Fatalf("it prints %q", lines.Text())
	}
	input.Close()
	if lines.Scan() {
		t.Errorf("then it prints %q", lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func freePort(t *testing.T) string { return strconv.Itoa(beam.FreePort(t)) }

func (p program) mistakes(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--machines", "0"}, 2, "truss: --machines 0 is not between 1 and 48"},
		{[]string{"--check", "--timeout", "0s"}, 2, "truss: --timeout 0s allows no time at all"},
		{[]string{"--beam", "--one-address"}, 1, "--beam needs"},
		{[]string{"m1"}, 2, "m1"},
	} {
		_, errs, code := p.run(t, "", c.args...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit code %d, %s; want %d and %q", c.args, code, errs, c.code, c.want)
		}
	}
}
