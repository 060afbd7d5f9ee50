package global

import (
	"context"
	"slices"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// outbox does what concerns one node, one after the other, in a goroutine that
// lives while there is something to do: to send may mean to wait for a slow peer,
// or to connect.
type outbox struct {
	node    string
	queue   []func(context.Context, *outbox) // guarded by Global.mu
	running bool                             // guarded by Global.mu

	// Owned by the goroutine.
	refs   map[etf.Pid]etf.Ref // monitors of the node's processes
	failed time.Time           // when the node last could not be connected to
}

// post queues something to do. mu is held.
func (g *Global) post(node string, do func(context.Context, *outbox)) {
	if g.closed {
		return
	}
	box := g.outboxes[node]
	if box == nil {
		box = &outbox{node: node, refs: make(map[etf.Pid]etf.Ref)}
		g.outboxes[node] = box
	}
	box.queue = append(box.queue, do)
	if !box.running {
		box.running = true
		g.tasks.Go(func() { g.empty(box) })
	}
}

// empty does what is queued.
func (g *Global) empty(box *outbox) {
	for {
		g.mu.Lock()
		if len(box.queue) == 0 || g.closed {
			box.running = false
			if len(box.refs) == 0 {
				delete(g.outboxes, box.node)
			}
			g.mu.Unlock()
			return
		}
		do := box.queue[0]
		box.queue[0] = nil
		box.queue = box.queue[1:]
		g.mu.Unlock()
		do(g.ctx, box)
	}
}

// connectPause is how long after a failure to connect no other is made for
// monitors: there can be thousands of names on a node that is gone.
const connectPause = time.Second

// monitor monitors a process, and connects for it if need be. That it is gone, or
// not to be reached, comes back as a down.
func (box *outbox) monitor(ctx context.Context, g *Global, pid etf.Pid) {
	reachable := func() bool { return box.node == g.node.Name() || slices.Contains(g.node.Nodes(), box.node) }
	was := reachable()
	if !was && time.Since(box.failed) < connectPause {
		ctx = truss.NoConnect(ctx)
	}
	ref, err := g.server.Monitor(ctx, pid)
	if err != nil {
		return // the server has ended
	}
	box.refs[pid] = ref
	if !was && !reachable() {
		box.failed = time.Now()
	}
}

func (box *outbox) demonitor(g *Global, pid etf.Pid) {
	if ref, ok := box.refs[pid]; ok {
		g.server.Demonitor(ref)
		delete(box.refs, pid)
	}
}

// forgetMonitor drops the reference of a monitor that has fired.
func (g *Global) forgetMonitor(pid etf.Pid) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.machine.monitors[pid] > 0 {
		return // it has been monitored anew
	}
	g.post(string(pid.Node), func(_ context.Context, box *outbox) { delete(box.refs, pid) })
}
