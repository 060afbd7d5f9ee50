package truss

// maxWorkers is how many goroutines wait for processes to run: 64 times 8 KiB.
const maxWorkers = 64

// work runs a process, on a goroutine that has run another one before if there is one.
// A new one begins with a small stack, and to grow it until a function can be called
// takes as long as the call.
func (n *Node) work(run func()) {
	select {
	case n.jobs <- run:
	default:
		n.running.Go(func() {
			run()
			n.worker()
		})
	}
}

// worker runs what comes, until the node is closed or enough others wait.
func (n *Node) worker() {
	for n.workers.Add(1) <= maxWorkers {
		select {
		case run := <-n.jobs:
			n.workers.Add(-1)
			run()
		case <-n.life.Done():
			return
		}
	}
	n.workers.Add(-1)
}
