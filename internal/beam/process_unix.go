//go:build unix

package beam

import "syscall"

// commonAttributes puts a program in a process group of its own, inside root.
func commonAttributes(root string) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if root != "/" {
		attr.Chroot = root
	}
	return attr
}

// The three signals go to a program and everything it has started.
func killGroup(pid int) error   { return syscall.Kill(-pid, syscall.SIGKILL) }
func resumeGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGCONT) }

// pauseGroup returns when the program stands still: a signal only begins to stop
// its threads, and one that runs meanwhile may answer.
func pauseGroup(pid int) error {
	if err := syscall.Kill(-pid, syscall.SIGSTOP); err != nil {
		return err
	}
	return awaitStopped(pid)
}
