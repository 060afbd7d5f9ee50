package truss

import (
	"context"
	"errors"
	"math"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/truss-beam/truss/etf"
)

// Process is one process of a node: a goroutine with a pid, a mailbox, links
// and monitors. To other nodes it is a process like any of theirs.
//
// Its methods that receive may be called by its own goroutine only; all others
// by anyone.
type Process struct {
	// Set at creation, never changed.
	node *Node
	pid  etf.Pid

	mailbox mailbox // has its own locks

	context atomic.Pointer[madeContext] // nil until somebody needs it
	over    atomic.Bool                 // the context is done

	ended atomic.Bool          // dead, for who need not wait for mu
	via   atomic.Pointer[conn] // which the latest signal went over

	prompt atomic.Bool // its next signal, it writes itself: see poll.go
	hope   hope        // of polling; owned by its goroutine

	// mu guards the rest. Of the other locks only watch's, the aliases' and
	// mailboxes' are taken while it is held, and nothing is sent.
	dead     bool
	trapExit bool
	mu       sync.Mutex
	exit     *ExitError // why it died
	bonds    *bonds     // nil if there are none
}

// bonds are what a process has with others, which many processes have nothing of.
type bonds struct {
	names    []etf.Atom
	links    links
	monitors refTable[monitor] // what this process monitors
	watchers refTable[watcher] // who monitors this process
	leader   etf.Pid           // group leader, zero if it was given none
	aliases  map[etf.Ref]struct{}

	conns []*conn // over which any of these goes, or went

	monitorsNodes bool

	exit ExitError // where the process's is, if it has bonds
}

// ProcessFunc is what a process does. When it returns the process ends: with
// reason normal if the error is nil, with its Reason if the error is an
// *ExitError, as an *Exception says if it is one, else with the error's text as a
// binary. A panic ends the process with {{go_panic, Text}, Stack}, and nothing
// else.
//
// ctx is done when the process has been ended from outside, by an exit signal or
// the node's Close. Links, monitors and names then are gone already; the
// function should return.
type ProcessFunc func(ctx context.Context, p *Process) error

// A SpawnOption changes how one process is spawned.
type SpawnOption func(*spawnOptions)

type spawnOptions struct {
	names   []string
	mailbox int // its limit
}

// Registered spawns the process under a registered name. Spawn fails if it is taken.
func Registered(name string) SpawnOption {
	return func(o *spawnOptions) { o.names = append(o.names, name) }
}

// Spawn starts a process that runs fn. The error is ErrClosed or ErrNameTaken.
func (n *Node) Spawn(fn ProcessFunc, opts ...SpawnOption) (*Process, error) {
	var o spawnOptions
	for _, opt := range opts {
		opt(&o)
	}
	p := n.newProcess()
	p.mailbox.limit = int32(min(o.mailbox, math.MaxInt32))
	if err := n.processes.add(p); err != nil {
		return nil, err
	}
	for _, name := range o.names {
		if err := n.Register(name, p); err != nil {
			p.terminate(reasonNormal)
			return nil, err
		}
	}
	n.running.Go(func() { p.run(fn) })
	return p, nil
}

// newProcess makes a process that is not in the table yet.
func (n *Node) newProcess() *Process {
	return &Process{node: n, pid: n.processes.newPid()}
}

// newVisitor is newProcess of one that will have bonds and messages: all in one piece
// of memory, since calls make one each.
func (n *Node) newVisitor() *Process {
	v := new(struct {
		Process
		bonds  bonds
		queues queues
	})
	v.node, v.pid = n, n.processes.newPid()
	v.Process.bonds = &v.bonds
	v.mailbox.queues.Store(&v.queues)
	return &v.Process
}

// visitor makes a process without a goroutine of its own, for a caller that is
// none: it calls on the visitor's behalf and then must end it with leave.
func (n *Node) visitor() (*Process, error) {
	p := n.newVisitor()
	if err := n.processes.add(p); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Process) leave() { p.terminate(reasonNormal) }

// run is the process's goroutine.
func (p *Process) run(fn ProcessFunc) {
	returned := false
	defer func() {
		switch r := recover(); {
		case returned:
		case r != nil:
			p.finish(panicked(r, debug.Stack()))
		default:
			p.finish(errGoexit)
		}
	}()
	err := fn(p.Context(), p)
	returned = true
	p.finish(err)
}

// errGoexit is the end of a process by runtime.Goexit, which a test's FailNow calls.
var errGoexit = errors.New("runtime.Goexit was called")

// finish ends the process as its function has ended.
func (p *Process) finish(err error) {
	if !deliberate(err) && p.exited() == nil {
		p.logFailure(err)
	}
	p.terminate(finalReason(exitReason(err)))
}

func (p *Process) logFailure(err error) {
	var e *Exception
	if errors.As(err, &e) && e.goStack != nil {
		p.node.log.Error("process ended by a panic", "pid", p.pid, "error", err, "stack", string(e.goStack))
		return
	}
	p.node.log.Error("process ended with an error", "pid", p.pid, "error", err)
}

// PID returns the process's pid.
func (p *Process) PID() etf.Pid { return p.pid }

// String is the pid, for errors and logs.
func (p *Process) String() string { return p.pid.String() }

// Node returns the node the process runs on.
func (p *Process) Node() *Node { return p.node }

// TrapExit makes exit signals from others arrive as Exit messages instead of
// ending the process, as process_flag(trap_exit, true). It returns the old value.
func (p *Process) TrapExit(trap bool) (old bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, p.trapExit = p.trapExit, trap
	return old
}

// Receive takes the oldest message, waiting until there is one. The error is
// ctx's, or the *ExitError of a process that was ended from outside.
func (p *Process) Receive(ctx context.Context) (Message, error) {
	return p.receive(ctx, nil)
}

// ReceiveMatch takes the oldest message that match accepts and leaves the others
// in their order. It calls match once for each message. match looks at the message
// and nothing else: the mailbox is locked meanwhile, so it must not call p.
func (p *Process) ReceiveMatch(ctx context.Context, match func(Message) bool) (Message, error) {
	return p.receive(ctx, match)
}

func (p *Process) receive(ctx context.Context, match func(Message) bool) (Message, error) {
	from := position{}
	for {
		m, next, ok := p.mailbox.take(from, match)
		if ok {
			return m, nil
		}
		from = next
		if err := p.exited(); err != nil {
			return Message{}, err
		}
		if p.poll(ctx) {
			continue
		}
		if ctx == p.Context() || ctx.Done() == nil {
			p.mailbox.wait() // its end rouses, too; to wait for one thing takes less time and memory
			continue
		}
		select {
		case <-p.mailbox.woken():
		case <-ctx.Done():
			return Message{}, context.Cause(ctx)
		}
	}
}

// exited is the *ExitError of a dead process, else nil.
func (p *Process) exited() error {
	if !p.ended.Load() {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exit
}

// exitSignal is an exit signal arriving at p. linked tells one that comes
// through a link, which counts only if the link is there, from one of exit/2.
//
// What it does is done when p.mu is free again: after an Unlink or a TrapExit no
// signal that came before it can still end p or appear in its mailbox.
func (p *Process) exitSignal(from etf.Pid, reason etf.Term, linked bool) {
	p.mu.Lock()
	if p.dead || linked && !p.bound().links.broken(from) {
		p.mu.Unlock()
		return
	}
	switch {
	case !linked && reason == reasonKill: // only exit/2 can kill; through a link kill is a reason like others
		p.end(reasonKilled) // unlocks
	case p.trapExit:
		p.mailbox.put(signalMessage(Exit{From: from, Reason: reason}), expected)
		p.mu.Unlock()
	case reason == reasonNormal && from != p.pid:
		p.mu.Unlock()
	default:
		p.end(reason) // unlocks
	}
}

// terminate ends the process: its names are free, its watchers and links know,
// before it returns. Only the first call counts.
func (p *Process) terminate(reason etf.Term) {
	p.mu.Lock()
	if p.dead {
		p.mu.Unlock()
		return
	}
	p.end(reason) // unlocks
}

// end is terminate of a process that lives. p.mu is held; end unlocks it.
func (p *Process) end(reason etf.Term) {
	var b bonds
	if p.bonds != nil {
		b, *p.bonds = *p.bonds, bonds{exit: ExitError{Reason: reason}}
		p.exit, p.bonds = &p.bonds.exit, nil
	} else {
		p.exit = &ExitError{Reason: reason}
	}
	exit := p.exit
	p.dead = true
	p.ended.Store(true)
	p.mu.Unlock()

	n := p.node
	for _, name := range b.names {
		n.names.remove(name, p)
	}
	for ref := range b.aliases {
		n.aliases.remove(ref)
	}
	n.processes.remove(p)
	p.endContext(exit)
	if b.monitorsNodes {
		n.watch.unsubscribe(&p.mailbox)
	}
	p.mailbox.close()
	for ref, m := range b.monitors.all() {
		n.sendDemonitor(p, ref, m)
	}
	for ref, w := range b.watchers.all() {
		n.sendDown(p, ref, w, reason)
	}
	for pid, end := range b.links.ends {
		if end.active {
			n.sendExit(p.pid, pid, reason, true)
		}
	}
	for _, c := range b.conns {
		c.unrelate(p)
	}
}

// bound is p's bonds. p.mu is held.
func (p *Process) bound() *bonds {
	if p.bonds == nil {
		p.bonds = new(bonds)
	}
	return p.bonds
}

// relatedTo notes a connection that must forget p when p ends; false if it has.
func (p *Process) relatedTo(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dead && !slices.Contains(p.bound().conns, c) {
		p.bonds.conns = append(p.bonds.conns, c)
	}
	return !p.dead
}

// peerLost deals with the loss of a connection that p had links or monitors
// over: each ends with noconnection.
func (p *Process) peerLost(c *conn) {
	peer, node := c.name, etf.Atom(c.name)
	var exits []etf.Pid
	var downs []etf.Ref
	p.mu.Lock()
	b := p.bound()
	b.conns = slices.DeleteFunc(b.conns, func(other *conn) bool { return other == c })
	for pid := range b.links.ends {
		if pid.Node == node {
			exits = append(exits, pid)
		}
	}
	for ref, m := range b.monitors.all() {
		if m.target.node == peer {
			downs = append(downs, ref)
		}
	}
	for ref, w := range b.watchers.all() {
		if w.pid.Node == node {
			b.watchers.remove(ref)
		}
	}
	p.mu.Unlock()
	for _, ref := range downs {
		p.down(ref, reasonNoConnection)
	}
	for _, pid := range exits {
		p.exitSignal(pid, reasonNoConnection, true)
	}
}
