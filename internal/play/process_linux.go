package play

import "syscall"

// processAttributes puts a machine in a process group of its own, which Ctrl-C
// does not reach, and asks the kernel to kill it when the thread that started it
// ends: in practice when this program does, since no thread here ends early.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
