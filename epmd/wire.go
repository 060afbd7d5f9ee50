package epmd

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Requests and replies by their first byte.
const (
	opAlive2      = 120 // x
	opPortPlease2 = 122 // z
	opNames       = 110 // n
	opDump        = 100 // d
	opKill        = 107 // k
	opStop        = 115 // s

	opAlive2Reply  = 121 // y: creation is 16 bits, for peers of before OTP 23
	opAlive2XReply = 118 // v: creation is 32 bits
	opPort2Reply   = 119 // w
)

const (
	nodeNormal = 77 // M
	nodeHidden = 72 // H

	// maxRequest is the longest body Erlang's epmd takes (its buffer of 3 KiB
	// less the length, found by trying): the longest name and extra and their
	// fields fit.
	maxRequest = 3057

	maxNameChars = 255
	maxNameBytes = 4 * maxNameChars
	maxExtra     = 4 * maxNameChars
)

// appendRequest appends a request: the length that only requests carry, the
// operation, and the rest of the body.
func appendRequest(b []byte, op byte, rest string) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(1+len(rest)))
	b = append(b, op)
	return append(b, rest...)
}

// readRequest returns the body of one request. It reads not a byte further: on
// a registered connection the next one means something.
func readRequest(r io.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(head[:]))
	if n == 0 || n > maxRequest {
		return nil, fmt.Errorf("request of %d bytes, 1 to %d are possible", n, maxRequest)
	}
	body := make([]byte, n)
	_, err := io.ReadFull(r, body)
	return body, err
}

// readReply fills b from a reply, in which every missing byte is a fault.
func readReply(r io.Reader, b []byte) error {
	if _, err := io.ReadFull(r, b); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}
