package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	mdns "github.com/miekg/dns"
)

// What an [Error] can be, for errors.Is.
var (
	ErrNXDomain    = errors.New("no such name (NXDOMAIN)")
	ErrServFail    = errors.New("the server failed (SERVFAIL)")
	ErrRefused     = errors.New("the server refuses to answer (REFUSED)")
	ErrTimeout     = errors.New("the server did not answer in time")
	ErrUnreachable = errors.New("the server cannot be reached")
	ErrNoServer    = errors.New("no name server is configured")
	ErrTruncated   = errors.New("the answer was truncated, and could not be had over TCP")
	ErrBadAnswer   = errors.New("the server's answer makes no sense")
)

// Error is a question that DNS did not answer.
type Error struct {
	Query  string // as in Strategy.Query, or an SRV record's target
	Type   Type
	Server string // "10.0.0.2:53", the first that failed; empty if it was none's fault alone
	Err    error  // one of the errors above, or wraps one
}

func (e *Error) Error() string {
	if e.Server == "" {
		return fmt.Sprintf("dns: %s %s: %v", e.Type, e.Query, e.Err)
	}
	return fmt.Sprintf("dns: %s %s from %s: %v", e.Type, e.Query, e.Server, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// rcodeError is nil for success.
func rcodeError(rcode int) error {
	switch rcode {
	case mdns.RcodeSuccess:
		return nil
	case mdns.RcodeNameError:
		return ErrNXDomain
	case mdns.RcodeServerFailure:
		return ErrServFail
	case mdns.RcodeRefused:
		return ErrRefused
	}
	return fmt.Errorf("%w: %s", ErrBadAnswer, mdns.RcodeToString[rcode])
}

// exchangeError sorts what an Exchange can return. Addresses are left out of the text: the local port in them differs
// each time, and a trouble is logged once only if its text stays the same.
func exchangeError(err error) error {
	var timeout net.Error
	var errno syscall.Errno
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return ErrTimeout
	case errors.As(err, &errno):
		return fmt.Errorf("%w: %w", ErrUnreachable, errno)
	case errors.As(err, &op):
		return fmt.Errorf("%w: %w", ErrUnreachable, op.Err)
	}
	return fmt.Errorf("%w: %w", ErrBadAnswer, err)
}

// join makes one error, on one line, of several.
func join(errs []error) error {
	var all error
	for _, err := range errs {
		switch {
		case err == nil:
		case all == nil:
			all = err
		default:
			all = fmt.Errorf("%w; %w", all, err)
		}
	}
	return all
}
