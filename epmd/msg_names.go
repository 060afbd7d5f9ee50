package epmd

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// NamePort is one line of the answer to NAMES_REQ: a name and where it listens.
type NamePort struct {
	Name string
	Port uint16
}

// maxListing is the longest NAMES or DUMP answer we take. Erlang's epmd holds
// about a thousand names (one select() set) of at most 1 KiB.
const maxListing = 2 << 20

func appendNameLine(b []byte, r *aliveRequest) []byte {
	b = append(b, "name "...)
	b = append(b, r.name...)
	b = append(b, " at port "...)
	b = strconv.AppendUint(b, uint64(r.port), 10)
	return append(b, '\n')
}

// readListing returns what follows epmd's own port in the answer to NAMES_REQ
// and DUMP_REQ, up to the end of the connection.
func readListing(r io.Reader) ([]byte, error) {
	var port [4]byte
	if err := readReply(r, port[:]); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(r, maxListing+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxListing {
		return nil, fmt.Errorf("%w: the list is longer than %d bytes", ErrProtocol, maxListing)
	}
	return text, nil
}

// parseNames parses the lines of NAMES_RESP. epmd takes any UTF-8 as a name, a
// newline too, so a line may make no sense: it is passed over, for one odd name
// must not hide the others. A text without a single name is not epmd's.
func parseNames(text []byte) ([]NamePort, error) {
	var names []NamePort
	for line := range bytes.Lines(text) {
		if n, ok := parseNameLine(line); ok {
			names = append(names, n)
		}
	}
	if len(text) > 0 && names == nil {
		return nil, fmt.Errorf("%w: a list of names that begins %.60q", ErrProtocol, text)
	}
	return names, nil
}

func parseNameLine(line []byte) (n NamePort, ok bool) {
	prefix, at := "name ", []byte(" at port ")
	i := bytes.LastIndex(line, at)
	if i < len(prefix) || string(line[:len(prefix)]) != prefix || line[len(line)-1] != '\n' {
		return n, false
	}
	port, err := strconv.ParseUint(string(line[i+len(at):len(line)-1]), 10, 16)
	return NamePort{Name: string(line[len(prefix):i]), Port: uint16(port)}, err == nil
}
