//go:build unix && !linux

package play

import "syscall"

// processAttributes puts a machine in a process group of its own, which Ctrl-C
// does not reach. There is no death signal here: the end of its standard input
// ends a machine.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
