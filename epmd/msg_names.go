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

// parseNames parses the lines of NAMES_RESP. A name may hold spaces and even
// newlines, so a name ends where a line ends in " at port N".
func parseNames(text []byte) ([]NamePort, error) {
	var names []NamePort
	for len(text) > 0 {
		n, rest, ok := cutName(text)
		if !ok {
			return nil, fmt.Errorf("%w: a list of names with the line %.60q", ErrProtocol, text)
		}
		names = append(names, n)
		text = rest
	}
	return names, nil
}

func cutName(text []byte) (n NamePort, rest []byte, ok bool) {
	prefix, at := []byte("name "), []byte(" at port ")
	if !bytes.HasPrefix(text, prefix) {
		return n, nil, false
	}
	for start := len(prefix); ; {
		end := bytes.IndexByte(text[start:], '\n')
		if end < 0 {
			return n, nil, false
		}
		line := text[start : start+end]
		if i := bytes.LastIndex(line, at); i >= 0 {
			port, err := strconv.ParseUint(string(line[i+len(at):]), 10, 16)
			if err == nil {
				n = NamePort{Name: string(text[len(prefix) : start+i]), Port: uint16(port)}
				return n, text[start+end+1:], true
			}
		}
		start += end + 1
	}
}
