package epmd

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// The answers to KILL_REQ and STOP_REQ. Erlang's epmd sends STOPPED behind
// NOEXIST as well; its own client reads seven bytes and so never saw it.
const (
	killed   = "OK"
	notNow   = "NO"
	stopped  = "STOPPED"
	notThere = "NOEXIST"
)

// appendDumpLine appends one NUL-ended line of DUMP_RESP. fd is a number for the
// connection that holds, or held, the name.
func appendDumpLine(b []byte, r *aliveRequest, fd int, active bool) []byte {
	kind, middle, end := "active name     <", "> at port ", "\n"
	if !active {
		kind, middle, end = "old/unused name <", ">, port = ", " \n"
	}
	b = append(b, kind...)
	b = append(b, r.name...)
	b = append(b, middle...)
	b = strconv.AppendUint(b, uint64(r.port), 10)
	b = append(b, ", fd = "...)
	b = strconv.AppendInt(b, int64(fd), 10)
	b = append(b, end...)
	return append(b, 0)
}

// stopName returns the name a STOP_REQ names, up to a NUL if there is one.
func stopName(body []byte) string {
	name, _, _ := bytes.Cut(body[1:], []byte{0})
	return string(name)
}

// readWord returns the word that answers KILL_REQ (size 2) or STOP_REQ (size 7).
func readWord(r io.Reader, size int, possible ...string) (string, error) {
	b := make([]byte, size)
	if err := readReply(r, b); err != nil {
		return "", err
	}
	for _, w := range possible {
		if string(b) == w {
			return w, nil
		}
	}
	return "", fmt.Errorf("%w: %q", ErrProtocol, b)
}
