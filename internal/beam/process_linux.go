package beam

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// processAttributes also asks the kernel to kill the program when the thread
// that started it ends: in practice when the test program does, however it does
// (a thread ends early only if a goroutine locked to it returns).
func processAttributes(root string) *syscall.SysProcAttr {
	attr := commonAttributes(root)
	attr.Pdeathsig = syscall.SIGKILL
	return attr
}

// awaitStopped returns when all threads of a child are stopped, or have ended.
// It leaves the child's status to who waits for its end (WNOWAIT).
func awaitStopped(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
