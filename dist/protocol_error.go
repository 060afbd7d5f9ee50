package dist

import (
	"errors"
	"fmt"
	"strings"
)

var (
	errNotSendable = errors.New("not a control message to send")
	errUnlinkID    = errors.New("an unlink id must be 1 to 2^64-1")
)

// ErrNotNegotiated is wrapped by the ProtocolError of a signal that the flags of
// the connection give no form to, such as an exit signal to an alias towards OTP
// 27. OTP drops such signals.
var ErrNotNegotiated = errors.New("the peer does not know such signals")

// ErrTooLarge is wrapped by the error of a signal or frame that is over a limit.
var ErrTooLarge = errors.New("too large")

// ProtocolError tells what was wrong with a frame or a signal. One that comes
// from a Receiver means that the peer broke the protocol or a limit: nothing
// after it can be understood, close the connection. One from a Sender means that
// the signal was not sent; the connection is as it was.
type ProtocolError struct {
	Op     Op  // of the control message, as far as it was known; else 0
	Offset int // in the frame's body, about where; 0 if unknown
	Err    error
}

func (e *ProtocolError) Error() string {
	var b strings.Builder
	b.WriteString("dist: ")
	if e.Op != 0 {
		fmt.Fprintf(&b, "%v: ", e.Op)
	}
	b.WriteString(e.Err.Error())
	if e.Offset != 0 {
		fmt.Fprintf(&b, " (byte %d of the frame)", e.Offset)
	}
	return b.String()
}

func (e *ProtocolError) Unwrap() error { return e.Err }

func violation(offset int, format string, args ...any) error {
	return &ProtocolError{Offset: offset, Err: fmt.Errorf(format, args...)}
}
