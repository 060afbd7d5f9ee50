package truss

import (
	"context"
	"errors"

	"github.com/truss-beam/truss/etf"
)

// maxChildren is how many processes started by requests may run on a node at a
// time; more are refused with system_limit. It is OTP 25's default limit for all
// processes (erl +P): at a few KiB each, what a peer can make us hold is bounded.
const maxChildren = 1 << 18

var errTooManyChildren = errors.New("too many processes")

// newChild makes a process that startChild is to start, or whoever made it to
// forget with dropChild.
func (n *Node) newChild(leader etf.Pid) (*Process, error) {
	if n.children.Add(1) > maxChildren {
		n.children.Add(-1)
		return nil, errTooManyChildren
	}
	child := new(struct { // in one piece of memory: a call makes one
		Process
		bonds bonds
	})
	p := &child.Process
	p.node, p.pid, p.bonds = n, n.processes.newPid(), &child.bonds
	p.bonds.leader = leader
	if err := n.processes.add(p); err != nil {
		n.children.Add(-1)
		return nil, err
	}
	return p, nil
}

func (n *Node) startChild(p *Process, fn ProcessFunc) {
	n.work(func() {
		defer n.children.Add(-1)
		p.run(func(ctx context.Context, p *Process) error {
			if err := p.exited(); err != nil {
				return err // its parent ended meanwhile, say: then it never begins
			}
			return fn(ctx, p)
		})
	})
}

// run is a process that applies a function.
func (c mfa) run(ctx context.Context, p *Process) error {
	_, at, err := p.invoke(ctx, c)
	if err == nil {
		return nil
	}
	if exit, ok := err.(*ExitError); ok {
		return exit // as exceptionOf would have it, but for a stack that an exit does not tell
	}
	return exceptionOf(err, at)
}

func (n *Node) dropChild(p *Process, reason etf.Term) {
	n.children.Add(-1)
	p.terminate(reason)
}

// spawnHere starts a process on p's own node. It is linked and monitored before it
// runs.
func (p *Process) spawnHere(r SpawnRequest) (Child, error) {
	n := p.node
	if _, ok := parseSpawnOptions(r.Options); !ok {
		return Child{}, &SpawnError{Node: n.name, Reason: "badopt"}
	}
	args, err := encoded(etf.List(r.Args))
	if err != nil {
		return Child{}, err
	}
	q, err := n.newChild(p.leaderOfChildren())
	if errors.Is(err, errTooManyChildren) {
		return Child{}, &SpawnError{Node: n.name, Reason: "system_limit"}
	}
	if err != nil {
		return Child{}, err
	}
	child := Child{PID: q.pid}
	if r.Link {
		err = n.linkLocal(p, q.pid)
	}
	if r.Monitor && err == nil {
		child.Ref = n.newRef()
		err = p.monitor(context.Background(), child.Ref, target{pid: q.pid}) // waits for nothing: q is here
	}
	if err != nil {
		n.dropChild(q, reasonNormal)
		return Child{}, err
	}
	n.startChild(q, mfa{module: etf.Atom(r.Module), function: etf.Atom(r.Function), args: Message{raw: args}}.run)
	return child, nil
}

// GroupLeader returns the process that does p's input and output: that of the
// process that spawned it, which is on another node if the request came from
// there. It is the zero Pid for a process that this program spawned itself.
func (p *Process) GroupLeader() etf.Pid {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bound().leader
}

// leaderOfChildren is the group leader that processes spawned by p get: p's, or
// the node's process user. If that name has been taken off it is a pid that nobody
// has, so that who prints is told so (terminated) instead of waiting for ever.
func (p *Process) leaderOfChildren() etf.Pid {
	if leader := p.GroupLeader(); leader != (etf.Pid{}) {
		return leader
	}
	if user := p.node.names.find("user"); user != nil {
		return user.pid
	}
	return etf.Pid{Node: etf.Atom(p.node.name), Creation: p.node.creation}
}
