//go:build unix

package cli

import (
	"os/exec"
	"syscall"
)

// detach makes a program survive the terminal and the session it is started from,
// and keep no folder busy.
func detach(cmd *exec.Cmd) {
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
}
