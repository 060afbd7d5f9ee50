//go:build !linux

package launch

import "syscall"

// dieWithParent does nothing: elsewhere programs notice that their input ended.
func dieWithParent(*syscall.SysProcAttr) {}
