//go:build unix

package play

import (
	"os"
	"syscall"
)

// killProcess kills a machine with all it has started.
func killProcess(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL) // it may have ended already
}
