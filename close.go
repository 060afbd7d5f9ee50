package truss

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// closeTimeout bounds each of the two waits of Close: for what is queued to be
// written, and for processes to return.
const closeTimeout = 5 * time.Second

// Close leaves the cluster: the node is taken out of epmd, its processes end
// with reason shutdown, which whoever is linked to or monitors them learns, what
// is queued is written, and then the connections are closed. When it returns no
// goroutine of the node is left, unless a process has not returned for 5 s after
// its context ended; the error then says so.
func (n *Node) Close() error {
	n.closeOnce.Do(func() { n.closed = n.close() })
	return n.closed
}

func (n *Node) close() error {
	n.endLife()
	n.peers.close()
	var errs []error
	if n.epmd != nil {
		errs = append(errs, n.epmd.Close())
	}
	if n.listener != nil {
		errs = append(errs, n.listener.Close())
	}
	for _, p := range n.processes.close() {
		p.terminate(reasonShutdown)
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	for _, c := range n.peers.live() {
		c.drain(ctx)
		c.fail(ErrClosed)
	}
	errs = append(errs, n.awaitGoroutines())
	n.log.Info("node closed")
	return errors.Join(errs...)
}

// drain waits until all that is queued has been written.
func (c *conn) drain(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil && (c.writing || c.pending()) {
		if c.idle == nil {
			c.idle = make(chan struct{})
		}
		idle := c.idle
		c.mu.Unlock()
		select {
		case <-idle:
		case <-c.done:
		case <-ctx.Done():
			c.mu.Lock()
			return
		}
		c.mu.Lock()
	}
}

func (n *Node) awaitGoroutines() error {
	done := make(chan struct{})
	go func() {
		n.running.Wait()
		close(done)
	}()
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return fmt.Errorf("truss: %s closed, but a process does not return though its context has ended", n.name)
	}
}
