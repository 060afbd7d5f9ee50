package contender

import (
	"fmt"
	"os"
	"runtime/pprof"
)

// profileVariable names the file that a contender in Go writes a CPU profile of
// its whole life to; its role and process id are appended.
const profileVariable = "BENCH_CPUPROFILE"

// startProfile begins the profile, if one was asked for; the function returned
// ends it.
func startProfile() (stop func()) {
	path := os.Getenv(profileVariable)
	if path == "" || len(os.Args) < 2 {
		return func() {}
	}
	f, err := os.Create(fmt.Sprintf("%s.%s.%d", path, os.Args[1], os.Getpid()))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return func() {}
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}
}
