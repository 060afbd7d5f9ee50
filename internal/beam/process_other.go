//go:build unix && !linux

package beam

import "syscall"

// processAttributes has no death signal here: the agent halts the BEAM when the
// test program's end of its pipe is closed.
func processAttributes(root string) *syscall.SysProcAttr { return commonAttributes(root) }

// awaitStopped cannot ask here without taking the status from who waits for the
// program's end.
func awaitStopped(int) error { return nil }
