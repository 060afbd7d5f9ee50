package truss

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// SpawnRequest is a process to start by the name of its function, on any node:
// what erlang:spawn_request/5 takes.
type SpawnRequest struct {
	Node             string // empty for the node itself
	Module, Function string // an Elixir module is "Elixir.MyApp"
	Args             []any  // each anything etf.Marshal takes

	// Link links the new process to the one that spawns it, Monitor monitors it:
	// before it runs, so that no end of it is missed.
	Link, Monitor bool

	// NoReply does not wait for the answer, and so costs no round trip. The Child has
	// no PID then. That the node refuses, or was lost, is learnt only with Monitor: by
	// a Down whose Reason is the *SpawnError, or noconnection. It does not go with
	// Link. As the option {reply, no}, or {reply, error_only}.
	NoReply bool

	// Options are further ones of erlang:spawn_opt/5, such as {priority, high}, for
	// a node that is a BEAM. Truss nodes accept and ignore them.
	Options etf.List
}

// Child is a process that was spawned.
type Child struct {
	PID etf.Pid
	Ref etf.Ref // of its monitor, if one was asked for; its Down carries it
}

// SpawnError is the refusal of a node to start a process.
type SpawnError struct {
	Node string // who refused
	// Reason is OTP's word for it: system_limit (too many processes), badopt (an
	// option it does not know), or notsup (it does not start processes for others).
	Reason etf.Atom
}

// MarshalTerm makes a SpawnError OTP's word for it: it can be a Down's Reason.
func (e *SpawnError) MarshalTerm() (etf.Term, error) { return e.Reason, nil }

func (e *SpawnError) Error() string {
	switch e.Reason {
	case "system_limit":
		return fmt.Sprintf("%s refuses to spawn: it has too many processes (system_limit)", e.Node)
	case "badopt":
		return fmt.Sprintf("%s refuses to spawn: it does not know one of the options (badopt)", e.Node)
	case "notsup":
		return fmt.Sprintf("%s refuses to spawn: it starts no processes for others (notsup)", e.Node)
	}
	return fmt.Sprintf("%s refuses to spawn: %s", e.Node, e.Reason)
}

// SpawnRemote starts a process that applies a function: of a BEAM's module, or of
// what a Truss node, be it p's own, has Exported. It connects first if need be,
// and waits until the process is there.
//
// That there is no such function is no error of SpawnRemote: as in Erlang, the
// process starts and ends at once with undef. Errors are a *SpawnError,
// ErrNoConnection if the node cannot be reached or is lost before it answers, and
// ctx's. When ctx ends the wait the request is abandoned: a process that starts
// all the same is ended with reason abandoned if it was to be linked, and lives on
// unwatched if not.
//
// The new process has p's group leader: what it prints is printed there.
func (p *Process) SpawnRemote(ctx context.Context, r SpawnRequest) (Child, error) {
	n := p.node
	if r.NoReply && r.Link {
		return Child{}, r.failed(&unsent{errors.New("NoReply with Link")})
	}
	if r.Node == "" || r.Node == n.name {
		child, err := p.spawnHere(r)
		return child, r.failed(err)
	}
	c, err := n.connection(ctx, r.Node)
	if err != nil {
		return Child{}, r.failed(&unsent{err})
	}
	child, err := p.spawnAt(ctx, c, r)
	return child, r.failed(err)
}

// SpawnRemote starts a process as Process.SpawnRemote does, for nobody: without
// link or monitor.
func (n *Node) SpawnRemote(ctx context.Context, r SpawnRequest) (etf.Pid, error) {
	if r.Link || r.Monitor {
		return etf.Pid{}, r.failed(errors.New("only a process can link or monitor: use Process.SpawnRemote"))
	}
	child, err := n.caller.SpawnRemote(ctx, r)
	return child.PID, err
}

func (r *SpawnRequest) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("truss: spawn %s:%s/%d: %w", r.Module, r.Function, len(r.Args), err)
}

// spawning is a request that a peer has not answered yet.
type spawning struct {
	by            *Process
	ref           etf.Ref
	link, monitor bool
	outcome       chan spawned // gets exactly one, put under by.mu; capacity 1; nil if by does not wait
	abandoned     bool         // guarded by by.mu: nobody waits any more
}

type spawned struct {
	pid etf.Pid
	err error
}

// spawnAt asks a peer, and waits for its answer.
func (p *Process) spawnAt(ctx context.Context, c *conn, r SpawnRequest) (Child, error) {
	s := &spawning{by: p, ref: p.node.newRef(), link: r.Link, monitor: r.Monitor}
	if !r.NoReply {
		s.outcome = make(chan spawned, 1)
	}
	if (r.Link || r.Monitor) && !c.relate(p) || s.answered() && !c.addSpawning(s) {
		return Child{}, &unsent{cmp.Or(p.exited(), noConnection(c.name, nil))}
	}
	if err := p.exited(); err != nil {
		c.takeSpawning(s.ref)
		return Child{}, &unsent{err}
	}
	if r.NoReply && r.Monitor {
		p.addMonitor(s.ref, monitor{target: target{node: c.name}, object: etf.Pid{}, pending: true})
	}
	p.via.Store(c)
	ctl := dist.Control{
		Op: dist.OpSpawnRequest, Ref: s.ref, From: p.pid, Leader: p.leaderOfChildren(),
		Module: etf.Atom(r.Module), Function: etf.Atom(r.Function), Arity: len(r.Args), Options: r.wireOptions(),
	}
	if err := c.send(ctx, p, &ctl, etf.List(r.Args)); err != nil {
		c.takeSpawning(s.ref)
		p.dropMonitor(s.ref)
		if errors.Is(err, dist.ErrNotNegotiated) {
			return Child{}, &SpawnError{Node: c.name, Reason: "notsup"}
		}
		return Child{}, &unsent{err}
	}
	switch {
	case !r.NoReply:
		return s.await(ctx)
	case r.Monitor:
		return Child{Ref: s.ref}, nil
	}
	return Child{}, nil
}

// answered tells whether the answer matters to anybody.
func (s *spawning) answered() bool { return s.outcome != nil || s.monitor }

func (s *spawning) await(ctx context.Context) (Child, error) {
	var o spawned
	select {
	case o = <-s.outcome:
	case <-ctx.Done():
		if !s.abandon() {
			return Child{}, fmt.Errorf("no answer: %w", context.Cause(ctx))
		}
		o = <-s.outcome
	case <-s.by.Context().Done():
		return Child{}, s.by.exited()
	}
	if o.err != nil || !s.monitor {
		return Child{PID: o.pid}, o.err
	}
	return Child{PID: o.pid, Ref: s.ref}, nil
}

// abandon gives the request up, unless it has been answered meanwhile.
func (s *spawning) abandon() (answered bool) {
	s.by.mu.Lock()
	defer s.by.mu.Unlock()
	s.abandoned = len(s.outcome) == 0
	return !s.abandoned
}

// wireOptions are the options as they are sent: those about the reply, tags and
// aliases are none of the peer's business, which would answer badopt.
func (r *SpawnRequest) wireOptions() etf.List {
	if r.Monitor && !r.Link && len(r.Options) == 0 {
		return monitorOption // that of every call
	}
	options := etf.List{}
	if r.Link {
		options = append(options, etf.Atom("link"))
	}
	if r.Monitor {
		options = append(options, etf.Atom("monitor"))
	}
	return append(options, r.Options...)
}

var monitorOption = etf.List{etf.Atom("monitor")}

// addSpawning notes a request to be sent, which fails when the connection is lost;
// false if it is already.
func (c *conn) addSpawning(s *spawning) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	if c.spawnings == nil {
		c.spawnings = make(map[etf.Ref]*spawning)
	}
	c.spawnings[s.ref] = s
	return true
}

// takeSpawning returns the request that an answer is to, or nil.
func (c *conn) takeSpawning(ref etf.Ref) *spawning {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.spawnings[ref]
	delete(c.spawnings, ref)
	return s
}

// spawningsLost ends all requests when the connection is lost.
func (c *conn) spawningsLost(reason error) {
	c.mu.Lock()
	lost := c.spawnings
	c.spawnings = nil
	c.mu.Unlock()
	for _, s := range lost {
		s.refused(noConnection(c.name, reason))
	}
}

func (s *spawning) refused(err error) {
	if s.outcome == nil {
		s.by.down(s.ref, refusal(err))
		return
	}
	s.by.mu.Lock()
	s.outcome <- spawned{err: err}
	s.by.mu.Unlock()
}

// refusal is the reason of the Down that tells of a refusal.
func refusal(err error) etf.Term {
	var refused *SpawnError
	if errors.As(err, &refused) {
		return refused
	}
	return reasonNoConnection
}
