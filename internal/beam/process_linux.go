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
