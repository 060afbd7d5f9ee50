package beam

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

//go:embed agent.erl
var agent string

const agentVariable = "TRUSS_BEAM_AGENT"

// startLimit is how long a node may take to come up. It takes 0.2 s; a machine
// with two busy cores and ten nodes starting at once has needed 3 s.
const startLimit = 30 * time.Second

// Node is a running BEAM. Its methods may be called from any goroutine.
type Node struct {
	Name    string
	Cookie  string
	Release Release
	Port    int // where it listens if it has no epmd, else 0

	cmd     *exec.Cmd
	printed output
	control *control
	exited  chan struct{} // closed once the program has been reaped
	status  error         // what Wait said; read after exited
}

// Start starts a node and returns when it can evaluate. It is killed when the
// test ends; if the test failed, what the node printed is logged.
func (r Release) Start(t testing.TB, opts Options) *Node {
	t.Helper()
	n, err := r.TryStart(t, opts)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TryStart is Start for nodes that may fail to come up, because their name is
// taken for example. The error has what the node printed.
func (r Release) TryStart(t testing.TB, opts Options) (*Node, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	n := &Node{Name: opts.Name, Cookie: opts.Cookie, Release: r, Port: opts.Port, exited: make(chan struct{})}
	if n.cmd, err = r.nodeCommand(opts); err != nil {
		return nil, err
	}
	if err := n.run(); err != nil {
		return nil, fmt.Errorf("%s on OTP %s: %w", n.Name, r.OTP, err)
	}
	t.Cleanup(func() {
		n.Kill()
		if t.Failed() {
			t.Logf("%s on OTP %s printed:\n%s", n.Name, r.OTP, n.Output())
		}
	})
	select {
	case <-n.control.hello:
		return n, n.knowLocalhost()
	case <-n.exited:
		return nil, fmt.Errorf("%s on OTP %s did not come up: %s", n.Name, r.OTP, n.epitaph())
	case <-time.After(startLimit):
		n.Kill()
		return nil, fmt.Errorf("%s on OTP %s is not up after %v; it printed:\n%s", n.Name, r.OTP, startLimit, n.Output())
	}
}

// knowLocalhost makes sure the host "localhost" of short names has an address: a
// fresh chroot has no /etc/hosts.
func (n *Node) knowLocalhost() error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	_, err := n.Eval(ctx, `inet_db:add_host({127,0,0,1}, ["localhost"]), inet_db:set_lookup([file, native])`)
	return err
}

func (r Release) nodeCommand(opts Options) (*exec.Cmd, error) {
	program, args := "erl", opts.erlang
	if opts.Elixir {
		program, args = "elixir", opts.elixir
	}
	cmd, err := r.command(program, args()...)
	if err != nil {
		return nil, err
	}
	cmd.Env = append(cmd.Env, agentVariable+"="+agent)
	if opts.EPMD != 0 {
		cmd.Env = append(cmd.Env, "ERL_EPMD_PORT="+strconv.Itoa(opts.EPMD))
	}
	cmd.Env = append(cmd.Env, opts.Env...)
	if opts.Namespace != "" {
		r.enter(cmd, opts.Namespace)
	}
	return cmd, nil
}

// run starts the program with the control pipes as its descriptors 3 and 4.
func (n *Node) run() error {
	requestsOut, requestsIn, err := os.Pipe()
	if err != nil {
		return err
	}
	repliesOut, repliesIn, err := os.Pipe()
	if err != nil {
		return errors.Join(err, requestsOut.Close(), requestsIn.Close())
	}
	n.cmd.Stdout, n.cmd.Stderr = &n.printed, &n.printed
	n.cmd.ExtraFiles = []*os.File{requestsOut, repliesIn}
	err = n.cmd.Start()
	requestsOut.Close()
	repliesIn.Close()
	if err != nil {
		return errors.Join(err, requestsIn.Close(), repliesOut.Close())
	}
	n.control = newControl(requestsIn, repliesOut)
	go func() {
		n.status = n.cmd.Wait()
		close(n.exited)
	}()
	return nil
}

// Kill ends the node by SIGKILL and returns when it is gone: its peers see their
// connections close, nothing else. To kill a dead node does nothing.
func (n *Node) Kill() {
	select {
	case <-n.exited: // its process id may be another program's by now
	default:
		killGroup(n.cmd.Process.Pid)
		<-n.exited
	}
	n.control.close()
}

// Stop ends the node in the orderly way, init:stop(), and waits for its end.
func (n *Node) Stop(t testing.TB) {
	t.Helper()
	n.MustEval(t, "init:stop()")
	select {
	case <-n.exited:
	case <-time.After(startLimit):
		t.Fatalf("%s: init:stop() has not ended it after %v", n.Name, startLimit)
	}
}

// Pause freezes the node (SIGSTOP): its connections stay open and silent.
func (n *Node) Pause(t testing.TB) {
	t.Helper()
	if err := pauseGroup(n.cmd.Process.Pid); err != nil {
		t.Fatalf("%s: pause: %v", n.Name, err)
	}
}

// Resume lets a paused node go on.
func (n *Node) Resume(t testing.TB) {
	t.Helper()
	if err := resumeGroup(n.cmd.Process.Pid); err != nil {
		t.Fatalf("%s: resume: %v", n.Name, err)
	}
}

// Exited is closed when the node has ended.
func (n *Node) Exited() <-chan struct{} { return n.exited }

// Output returns the last 256 KiB of what the node printed.
func (n *Node) Output() string { return n.printed.String() }

// epitaph says how an exited node ended.
func (n *Node) epitaph() string {
	how := "exit status 0"
	if n.status != nil {
		how = n.status.Error()
	}
	return fmt.Sprintf("%s; it printed:\n%s", how, n.Output())
}
