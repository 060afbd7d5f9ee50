package launch

import "syscall"

// dieWithParent has the kernel kill the program when the comparison ends,
// however it ends.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
