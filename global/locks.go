package global

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/truss-beam/truss"
)

// LockID is {ResourceId, LockRequesterId}: what is locked, and for whom. Whoever
// asks with the same Requester shares the lock. Both are any terms; a nil
// Requester is one that nobody shares.
type LockID struct{ Resource, Requester any }

// LockOptions says where and how persistently to lock.
type LockOptions struct {
	// Nodes to set the lock on. Empty means this node and all it is connected to,
	// which makes the lock the whole cluster's.
	Nodes []string

	// Retries is how often to try again, after pauses of up to 8 s, when another
	// has the lock. 0 means until the context ends, negative means never.
	Retries int
}

// ErrLocked: another has the lock.
var ErrLocked = errors.New("global: locked by another")

// Lock is a lock that is set, until Unlock, or this node's end or loss. (It has a
// process of its own, whose death frees it everywhere.)
type Lock struct {
	g      *Global
	id     lockID
	nodes  []string
	holder *truss.Process
	end    context.CancelFunc
}

// SetLock sets a lock on all nodes asked for, or on none: global:set_lock/1,2,3.
// The error is ErrLocked when the retries are used up, or ctx's.
func (g *Global) SetLock(ctx context.Context, id LockID, options LockOptions) (*Lock, error) {
	l, err := g.newLock(id, options.Nodes)
	if err != nil {
		return nil, fmt.Errorf("global: set_lock: %w", err)
	}
	retries := options.Retries
	switch {
	case retries == 0:
		retries = -1
	case retries < 0:
		retries = 0
	}
	done := make(chan bool, 1)
	e := &locking{as: l.holder.PID(), id: l.id, nodes: l.nodes, retries: retries, done: func(ok bool) { done <- ok }}
	g.feed(e)
	ok, err := wait(ctx, g, done)
	switch {
	case err != nil:
		g.mu.Lock()
		e.given = true
		g.mu.Unlock()
		l.end() // which frees what may be set of it
		return nil, fmt.Errorf("global: set_lock %v: %w", id.Resource, err)
	case !ok:
		l.end()
		return nil, fmt.Errorf("global: set_lock %v: %w", id.Resource, ErrLocked)
	}
	return l, nil
}

func (g *Global) newLock(id LockID, nodes []string) (*Lock, error) {
	l := &Lock{g: g, nodes: slices.Clone(nodes)}
	if len(nodes) == 0 {
		l.nodes = append(g.node.Nodes(), g.node.Name())
	}
	var err error
	if l.id.resource, err = canonical(id.Resource); err != nil {
		return nil, err
	}
	if l.id.requester, err = canonical(id.Requester); err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(g.ctx)
	l.end = end
	g.mu.Lock()
	defer g.mu.Unlock()
	if l.holder, err = g.helperUntil(ctx); err != nil {
		end()
		return nil, err
	}
	if id.Requester == nil {
		l.id.requester = l.holder.PID()
	}
	return l, nil
}

// Unlock frees the lock on all nodes: global:del_lock/2. When it returns without
// error all have freed it. With one, those that have not will when they learn
// that its holder is gone.
func (l *Lock) Unlock(ctx context.Context) error {
	done := make(chan struct{}, 1)
	l.g.feed(unlocking{as: l.holder.PID(), id: l.id, nodes: l.nodes, done: func() { done <- struct{}{} }})
	_, err := wait(ctx, l.g, done)
	l.end()
	if err != nil {
		return fmt.Errorf("global: del_lock: %w", err)
	}
	return nil
}

// Trans runs a function while it holds a lock: global:trans/2,3,4. Its error is
// the function's, or that of SetLock or Unlock.
func (g *Global) Trans(ctx context.Context, id LockID, options LockOptions, fn func(ctx context.Context) error) error {
	lock, err := g.SetLock(ctx, id, options)
	if err != nil {
		return err
	}
	unlocked := false
	unlock := func() error {
		unlocked = true
		// The lock is to be freed also if ctx ended while fn ran.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		return lock.Unlock(ctx)
	}
	defer func() {
		if !unlocked { // fn panics
			_ = unlock()
		}
	}()
	err = fn(ctx)
	return errors.Join(err, unlock())
}
