package epmd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// aliveRequest is ALIVE2_REQ: a node says its name and where it listens.
type aliveRequest struct {
	port      uint16
	nodeType  byte
	protocol  byte
	high, low uint16
	name      string
	extra     string
}

// aliveFixed is the size of a body without name and extra.
const aliveFixed = 13

func (r aliveRequest) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(aliveFixed+len(r.name)+len(r.extra)))
	b = append(b, opAlive2)
	b = binary.BigEndian.AppendUint16(b, r.port)
	return r.appendTail(b)
}

// appendTail appends what ALIVE2_REQ and PORT2_RESP have in common, from the
// node type on.
func (r aliveRequest) appendTail(b []byte) []byte {
	b = append(b, r.nodeType, r.protocol)
	b = binary.BigEndian.AppendUint16(b, r.high)
	b = binary.BigEndian.AppendUint16(b, r.low)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.name)))
	b = append(b, r.name...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.extra)))
	return append(b, r.extra...)
}

var errAlive = errors.New("malformed registration")

// parseAlive parses a body. It refuses what Erlang's epmd answers by closing
// the connection; what that answers with a refusal (see validName) is for the
// registry. Bytes behind extra are ignored, as there.
func parseAlive(body []byte) (aliveRequest, error) {
	if len(body) <= aliveFixed || body[0] != opAlive2 {
		return aliveRequest{}, errAlive
	}
	r := aliveRequest{
		port:     binary.BigEndian.Uint16(body[1:]),
		nodeType: body[3],
		protocol: body[4],
		high:     binary.BigEndian.Uint16(body[5:]),
		low:      binary.BigEndian.Uint16(body[7:]),
	}
	n := int(binary.BigEndian.Uint16(body[9:]))
	if n == 0 || aliveFixed+n > len(body) {
		return aliveRequest{}, errAlive
	}
	r.name = string(body[11 : 11+n])
	e := int(binary.BigEndian.Uint16(body[11+n:]))
	if aliveFixed+n+e > len(body) || strings.IndexByte(r.name, 0) >= 0 {
		return aliveRequest{}, errAlive
	}
	r.extra = string(body[aliveFixed+n : aliveFixed+n+e])
	return r, nil
}

// validName says whether epmd can hold a name: 1 to 255 characters of UTF-8 without NUL.
func validName(name string) bool {
	return name != "" && len(name) <= maxNameBytes && strings.IndexByte(name, 0) < 0 &&
		utf8.ValidString(name) && utf8.RuneCountInString(name) <= maxNameChars
}

// refusedCreation is what epmd puts in a refusal, where it means nothing.
const refusedCreation = 99

// appendAliveReply appends ALIVE2_RESP, or ALIVE2_X_RESP for those that know a
// creation of 32 bits.
func appendAliveReply(b []byte, high uint16, refused bool, creation uint32) []byte {
	var result byte
	if refused {
		result = 1
	}
	if high >= 6 {
		return binary.BigEndian.AppendUint32(append(b, opAlive2XReply, result), creation)
	}
	return binary.BigEndian.AppendUint16(append(b, opAlive2Reply, result), uint16(creation))
}

// readAliveReply returns the creation, or ErrNameTaken if epmd refused.
func readAliveReply(r io.Reader) (uint32, error) {
	var b [6]byte
	if err := readReply(r, b[:4]); err != nil {
		return 0, err
	}
	creation := uint32(binary.BigEndian.Uint16(b[2:]))
	switch b[0] {
	case opAlive2Reply:
	case opAlive2XReply:
		if err := readReply(r, b[4:]); err != nil {
			return 0, err
		}
		creation = binary.BigEndian.Uint32(b[2:])
	default:
		return 0, fmt.Errorf("%w: it begins with %d", ErrProtocol, b[0])
	}
	if b[1] != 0 {
		return 0, ErrNameTaken
	}
	return creation, nil
}
