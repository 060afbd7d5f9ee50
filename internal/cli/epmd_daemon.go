package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/truss-beam/truss/epmd"
)

// daemonLimit is how long an epmd in the background may take to answer.
const daemonLimit = 10 * time.Second

// background starts this program again to serve in the background, and returns
// when it answers. Erlang does that each time a node starts, so where an epmd is
// there already there is nothing to do.
func (f *epmdFlags) background(ctx context.Context, port int) error {
	client := epmd.Client{Port: port}
	if answers(ctx, &client) {
		return nil
	}
	doing := fmt.Sprintf("cannot serve epmd at port %d in the background", port)
	program, err := ownProgram()
	if err != nil {
		return &failure{code: exitFailed, doing: doing, err: err}
	}
	args := []string{"epmd", "--port", strconv.Itoa(port), "--packet-timeout", strconv.Itoa(f.packetTimeout)}
	if f.address != "" {
		args = append(args, "--address", f.address)
	}
	if f.relaxed {
		args = append(args, "--relaxed-command-check")
	}
	child := exec.Command(program, args...) // not of ctx: it is to outlive us
	detach(child)
	if err := child.Start(); err != nil {
		return &failure{code: exitFailed, doing: doing, err: err}
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	if err := awaitEpmd(ctx, &client, ended); err != nil {
		return &failure{code: exitFailed, doing: doing, err: err, hint: "to see why, leave out --daemon"}
	}
	return nil
}

// ownProgram is the file of this program. In a chroot without /proc it is known
// only by the name it was called by.
func ownProgram() (string, error) {
	if program, err := os.Executable(); err == nil {
		return program, nil
	}
	program, err := exec.LookPath(os.Args[0])
	if err != nil {
		return "", err
	}
	return filepath.Abs(program)
}

func awaitEpmd(ctx context.Context, client *epmd.Client, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, daemonLimit)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for !answers(ctx, client) {
		select {
		case err := <-ended:
			// Another program may have been quicker to serve one.
			if answers(ctx, client) {
				return nil
			}
			return fmt.Errorf("it ended at once (%v)", err)
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", ctx.Err())
		case <-poll.C:
		}
	}
	return nil
}

func answers(ctx context.Context, client *epmd.Client) bool {
	_, err := client.Names(ctx, "127.0.0.1")
	return err == nil
}
