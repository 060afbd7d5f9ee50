package dist

import (
	"encoding/binary"
	"fmt"
)

// Initiator plays the side that dialled. Its methods are called in this order,
// each Append giving the body of a frame to send and each other taking one that
// came:
//
//	AppendName → Status → [AppendAlive] → Challenge → AppendReply → Ack → Result
//
// AppendAlive answers StatusAlive and no other; after "true" the challenge comes
// without another status. Bodies are without the length before them, which is
// two bytes (four over TLS). An error ends the handshake and is a
// *HandshakeError. Not safe for concurrent use.
type Initiator struct {
	local     Local
	dialled   string
	cookie    string
	challenge uint32 // ours, that the peer must digest

	stage  Stage
	peer   Peer
	theirs uint32 // the peer's challenge
	done   bool
}

// NewInitiator begins a handshake with the node that was dialled as peer, its
// full name. challenge must be unpredictable. The cookie's bytes are used as
// they are.
func NewInitiator(local Local, peer, cookie string, challenge uint32) *Initiator {
	return &Initiator{local: local, dialled: peer, cookie: cookie, challenge: challenge, stage: StageName}
}

// AppendName introduces us.
func (h *Initiator) AppendName(dst []byte) []byte {
	h.stage = StageStatus
	if h.asksForName() {
		h.local.Flags &^= FlagPublished
	}
	dst = append(dst, tagName)
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.local.Flags))
	dst = binary.BigEndian.AppendUint32(dst, h.local.Creation)
	return appendName(dst, h.local.Name)
}

func (h *Initiator) asksForName() bool { return h.local.Flags.Has(FlagNameMe) }

// Challenge reads the peer's challenge, and checks that it is the node dialled
// and one we can talk to.
func (h *Initiator) Challenge(body []byte) error {
	f := frame{b: body}
	switch tag := f.u8(); {
	case f.short:
		return malformed(StageChallenge, h.dialled, "an empty message")
	case tag == tagOldName:
		return malformed(StageChallenge, h.dialled, "a challenge of the version before OTP 23")
	case tag != tagName:
		return malformed(StageChallenge, h.dialled, "message %q instead of a challenge", tag)
	}
	flags := Flags(f.u64())
	h.theirs = f.u32()
	creation := f.u32()
	name := f.name()
	if f.short {
		return malformed(StageChallenge, h.dialled, "a challenge of only %d bytes", len(body))
	}
	if name != h.dialled {
		return &HandshakeError{Stage: StageChallenge, Peer: h.dialled,
			Err: fmt.Errorf("%w: it calls itself %q; dial a node by exactly the name it was started with", ErrNameMismatch, name)}
	}
	if missing := flags.Missing(); missing != 0 {
		err := lacks(StageChallenge, name, missing, flags)
		err.Answer = StatusClose
		return err
	}
	h.peer = Peer{Name: name, Flags: flags.expand(), Creation: creation}
	h.stage = StageChallenge
	return nil
}

// AppendReply proves that we know the cookie and challenges the peer to.
func (h *Initiator) AppendReply(dst []byte) []byte {
	h.stage = StageAck
	proof := digest(h.cookie, h.theirs)
	dst = append(dst, tagReply)
	dst = binary.BigEndian.AppendUint32(dst, h.challenge)
	return append(dst, proof[:]...)
}

// Ack checks the peer's proof. From the next byte on lengths are four bytes, and
// the peer may already have sent such frames.
func (h *Initiator) Ack(body []byte) error {
	if len(body) != 1+digestLen || body[0] != tagAck {
		return malformed(StageAck, h.dialled, "no acknowledgement but %d bytes", len(body))
	}
	if !sameDigest(body[1:], digest(h.cookie, h.challenge)) {
		return &HandshakeError{Stage: StageAck, Peer: h.dialled, Err: cookieMismatch(h.dialled)}
	}
	h.done = true
	return nil
}

// Result is valid once Ack returned nil; before it is zero.
func (h *Initiator) Result() Result {
	if !h.done {
		return Result{}
	}
	return result(h.local, h.peer, h.asksForName())
}

// Broken explains err, which ended the connection while the peer's next message
// was awaited: a peer that finds our cookie wrong says so only by closing.
func (h *Initiator) Broken(err error) error {
	var closed error
	switch h.stage {
	case StageAck:
		closed = cookieMismatch(h.dialled)
	case StageStatus:
		closed = fmt.Errorf("%s closed without an answer: it is busy with another attempt of ours, or takes %q for no node name", h.dialled, h.local.Name)
	}
	return broken(h.stage, h.dialled, err, closed)
}

func cookieMismatch(peer string) error {
	return fmt.Errorf("%w with %s", ErrCookie, peer)
}
