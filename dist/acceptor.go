package dist

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Acceptor plays the side that was dialled. Its methods are called in this
// order, each Append giving the body of a frame to send and each other taking
// one that came:
//
//	Name → AppendStatus or AppendNamed → [Alive] → AppendChallenge →
//	[Complement] → Reply → AppendAck → Result
//
// Alive follows StatusAlive, Complement a Peer that is Old. Bodies are without
// the length before them, which is two bytes (four over TLS). An error ends the
// handshake and is a *HandshakeError whose Answer, if not StatusClose, goes out
// by AppendStatus before the connection is closed. Not safe for concurrent use.
type Acceptor struct {
	local     Local
	challenge uint32 // ours, that the peer must digest

	stage  Stage
	peer   Peer
	cookie string
	theirs uint32 // the peer's challenge
	done   bool
}

// NewAcceptor begins a handshake with whoever dialled. challenge must be
// unpredictable.
func NewAcceptor(local Local, challenge uint32) *Acceptor {
	return &Acceptor{local: local, challenge: challenge, stage: StageName}
}

// Name reads who dialled. A peer that is Dynamic wants AppendNamed.
func (h *Acceptor) Name(body []byte) (Peer, error) {
	p, err := readName(body)
	if err != nil {
		return Peer{}, err
	}
	if err := h.checkPeer(p); err != nil {
		return Peer{}, err
	}
	p.Flags = p.Flags.expand()
	h.peer, h.stage = p, StageStatus
	return p, nil
}

func readName(body []byte) (Peer, error) {
	f := frame{b: body}
	var p Peer
	switch tag := f.u8(); {
	case f.short:
		return p, malformed(StageName, "", "an empty message")
	case tag == tagName:
		p.Flags = Flags(f.u64())
		p.Creation = f.u32()
		p.Name = f.name()
		p.Dynamic = p.Flags.Has(FlagNameMe)
	case tag == tagOldName:
		f.u16() // the version, which OTP does not look at either
		p.Flags = Flags(f.u32())
		p.Name = string(f.b)
		p.Old = true
	default:
		return p, malformed(StageName, "", "message %q instead of a name", tag)
	}
	if f.short {
		return p, malformed(StageName, "", "a name cut off after %d bytes", len(body))
	}
	return p, nil
}

// checkPeer decides as OTP does: no answer for what is no name at all, nok for
// one it could not bear or that is its own, not_allowed for missing flags.
func (h *Acceptor) checkPeer(p Peer) error {
	if p.Dynamic {
		if err := checkHost(p.Name); err != nil {
			return &HandshakeError{Stage: StageName, Err: fmt.Errorf("%q: %w", p.Name, err)}
		}
	} else if err := CheckName(p.Name); err != nil {
		answer := StatusNok
		if _, _, ok := SplitName(p.Name); !ok || !utf8.ValidString(p.Name) {
			answer = StatusClose
		}
		return &HandshakeError{Stage: StageName, Peer: fmt.Sprintf("%.300q", p.Name), Answer: answer, Err: err}
	}
	if p.Name == h.local.Name {
		return &HandshakeError{Stage: StageName, Peer: p.Name, Answer: StatusNok,
			Err: fmt.Errorf("%w: it bears our own name", ErrNok)}
	}
	want := FlagsMandatory
	if p.Old {
		want &= 1<<32 - 1 // the others come with Complement
	}
	if missing := p.Flags.Missing() & want; missing != 0 {
		return lacks(StageName, p.Name, missing, p.Flags)
	}
	return nil
}

// AppendStatus answers the name. Not for StatusNamed, see AppendNamed.
func (h *Acceptor) AppendStatus(dst []byte, s Status) []byte {
	h.stage = StageReply
	if s == StatusAlive {
		h.stage = StageAlive
	}
	dst = append(dst, tagStatus)
	return append(dst, s.String()...)
}

// AppendNamed answers a peer that asked for a name: name must keep its host.
func (h *Acceptor) AppendNamed(dst []byte, name string, creation uint32) []byte {
	h.stage = StageReply
	h.peer.Name, h.peer.Creation = name, creation
	dst = append(dst, tagStatus)
	dst = append(dst, StatusNamed.String()...)
	dst = appendName(dst, name)
	return binary.BigEndian.AppendUint32(dst, creation)
}

// Alive reads the peer's answer to StatusAlive: whether the new connection is to
// replace the old one, which happens only after a good Reply.
func (h *Acceptor) Alive(body []byte) (proceed bool, err error) {
	switch string(body) {
	case "strue":
		h.stage = StageReply
		return true, nil
	case "sfalse":
		return false, nil
	}
	return false, malformed(StageAlive, h.peer.Name, "answer %.40q to alive", body)
}

// AppendChallenge challenges the peer to prove that it knows the cookie.
func (h *Acceptor) AppendChallenge(dst []byte) []byte {
	flags := h.local.Flags
	if h.peer.Dynamic {
		flags |= FlagNameMe // or the peer drops the connection with a crash report
	}
	dst = append(dst, tagName)
	dst = binary.BigEndian.AppendUint64(dst, uint64(flags))
	dst = binary.BigEndian.AppendUint32(dst, h.challenge)
	dst = binary.BigEndian.AppendUint32(dst, h.local.Creation)
	return appendName(dst, h.local.Name)
}

// Complement reads what an Old peer's first message had no room for.
func (h *Acceptor) Complement(body []byte) error {
	f := frame{b: body}
	tag, high, creation := f.u8(), f.u32(), f.u32()
	if f.short || tag != tagComplement {
		return malformed(StageComplement, h.peer.Name, "no complement but %d bytes", len(body))
	}
	h.peer.Flags |= Flags(high) << 32
	h.peer.Creation = creation
	if missing := h.peer.Flags.Missing(); missing != 0 {
		err := lacks(StageComplement, h.peer.Name, missing, h.peer.Flags)
		err.Answer = StatusClose
		return err
	}
	return nil
}

// Reply checks the peer's proof. The cookie may depend on the peer.
func (h *Acceptor) Reply(body []byte, cookie string) error {
	f := frame{b: body}
	tag, theirs, proof := f.u8(), f.u32(), f.take(digestLen)
	if f.short || tag != tagReply {
		return malformed(StageReply, h.peer.Name, "no reply but %d bytes", len(body))
	}
	if !sameDigest(proof, digest(cookie, h.challenge)) {
		return &HandshakeError{Stage: StageReply, Peer: h.peer.Name, Err: cookieMismatch(h.peer.Name)}
	}
	h.theirs, h.cookie, h.done = theirs, cookie, true
	return nil
}

// AppendAck proves to the peer that we know the cookie too. Frames with lengths
// of four bytes may follow at once.
func (h *Acceptor) AppendAck(dst []byte) []byte {
	proof := digest(h.cookie, h.theirs)
	return append(append(dst, tagAck), proof[:]...)
}

// Result is valid once Reply returned nil; before it is zero.
func (h *Acceptor) Result() Result {
	if !h.done {
		return Result{}
	}
	return result(h.local, h.peer, h.peer.Dynamic)
}

// Broken explains err, which ended the connection while the peer's next message
// was awaited.
func (h *Acceptor) Broken(err error) error {
	var closed error
	if h.stage == StageReply {
		closed = errors.New("it went away before it proved its cookie")
	}
	return broken(h.stage, h.peer.Name, err, closed)
}
