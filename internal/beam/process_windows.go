package beam

import (
	"errors"
	"os"
	"syscall"
)

// The harness compiles on Windows, so that the tests beside those that need it
// do; it starts no node there.

func processAttributes(string) *syscall.SysProcAttr { return nil }

func killGroup(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}

var errWindows = errors.New("beam: no signals on Windows")

func pauseGroup(int) error  { return errWindows }
func resumeGroup(int) error { return errWindows }
