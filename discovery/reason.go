package discovery

import (
	"errors"
	"net"
	"strings"
)

// reason is err's text without what differs from try to try, so that the same trouble is logged once: the local port in
// "read tcp 127.0.0.1:49152->10.0.0.2:4369: connection reset by peer".
func reason(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	for _, op := range opErrors(err) {
		if op.Source != nil {
			text = strings.ReplaceAll(text, op.Source.String()+"->", "")
		}
	}
	return text
}

// opErrors finds every *net.OpError in err's tree; errors.As would stop at the first of a joined error.
func opErrors(err error) []*net.OpError {
	var found []*net.OpError
	if op, ok := err.(*net.OpError); ok {
		found = append(found, op)
	}
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, child := range e.Unwrap() {
			found = append(found, opErrors(child)...)
		}
	default:
		if child := errors.Unwrap(err); child != nil {
			found = append(found, opErrors(child)...)
		}
	}
	return found
}
