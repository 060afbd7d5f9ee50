// Package report shows a comparison: as text for people, as JSON for programs,
// and as a chart for the documentation.
package report

import (
	"os"
	"runtime"
	"strings"
)

// Machine is where the figures were taken; without it they mean little.
type Machine struct {
	CPU      string   `json:"cpu"`
	Cores    int      `json:"cores"`
	MemoryKB string   `json:"memory_kb"`
	Kernel   string   `json:"kernel"`
	Go       string   `json:"go"`
	OTPs     []string `json:"otps"`
	// Load is the load average before and after: above the number of cores before
	// it began, something else was running.
	LoadBefore string `json:"load_before"`
	LoadAfter  string `json:"load_after"`
}

// ThisMachine describes the machine the program runs on, as far as Linux tells.
func ThisMachine(otps []string) Machine {
	return Machine{
		CPU:      field("/proc/cpuinfo", "model name"),
		Cores:    runtime.NumCPU(),
		MemoryKB: field("/proc/meminfo", "MemTotal"),
		Kernel:   strings.TrimSpace(read("/proc/sys/kernel/osrelease")),
		Go:       runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
		OTPs:     otps,
	}
}

// Load is the load average of the last minute, and before.
func Load() string {
	fields := strings.Fields(read("/proc/loadavg"))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

func read(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(b)
}

func field(path, name string) string {
	for line := range strings.Lines(read(path)) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
