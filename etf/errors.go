package etf

import (
	"errors"
	"fmt"
)

// What went wrong, for errors.Is. Every error of this package wraps one of
// these, except those of a caller's own marshaling methods.
var (
	// ErrTruncated: the input ends inside a term.
	ErrTruncated = errors.New("input ends inside a term")
	// ErrInvalid: no BEAM accepts this. Read from a peer it means that the peer
	// or the link is broken; in a value to be written it means that the receiver
	// would drop the connection, which is why it is refused here.
	ErrInvalid = errors.New("not a valid term")
	// ErrLimit: the term is deeper, longer or larger than allowed. See Limits.
	ErrLimit = errors.New("limit exceeded")
	// ErrKind: the next term is of another kind than the one asked for. It is
	// not consumed: ask for another kind, or Skip it.
	ErrKind = errors.New("term of another kind")
	// ErrRange: the next integer does not fit the type asked for. Not consumed.
	ErrRange = errors.New("integer out of range")
	// ErrUnsupported: the Go value has no external form, or the reader does not
	// know that form (a native record before OTP 29).
	ErrUnsupported = errors.New("no external form")
)

// DecodeError says where in the input and at what decoding failed.
type DecodeError struct {
	// Offset is counted in bytes from the start of what was given to Reset,
	// Decode or Unmarshal; in a compressed term, from the start of the
	// uncompressed bytes.
	Offset int
	// Tag is the byte at Offset, or 0 at the end of the input. It is the tag of
	// the term in question except where the error names something inside it.
	Tag byte
	// What was being read, and why it failed, in a few words.
	What string
	// Err is one of the sentinel errors of this package.
	Err error
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("etf: decode at byte %d (tag %d): %s: %v", e.Offset, e.Tag, e.What, e.Err)
}

func (e *DecodeError) Unwrap() error { return e.Err }

// EncodeError says which value could not be written.
type EncodeError struct {
	// What was to be written, and why it was refused, in a few words.
	What string
	// Err is one of the sentinel errors of this package.
	Err error
}

func (e *EncodeError) Error() string { return fmt.Sprintf("etf: encode: %s: %v", e.What, e.Err) }

func (e *EncodeError) Unwrap() error { return e.Err }

// refuse is how every encoding function fails: dst goes back as it came.
func refuse(dst []byte, err error, format string, args ...any) ([]byte, error) {
	return dst, &EncodeError{What: fmt.Sprintf(format, args...), Err: err}
}

// fail is how every decoding function fails.
func (d *Decoder) fail(at int, err error, what string) error {
	e := &DecodeError{Offset: at, What: what, Err: err}
	if at < len(d.in) {
		e.Tag = d.in[at]
	}
	return e
}

func (d *Decoder) truncated(at int, what string) error { return d.fail(at, ErrTruncated, what) }
func (d *Decoder) invalid(at int, what string) error   { return d.fail(at, ErrInvalid, what) }
