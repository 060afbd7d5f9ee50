package beam

import "sync"

// output keeps the last part of what a program prints. A node in trouble can
// print without end (a crash report per second); 256 KiB is more than anyone
// reads and enough for the first cause to be still there.
type output struct {
	mu   sync.Mutex
	kept []byte
}

const outputLimit = 256 << 10

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept = append(o.kept, p...)
	if over := len(o.kept) - outputLimit; over > 0 {
		o.kept = o.kept[over:]
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.kept)
}
