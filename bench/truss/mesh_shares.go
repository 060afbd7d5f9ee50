package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/truss-beam/truss/bench/internal/contender"
)

// shares are the other programs that have some of a mesh's nodes. They are told
// what to do by a line, and answer with one.
type shares []*share

type share struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Reader
}

// startShares starts all programs but this one, which has the first nodes, and
// waits until their nodes are up.
func startShares(j contender.Job, each, programs int) (shares, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var all shares
	for i := 1; i < programs; i++ {
		part := j
		part.Role, part.Scenario, part.Subs, part.Senders = "drive", "mesh-share", i*each, each
		s, err := startProgram(exec.Command(self, part.Args()...))
		if err != nil {
			all.end()
			return nil, err
		}
		all = append(all, s)
	}
	if err := all.await("up"); err != nil {
		all.end()
		return nil, err
	}
	return all, nil
}

func startProgram(cmd *exec.Cmd) (*share, error) {
	s := &share{cmd: cmd}
	var err error
	if s.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.lines = bufio.NewReader(out)
	return s, cmd.Start()
}

func (all shares) tell(line string) error {
	var errs error
	for _, s := range all {
		_, err := fmt.Fprintln(s.in, line)
		errs = errors.Join(errs, err)
	}
	return errs
}

func (all shares) await(want string) error {
	for _, s := range all {
		line, err := s.lines.ReadString('\n')
		if strings.TrimSpace(line) != want {
			return fmt.Errorf("a program of the mesh says %q (%v) instead of %s", line, err, want)
		}
	}
	return nil
}

func (all shares) end() {
	for _, s := range all {
		_ = s.in.Close() // it ends when its input does
		_ = s.cmd.Wait()
	}
}

// driveMeshShare is such a program: Senders nodes, the first of number Subs, of a
// mesh of Count.
func driveMeshShare(j contender.Job) (contender.Figures, error) {
	if _, err := programs(j.Count); err != nil { // raises the limit
		return nil, err
	}
	nodes, err := startShare(j, j.Subs, j.Subs+j.Senders)
	if err != nil {
		return nil, err
	}
	in := bufio.NewReader(os.Stdin)
	fmt.Println("up")
	if _, err := in.ReadString('\n'); err != nil {
		return nil, err
	}
	if err := formShare(j, nodes, j.Subs); err != nil {
		return nil, err
	}
	fmt.Println("formed")
	_, _ = io.Copy(io.Discard, in)
	return contender.Figures{}, nil
}
