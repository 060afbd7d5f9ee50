package epmd

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// otp is one release of Erlang to test against.
type otp struct {
	release string
	root    string // of a chroot, or "/"
}

func (o otp) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if o.root != "/" {
		args = append([]string{o.root, name}, args...)
		name = "chroot"
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = os.Stderr
	return cmd
}

// wantOTPs are the releases of the support matrix.
var wantOTPs = []string{"25", "27", "29"}

// otps returns the releases there are, and skips the test if there is none.
func otps(t *testing.T) []otp {
	t.Helper()
	found := otpsIfAny(t)
	if len(found) == 0 {
		t.Skip("NOT TRIED: there is no erl on this machine")
	}
	return found
}

// otpsIfAny returns the releases there are, as scripts/peers.sh lists them, or the erl on PATH.
func otpsIfAny(t *testing.T) []otp {
	t.Helper()
	var found []otp
	list, err := exec.Command("bash", filepath.Join("..", "scripts", "peers.sh"), "list").Output()
	for line := range strings.Lines(string(list)) {
		release, root, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if ok && (root == "/" || os.Getuid() == 0) {
			found = append(found, otp{release, root})
		}
	}
	if len(found) == 0 {
		if _, errPath := exec.LookPath("erl"); errPath == nil {
			found = append(found, otp{"of PATH", "/"})
		}
	}
	for _, want := range wantOTPs {
		if !slices.ContainsFunc(found, func(o otp) bool { return o.release == want }) {
			t.Logf("NOT TRIED: OTP %s, which scripts/peers.sh does not list (%v)", want, err)
			if os.Getenv("TRUSS_INTEROP") == "require" {
				t.Errorf("TRUSS_INTEROP=require, and OTP %s is absent", want)
			}
		}
	}
	return found
}

// quietPort is below what the kernel hands out for outgoing connections.
func quietPort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.N(12000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port between 20000 and 32000")
	return 0
}

// process is a program that prints lines and ends with its input.
type process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string
	end   sync.Once
}

func startProcess(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, in: in, lines: make(chan string, 1000)}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *process) kill() {
	p.end.Do(func() {
		p.in.Close()
		p.cmd.Process.Kill()
		for range p.lines {
		}
		p.cmd.Wait()
	})
}

// line returns what follows the prefix in the next line that has it.
func (p *process) line(t *testing.T, prefix string) string {
	t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				t.Fatalf("%v ended without a line %q", p.cmd.Args, prefix)
			}
			if rest, ok := strings.CutPrefix(line, prefix); ok {
				return rest
			}
			t.Logf("%v: %s", p.cmd.Args, line)
		case <-timeout:
			t.Fatalf("%v printed no line %q", p.cmd.Args, prefix)
		}
	}
}

// beam starts an erl that evaluates what is written to it, a line at a time,
// with results as "= Term" in one line.
func beam(t *testing.T, o otp, port int, args ...string) *process {
	const loop = `F = fun F() -> case io:get_line("") of
		eof -> halt();
		L -> {ok, T, _} = erl_scan:string(L), {ok, E} = erl_parse:parse_exprs(T),
			{value, V, _} = erl_eval:exprs(E, []), io:format("= ~0tp~n", [V]), F() end end, F().`
	args = append([]string{"-noshell", "-setcookie", "interop", "-eval", loop}, args...)
	cmd := o.command(t.Context(), "erl", args...)
	// The port is given by the environment: -epmd_port does not reach the daemon
	// that erl starts, which would then be one on port 4369. If it has to start
	// one, that one may be killed by us.
	cmd.Env = append(os.Environ(), "ERL_EPMD_PORT="+strconv.Itoa(port), "ERL_EPMD_ADDRESS=127.0.0.1",
		"ERL_EPMD_RELAXED_COMMAND_CHECK=1", "HOME=/tmp")
	return startProcess(t, cmd)
}

func (p *process) eval(t *testing.T, expr string) string {
	t.Helper()
	fmt.Fprintln(p.in, expr)
	return p.line(t, "= ")
}

// until polls a condition, for what real programs do in their own time.
func until(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > limit {
			t.Fatalf("not within %v: %s", limit, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("%s: after %v", what, time.Since(began).Round(10*time.Millisecond))
}

func nameSet(c *Client) string {
	names, err := c.Names(context.Background(), "127.0.0.1")
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, n := range names {
		all = append(all, n.Name)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// TestMain turns the test binary into a member of its own process if told so.
func TestMain(m *testing.M) {
	if name := os.Getenv("TRUSS_EPMD_TEST_MEMBER"); name != "" {
		os.Exit(memberMain(name))
	}
	os.Exit(m.Run())
}

// memberMain joins under a name, says so, then answers each line of its input with
// what it is.
func memberMain(name string) int {
	m, err := Join(context.Background(), Config{Name: name, Port: 1, ListenAddrs: []string{"127.0.0.1", "::1"}})
	if err != nil {
		fmt.Println("failed", err)
		return 1
	}
	for in := bufio.NewScanner(os.Stdin); ; {
		fmt.Println("=", m.Serving(), m.Creation())
		if !in.Scan() {
			m.Close()
			return 0
		}
	}
}

func member(t *testing.T, name string, port int) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "TRUSS_EPMD_TEST_MEMBER="+name, "ERL_EPMD_PORT="+strconv.Itoa(port), "ERL_EPMD_ADDRESS=")
	return startProcess(t, cmd)
}
