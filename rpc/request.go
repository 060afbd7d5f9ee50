package rpc

import (
	"context"

	"github.com/truss-beam/truss"
)

// Request is a call under way.
type Request[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// Go begins a Call and returns at once: erpc:send_request/4. When ctx ends the
// request is over, with ctx's error.
func Go[T any](ctx context.Context, from *truss.Node, node, module, function string, args ...any) *Request[T] {
	r := &Request[T]{done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.value, r.err = Call[T](ctx, from, node, module, function, args...)
	}()
	return r
}

// Done is closed when the result is there, which makes a select what
// erpc:wait_response/3 is, and a check_response of one with a default.
func (r *Request[T]) Done() <-chan struct{} { return r.done }

// Result waits for the result, which is what Call returns: receive_response/1. It
// can be called again, by anyone.
func (r *Request[T]) Result() (T, error) {
	<-r.done
	return r.value, r.err
}
