//go:build !unix

package play

import (
	"os"
	"syscall"
)

// processAttributes has nothing to ask for: the end of its standard input ends a
// machine.
func processAttributes() *syscall.SysProcAttr { return nil }

func killProcess(p *os.Process) {
	_ = p.Kill() // it may have ended already
}
