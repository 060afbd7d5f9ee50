package truss

import (
	"context"
	"time"
)

// processContext is a process's context. It is the process itself, and makes a context
// of package context when somebody waits for it, derives from it or asks for a value:
// most of a great many processes only ever wait for messages.
type processContext Process

// madeContext is that context.
type madeContext struct {
	context.Context
	cancel context.CancelCauseFunc
}

// Context is done when the process has ended; its cause is then the *ExitError.
func (p *Process) Context() context.Context { return (*processContext)(p) }

func (c *processContext) made() *madeContext {
	p := (*Process)(c)
	if m := p.context.Load(); m != nil {
		return m
	}
	m := new(madeContext)
	m.Context, m.cancel = context.WithCancelCause(context.Background())
	if !p.context.CompareAndSwap(nil, m) {
		return p.context.Load()
	}
	if p.over.Load() { // else endContext finds m
		m.cancel(p.exited())
	}
	return m
}

// endContext makes the context done.
func (p *Process) endContext(why *ExitError) {
	p.over.Store(true)
	if m := p.context.Load(); m != nil {
		m.cancel(why)
	}
}

// String is for who prints a context: it is large, and changes.
func (c *processContext) String() string { return "the context of " + (*Process)(c).String() }

func (c *processContext) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

func (c *processContext) Done() <-chan struct{} { return c.made().Done() }

func (c *processContext) Err() error {
	if c.over.Load() {
		return context.Canceled
	}
	return nil
}

// Value gives package context its own: that is how it finds the cause, and derives
// contexts without a goroutine for each.
func (c *processContext) Value(key any) any {
	if key == (noConnectKey{}) {
		return nil // asked for with everything that is sent
	}
	return c.made().Value(key)
}
