package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/truss-beam/truss"
)

// programVariable makes the test binary a Truss node of its own instead: one that
// can be killed and frozen as only a whole program can be. Its value is a
// programConfig.
const programVariable = "TRUSS_INTEROP_PROGRAM"

type programConfig struct {
	Name, Cookie, Listen, Epmd string // of truss.Config, as are the next two
	Port                       int
	TickTime                   time.Duration
	Dial, DialAddr             string // whom to connect to once up, and where if not by epmd
}

func (c programConfig) truss() truss.Config {
	return truss.Config{Name: c.Name, Cookie: c.Cookie, Listen: c.Listen, Epmd: c.Epmd, Port: c.Port, TickTime: c.TickTime}
}

// runProgram runs a node until standard input ends. It prints "ready", then its
// events, and has a gen_server called who that answers os_pid.
func runProgram(text string) int {
	var config programConfig
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		return fail(err)
	}
	ctx := context.Background()
	n, err := truss.Start(ctx, config.truss())
	if err != nil {
		return fail(err)
	}
	defer n.Close()
	if _, err := n.Serve("who", who{}); err != nil {
		return fail(err)
	}
	go func() {
		for event := range n.Events(ctx) {
			fmt.Printf("event %s %v %v\n", event.Node, event.Up, event.Reason)
		}
	}()
	if config.DialAddr != "" {
		err = n.ConnectAddr(ctx, config.Dial, config.DialAddr)
	} else if config.Dial != "" {
		err = n.Connect(ctx, config.Dial)
	}
	if err != nil {
		return fail(err)
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

func fail(err error) int {
	fmt.Println("failed:", err)
	return 1
}

type who struct{}

func (who) HandleCall(context.Context, truss.From, truss.Message) (any, error) {
	return os.Getpid(), nil
}

// program is such a node, running.
type program struct {
	cmd   *exec.Cmd
	lines chan string
}

// startProgram returns once the program is up and connected.
func startProgram(t *testing.T, config programConfig) *program {
	t.Helper()
	return startProgramBy(t, exec.Command(os.Args[0]), config)
}

// startProgramBy is startProgram with a command that runs this program in some
// other surroundings.
func startProgramBy(t *testing.T, cmd *exec.Cmd, config programConfig) *program {
	t.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	p := &program{cmd: cmd, lines: make(chan string, 1000)}
	p.cmd.Env = append(os.Environ(), programVariable+"="+string(text))
	p.cmd.Stderr = t.Output()
	stdin, err := p.cmd.StdinPipe() // ends with this program: then it ends too
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			p.lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() {
		p.kill()
		stdin.Close()
	})
	p.await(t, "ready")
	return p
}

// await waits for a line that begins so.
func (p *program) await(t *testing.T, prefix string) {
	t.Helper()
	timeout := time.After(limit)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				t.Fatalf("the program ended, waiting for its line %q", prefix)
			}
			if strings.HasPrefix(line, prefix) {
				return
			}
			t.Logf("program %d: %s", p.cmd.Process.Pid, line)
		case <-timeout:
			t.Fatalf("no line %q of the program within %v", prefix, limit)
		}
	}
}

// kill ends the program by SIGKILL and returns when it is gone. The second time
// it does nothing.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	for range p.lines { // Wait closes the pipe: first read it to its end
	}
	_ = p.cmd.Wait()
}

func (p *program) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}
