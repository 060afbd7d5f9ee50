package pg

import (
	"sync"

	"github.com/truss-beam/truss/etf"
)

// outbox does what has to be done to other nodes, in order for each node, and
// without making anybody wait: a node that reads slowly holds up neither Join nor
// the news of other nodes. What waits for it is bounded in time, for a node that
// does not read is down after a net tick. A goroutine exists per node that
// something waits for.
type outbox struct {
	busy sync.WaitGroup

	mu     sync.Mutex
	queues map[etf.Atom][]func() // a node has an entry while its goroutine runs
}

func (o *outbox) put(node etf.Atom, act func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.queues == nil {
		o.queues = make(map[etf.Atom][]func())
	}
	queue, running := o.queues[node]
	o.queues[node] = append(queue, act)
	if !running {
		o.busy.Go(func() { o.work(node) })
	}
}

func (o *outbox) work(node etf.Atom) {
	for {
		o.mu.Lock()
		queue := o.queues[node]
		if len(queue) == 0 {
			delete(o.queues, node)
			o.mu.Unlock()
			return
		}
		o.queues[node] = nil
		o.mu.Unlock()
		for _, act := range queue {
			act()
		}
	}
}
