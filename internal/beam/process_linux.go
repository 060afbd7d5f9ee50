package beam

import "syscall"

// processAttributes also asks the kernel to kill the program when the thread
// that started it ends: in practice when the test program does, however it does
// (a thread ends early only if a goroutine locked to it returns).
func processAttributes(root string) *syscall.SysProcAttr {
	attr := commonAttributes(root)
	attr.Pdeathsig = syscall.SIGKILL
	return attr
}

// awaitStopped returns when all threads of a child are stopped, or it has ended. It
// leaves the child's status to who waits for its end. Source: waitid(2).
func awaitStopped(pid int) error {
	const (
		byPID   = 1          // P_PID
		stopped = 0x2        // WSTOPPED
		ended   = 0x4        // WEXITED
		leave   = 0x01000000 // WNOWAIT
	)
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, byPID, uintptr(pid), 0, stopped|ended|leave, 0, 0)
		switch errno {
		case 0:
			return nil
		case syscall.EINTR:
		default:
			return errno
		}
	}
}
