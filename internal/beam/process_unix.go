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

// signalGroup sends a signal to a program and everything it has started.
func signalGroup(pid int, signal syscall.Signal) error { return syscall.Kill(-pid, signal) }
