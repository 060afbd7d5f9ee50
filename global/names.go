package global

import (
	"context"
	"errors"
	"fmt"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// Registration is one global name.
type Registration struct {
	Name etf.Term
	PID  etf.Pid
}

// RegisterName registers a process, of any node, under a name that is any term
// (most are an etf.Atom; a Go string is a binary): global:register_name/2,3. It
// waits for the lock of the names on all nodes, and returns when all nodes have
// the name. The name is free again when the process ends.
//
// method, of which the last counts, is what happens if another partition turns
// out to have the name too; without, it is RandomExitName.
//
// Errors: truss.ErrNameTaken, ErrHasName, and that of ctx, after which the
// process may still get registered if all nodes were locked already.
func (g *Global) RegisterName(ctx context.Context, name any, pid etf.Pid, method ...Method) error {
	return g.register(ctx, name, pid, method, false)
}

// ReRegisterName is RegisterName for a name that another process may have, which
// then loses it: global:re_register_name/2,3.
func (g *Global) ReRegisterName(ctx context.Context, name any, pid etf.Pid, method ...Method) error {
	return g.register(ctx, name, pid, method, true)
}

func (g *Global) register(ctx context.Context, name any, pid etf.Pid, methods []Method, again bool) error {
	term, err := canonical(name)
	if err != nil {
		return fmt.Errorf("global: register %v: %w", name, err)
	}
	method := RandomExitName()
	for _, m := range methods {
		method = m
	}
	if method.custom != nil {
		if string(pid.Node) != g.node.Name() {
			return errors.New("global: a Custom method is only for processes of its own node: give an Exported one")
		}
		g.mu.Lock()
		g.custom[key(term)] = method.custom
		g.mu.Unlock()
	}
	err = g.write(ctx, func(done func(error)) *write {
		return g.machine.registering(entry{term, pid, method.export}, again, done)
	})
	if err != nil {
		return fmt.Errorf("global: register %s: %w", etf.Format(term), err)
	}
	return nil
}

// UnregisterName frees a name on all nodes: global:unregister_name/1. It is no
// error if nobody has it.
func (g *Global) UnregisterName(ctx context.Context, name any) error {
	term, err := canonical(name)
	if err == nil {
		if _, ok := g.WhereisName(term); !ok {
			return nil
		}
		err = g.write(ctx, func(done func(error)) *write { return g.machine.unregistering(term, done) })
	}
	if err != nil {
		return fmt.Errorf("global: unregister %v: %w", name, err)
	}
	return nil
}

// write has the registrar change a name.
func (g *Global) write(ctx context.Context, make_ func(done func(error)) *write) error {
	done := make(chan error, 1)
	w := make_(func(err error) { done <- err })
	g.feed(w)
	result, err := wait(ctx, g, done)
	if err != nil {
		g.feed(abandon{w})
		return err
	}
	return result
}

// WhereisName returns the process registered under a name: global:whereis_name/1.
// It looks only here, where all names of the partition are.
func (g *Global) WhereisName(name any) (pid etf.Pid, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e, ok := g.machine.names.find(name)
	return e.pid, ok
}

// RegisteredNames returns all names, sorted as Erlang sorts terms.
func (g *Global) RegisteredNames() []Registration {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := []Registration{}
	for _, e := range g.machine.names.list() {
		all = append(all, Registration{Name: e.name, PID: e.pid})
	}
	return all
}

// Send sends to the process registered under a name and returns its pid:
// global:send/2. The error is truss.ErrNoProcess if there is none, and otherwise
// as that of the node's Send.
func (g *Global) Send(ctx context.Context, name, message any) (etf.Pid, error) {
	pid, ok := g.WhereisName(name)
	if !ok {
		return etf.Pid{}, fmt.Errorf("global: send to %v: %w", name, truss.ErrNoProcess)
	}
	return pid, g.node.Send(ctx, pid, message)
}

// canonical makes what may be any Go value the term it is for Erlang.
func canonical(v any) (etf.Term, error) {
	b, err := etf.Marshal(v)
	if err != nil {
		return nil, err
	}
	return etf.Decode(b)
}
