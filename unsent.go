package truss

import "errors"

// NotSent tells whether SpawnRemote failed without anything having been done:
// nothing was sent, or the peer has refused. The request may be tried again, there
// or elsewhere. Any other failure leaves open whether the process was started.
func NotSent(err error) bool {
	var before *unsent
	var refused *SpawnError
	return errors.As(err, &before) || errors.As(err, &refused)
}

// unsent is the failure of a request of which nothing was sent.
type unsent struct{ err error }

func (e *unsent) Error() string { return e.err.Error() }
func (e *unsent) Unwrap() error { return e.err }
