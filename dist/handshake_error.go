package dist

import (
	"errors"
	"fmt"
	"io"
)

// What a HandshakeError wraps.
var (
	ErrCookie       = errors.New("cookie mismatch")
	ErrNotAllowed   = errors.New("not allowed")           // by them, or a flag is missing
	ErrNameMismatch = errors.New("another node answered") // than the one dialled
	ErrAlive        = errors.New("already connected")     // and one side kept the old connection
	ErrNok          = errors.New("refused for another attempt")
	ErrMalformed    = errors.New("not the distribution handshake") // or not one OTP 25 and newer speak
)

// Stage is the message a handshake had come to.
type Stage string

// The stages in their order on the wire.
const (
	StageName       Stage = "name"
	StageStatus     Stage = "status"
	StageAlive      Stage = "alive" // the initiator's "true" or "false"
	StageChallenge  Stage = "challenge"
	StageComplement Stage = "complement"
	StageReply      Stage = "reply"
	StageAck        Stage = "ack"
)

// HandshakeError tells why a handshake ended. Err wraps one of ErrCookie,
// ErrNotAllowed, ErrNameMismatch, ErrAlive, ErrNok, ErrMalformed and ErrName, or
// what broke the connection.
type HandshakeError struct {
	Stage Stage
	Peer  string // as dialled, or as it called itself; "" if it had not
	// Status is what the peer answered, if that ended it.
	Status Status
	// Answer is what to append as status before closing; StatusClose: nothing.
	Answer Status
	// Missing are the mandatory flags the peer lacks.
	Missing Flags
	Err     error
}

func (e *HandshakeError) Error() string {
	peer := e.Peer
	if peer == "" {
		peer = "an unnamed peer"
	}
	return fmt.Sprintf("dist: handshake with %s: at %s: %v", peer, e.Stage, e.Err)
}

func (e *HandshakeError) Unwrap() error { return e.Err }

func malformed(stage Stage, peer, format string, args ...any) *HandshakeError {
	return &HandshakeError{Stage: stage, Peer: peer, Err: fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)}
}

// lacks refuses a peer for its flags. Only an acceptor that has not answered yet
// can say so on the wire.
func lacks(stage Stage, peer string, missing, all Flags) *HandshakeError {
	old := "it is older than OTP 25, or not an OTP node"
	if all.Missing() == FlagsMandatory {
		old = "it announces none of what OTP 25 made mandatory"
	}
	return &HandshakeError{
		Stage: stage, Peer: peer, Answer: StatusNotAllowed, Missing: missing,
		Err: fmt.Errorf("%w: %s lacks %s: %s", ErrNotAllowed, peer, plural("flag", missing), old),
	}
}

func plural(noun string, f Flags) string {
	if f&(f-1) != 0 {
		noun += "s"
	}
	return noun + " " + f.String()
}

// broken explains a connection that ended while we waited for stage. ours tells
// what a peer that closes there means by it.
func broken(stage Stage, peer string, err error, closed error) error {
	var already *HandshakeError
	if errors.As(err, &already) {
		return err
	}
	if closed != nil && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		err = fmt.Errorf("%w (%w)", closed, err)
	}
	return &HandshakeError{Stage: stage, Peer: peer, Err: err}
}
