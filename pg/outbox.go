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
//
// What one connection lost is not continued on the next: peers take messages for
// changes to what they have been told, so once something could not be sent, all
// behind it is dropped, up to the next fresh.
type outbox struct {
	busy sync.WaitGroup

	mu     sync.Mutex
	queues map[etf.Atom]*queue // of nodes that something waits for, or that lost something
}

type queue struct {
	waiting []func() (sent bool) // nil for fresh
	running bool                 // has a goroutine
	broken  bool                 // owned by the goroutine: something was not sent
}

// put has act done to a node, after all before it. It tells whether it could.
func (o *outbox) put(node etf.Atom, act func() (sent bool)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.queues == nil {
		o.queues = make(map[etf.Atom]*queue)
	}
	q := o.queues[node]
	if q == nil {
		q = new(queue)
		o.queues[node] = q
	}
	q.waiting = append(q.waiting, act)
	if !q.running {
		q.running = true
		o.busy.Go(func() { o.work(node, q) })
	}
}

// fresh begins a node's queue anew, for a new connection to it.
func (o *outbox) fresh(node etf.Atom) { o.put(node, nil) }

func (o *outbox) work(node etf.Atom, q *queue) {
	for {
		o.mu.Lock()
		acts := q.waiting
		q.waiting = nil
		q.running = len(acts) > 0
		if !q.running && !q.broken {
			delete(o.queues, node)
		}
		o.mu.Unlock()
		if len(acts) == 0 {
			return
		}
		for _, act := range acts {
			if act == nil {
				q.broken = false
			} else if !q.broken {
				q.broken = !act()
			}
		}
	}
}
