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
func pauseGroup(pid int) error  { return syscall.Kill(-pid, syscall.SIGSTOP) }
func resumeGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGCONT) }
