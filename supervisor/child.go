package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// child is a Child and its present incarnation.
type child struct {
	Child
	process  *truss.Process // nil if it does not run
	returned chan struct{}  // closed when its Run has returned
}

// start spawns the child, and lets it run once it is linked: a supervisor that is
// killed meanwhile leaves nothing behind.
func (s *supervisor) start(ctx context.Context, c *child) error {
	linked, returned := make(chan error, 1), make(chan struct{})
	p, err := s.p.Node().Spawn(func(ctx context.Context, p *truss.Process) error {
		defer close(returned)
		if err := <-linked; err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return c.Run(ctx, p)
	}, c.Options...)
	if err != nil {
		return err
	}
	err = s.p.Link(ctx, p.PID()) // the error is that the supervisor is dead, and why
	linked <- err
	if err == nil {
		c.process, c.returned = p, returned
	}
	return err
}

// reason is why the process has ended. That is not what its Exit says, if somebody
// ended it before it was linked: then it is noproc.
func (c *child) reason() etf.Term {
	var exit *truss.ExitError
	if errors.As(context.Cause(c.process.Context()), &exit) {
		return exit.Reason
	}
	return etf.Atom("normal")
}

// failed tells whether a reason is one that a Transient child is started anew for.
func failed(reason etf.Term) bool {
	if tuple, ok := reason.(etf.Tuple); ok && len(tuple) == 2 {
		reason = tuple[0]
		return reason != etf.Term(etf.Atom("shutdown"))
	}
	return reason != etf.Term(etf.Atom("normal")) && reason != etf.Term(etf.Atom("shutdown"))
}

// stop ends the process, and waits for its end as long as the child may take.
func (c *child) stop(ctx context.Context, by *truss.Process, log *slog.Logger) {
	_ = by.Exit(ctx, c.process.PID(), etf.Atom("shutdown")) // to a process of this node: cannot fail
	if c.await(ctx, c.Shutdown) {
		return
	}
	_ = by.Exit(ctx, c.process.PID(), etf.Atom("kill"))
	c.awaitReturn(ctx, log)
}

// killTime is how long a function may take to return after its process is dead
// for good. It can only be told of then: a goroutine cannot be killed.
const killTime = time.Second

func (c *child) awaitReturn(ctx context.Context, log *slog.Logger) {
	if !c.await(ctx, killTime) && ctx.Err() == nil {
		log.Error("child has ended, but its function does not return", "child", c.Name, "pid", c.process.PID())
	}
}

// await waits until the process has ended and its function has returned.
func (c *child) await(ctx context.Context, limit time.Duration) bool {
	var timeout <-chan time.Time
	if limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-c.returned:
	case <-timeout:
		return false
	case <-ctx.Done():
		return false
	}
	<-c.process.Context().Done() // it ends right after its function
	return true
}
