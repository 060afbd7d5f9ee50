package epmd

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrUnreachable says that nothing answered the dial: there is no epmd at
	// the address, or no way to it. Nothing was sent.
	ErrUnreachable = errors.New("no epmd")

	// ErrRefused says that epmd closed the connection without an answer, which is
	// how it declines: a request that only a local peer may make, a name it cannot
	// hold, or its limit of connections.
	ErrRefused = errors.New("closed the connection without an answer")

	// ErrProtocol says that what answered does not speak epmd's protocol.
	ErrProtocol = errors.New("that is not an epmd answer")

	// ErrNameTaken says that another running program holds the name, or that
	// epmd does not take it as a name.
	ErrNameTaken = errors.New("name is taken")

	// ErrUnknownName says that epmd has no such name. The error is an
	// *UnknownNameError where epmd was also asked what it does have.
	ErrUnknownName = errors.New("unknown name")

	// ErrBusy is the answer to a kill while names are registered.
	ErrBusy = errors.New("nodes are registered")

	// ErrInvalid says that a name, host or extra cannot be put in a request. Nothing was sent.
	ErrInvalid = errors.New("invalid")
)

// UnknownNameError is an ErrUnknownName that lists what epmd knows instead.
type UnknownNameError struct {
	Host  string     // as it was asked for
	Name  string     // what was looked up
	Known []NamePort // what epmd has; nil also if it did not say
}

// maxListed keeps the message of a crowded host readable.
const maxListed = 20

func (e *UnknownNameError) Error() string {
	var has strings.Builder
	for i, n := range e.Known {
		switch {
		case i == maxListed:
			fmt.Fprintf(&has, " and %d more", len(e.Known)-maxListed)
		case i > maxListed:
		case i > 0:
			has.WriteString(", " + n.Name)
		default:
			has.WriteString(n.Name)
		}
	}
	if has.Len() == 0 {
		has.WriteString("nothing")
	}
	return fmt.Sprintf("epmd at %s knows no node named %s; it has: %s", e.Host, e.Name, &has)
}

// Is makes errors.Is(err, ErrUnknownName) true.
func (e *UnknownNameError) Is(target error) bool { return target == ErrUnknownName }
