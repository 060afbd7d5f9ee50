package epmd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Entry is what epmd holds about one name, the answer to a lookup.
type Entry struct {
	Name     string
	Port     uint16 // where the node listens; 0 if it does not
	Hidden   bool   // registered with node type 72; a visible node has 77
	Protocol byte   // 0: TCP, over IPv4 and IPv6 alike
	High     uint16 // distribution versions; OTP 25 to 29 register 6 and 5
	Low      uint16
	Extra    []byte // free for the node; nil if it set none
}

// parsePortPlease returns the name asked for, without the NUL that old clients
// end it with.
func parsePortPlease(body []byte) (string, error) {
	name := bytes.TrimSuffix(body[1:], []byte{0})
	if !validName(string(name)) {
		return "", errors.New("malformed lookup")
	}
	return string(name), nil
}

// appendPortReply appends PORT2_RESP for a name, or that there is none.
func appendPortReply(b []byte, r *aliveRequest) []byte {
	if r == nil {
		return append(b, opPort2Reply, 1)
	}
	b = append(b, opPort2Reply, 0)
	b = binary.BigEndian.AppendUint16(b, r.port)
	return r.appendTail(b)
}

// readPortReply returns the entry, or ErrUnknownName if there is none.
func readPortReply(r io.Reader) (Entry, error) {
	var b [12]byte
	if err := readReply(r, b[:2]); err != nil {
		return Entry{}, err
	}
	if b[0] != opPort2Reply {
		return Entry{}, fmt.Errorf("%w: it begins with %d", ErrProtocol, b[0])
	}
	if b[1] != 0 {
		return Entry{}, ErrUnknownName
	}
	if err := readReply(r, b[2:]); err != nil {
		return Entry{}, err
	}
	e := Entry{
		Port:     binary.BigEndian.Uint16(b[2:]),
		Hidden:   b[4] == nodeHidden,
		Protocol: b[5],
		High:     binary.BigEndian.Uint16(b[6:]),
		Low:      binary.BigEndian.Uint16(b[8:]),
	}
	name, err := readCounted(r, int(binary.BigEndian.Uint16(b[10:])), maxNameBytes)
	if err != nil {
		return Entry{}, err
	}
	if err := readReply(r, b[:2]); err != nil {
		return Entry{}, err
	}
	e.Name = string(name)
	e.Extra, err = readCounted(r, int(binary.BigEndian.Uint16(b[:])), maxExtra)
	return e, err
}

// readCounted reads n bytes, none of which epmd has more of than limit.
func readCounted(r io.Reader, n, limit int) ([]byte, error) {
	if n > limit {
		return nil, fmt.Errorf("%w: a field of %d bytes, %d are possible", ErrProtocol, n, limit)
	}
	if n == 0 {
		return nil, nil
	}
	b := make([]byte, n)
	return b, readReply(r, b)
}
