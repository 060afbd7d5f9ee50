// Package launch builds the contenders and runs their processes: servers that
// stay up, and drivers that make one run each. Nothing outlives the comparison.
package launch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/bench/internal/table"
)

// Limits on processes: how long a server may take to come up (a BEAM that
// compiles on a busy machine takes seconds), a run, and a server to end.
const (
	startLimit = 60 * time.Second
	runLimit   = 30 * time.Second
	stopLimit  = 2 * time.Second

	linkLimit = 3 * time.Millisecond // for each link of a simulated mesh; on two cores it takes 0.6
)

// limit is how long a job may take.
func limit(job contender.Job) time.Duration {
	if job.Scenario != table.Simnet {
		return runLimit
	}
	return runLimit + time.Duration(job.Count*(job.Count-1)/2)*linkLimit
}

// FreePort returns a port of 127.0.0.1 that nothing listens on.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// own puts a program in a process group of its own that dies with this one.
func own(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	dieWithParent(cmd.SysProcAttr)
}

func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// Server is a contender's process that serves.
type Server struct {
	Where string // for drivers' -peer
	PID   int
	Lines *bufio.Reader // what it prints after "ready"

	port   int // the free port it was given
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr bytes.Buffer
}

// Serve starts a server and waits until it is ready.
func Serve(cmd *exec.Cmd) (*Server, error) {
	s := &Server{cmd: cmd}
	own(cmd)
	var err error
	if s.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = &s.stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.PID, s.Lines = cmd.Process.Pid, bufio.NewReader(out)
	late := time.AfterFunc(startLimit, func() { killGroup(cmd) })
	defer late.Stop()
	for {
		line, err := s.Lines.ReadString('\n')
		if where, ok := strings.CutPrefix(line, "ready "); ok {
			s.Where = strings.TrimSpace(where)
			return s, nil
		}
		if err != nil {
			s.Stop()
			return nil, fmt.Errorf("%s did not come up: %w: %s", filepath.Base(cmd.Path), err, tail(s.stderr.Bytes()))
		}
	}
}

// Tell writes a line to the server's standard input.
func (s *Server) Tell(line string) error {
	_, err := io.WriteString(s.stdin, line+"\n")
	return err
}

// Stop ends the server and everything it has started.
func (s *Server) Stop() {
	_ = s.stdin.Close()
	kill := time.AfterFunc(stopLimit, func() { killGroup(s.cmd) })
	_ = s.cmd.Wait() // how a server ends says nothing
	kill.Stop()
	killGroup(s.cmd)
}

// Drive runs a driver to its end, and returns its figures.
func Drive(cmd *exec.Cmd, limit time.Duration) (contender.Figures, error) {
	own(cmd)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(context.Background(), limit)
	defer stop()
	defer context.AfterFunc(ctx, func() { killGroup(cmd) })()
	err := cmd.Wait()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("no result after %v", limit)
	}
	result, found := lastResult(out.Bytes())
	switch {
	case result.Error != "":
		return nil, errors.New(result.Error)
	case !found:
		return nil, fmt.Errorf("%s printed no result (%v): %s", filepath.Base(cmd.Path), err, tail(append(stderr.Bytes(), out.Bytes()...)))
	}
	return result.Figures, nil
}

// lastResult finds the line of JSON: libraries print what they like before it.
func lastResult(out []byte) (result contender.Result, found bool) {
	for line := range bytes.Lines(out) {
		var r contender.Result
		if bytes.HasPrefix(line, []byte("{")) && json.Unmarshal(line, &r) == nil && (r.Figures != nil || r.Error != "") {
			result, found = r, true
		}
	}
	return result, found
}

// tail is the end of what a program printed, on one line.
func tail(b []byte) string {
	return strings.Join(strings.Fields(string(b[max(0, len(b)-600):])), " ")
}
