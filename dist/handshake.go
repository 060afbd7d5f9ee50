package dist

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/binary"
	"strconv"
)

// MaxHandshakeFrame bounds the body of every handshake frame: the longest
// message is a challenge with a name of 255 characters, 1039 bytes, and OTP
// ignores bytes after a name. Whoever reads frames refuses more before
// allocating.
const MaxHandshakeFrame = 2048

// Local is the node whose side of a handshake is played.
type Local struct {
	// Name is the full name, or for a node that asks for one (FlagNameMe in
	// Flags, initiators only) the host alone.
	Name     string
	Flags    Flags
	Creation uint32 // zero for a node that asks for a name
}

// Peer is the node at the other end, as it introduced itself.
type Peer struct {
	Name     string // the full name; the host alone until AppendNamed gave a Dynamic peer one
	Flags    Flags  // what it announced, with what its digest flag stands for
	Creation uint32
	Dynamic  bool // asks for a name: answer with AppendNamed
	Old      bool // opened with "n": its Complement follows the challenge
}

// Result is what a finished handshake settled.
type Result struct {
	Peer  Peer
	Flags Flags // what both announced
	// Local is our own name, which for a node that asked for one is news.
	Local Local
}

// Status is the acceptor's verdict on a name ("s" message).
type Status uint8

const (
	StatusClose          Status = iota // no answer: the connection is closed
	StatusOK                           // go on
	StatusOKSimultaneous               // go on; the acceptor gives up its own dial
	StatusNok                          // the acceptor's own dial goes on, or the name is not acceptable
	StatusNotAllowed                   // a flag is missing, or the name is not on a list
	StatusAlive                        // there is a connection of that name; go on?
	StatusNamed                        // go on under the name that comes along
)

// String is the text on the wire.
func (s Status) String() string {
	switch s {
	case StatusOK:
		return "ok"
	case StatusOKSimultaneous:
		return "ok_simultaneous"
	case StatusNok:
		return "nok"
	case StatusNotAllowed:
		return "not_allowed"
	case StatusAlive:
		return "alive"
	case StatusNamed:
		return "named:"
	}
	return "close"
}

// Tags of the handshake's messages.
const (
	tagName       = 'N' // and the challenge
	tagOldName    = 'n'
	tagStatus     = 's'
	tagComplement = 'c'
	tagReply      = 'r'
	tagAck        = 'a'
)

const digestLen = md5.Size

// digest proves knowledge of the cookie: MD5 of it and the other side's
// challenge in decimal. Source: erl_dist_protocol, "Distribution Handshake".
func digest(cookie string, challenge uint32) [digestLen]byte {
	text := make([]byte, 0, len(cookie)+10)
	text = append(text, cookie...)
	return md5.Sum(strconv.AppendUint(text, uint64(challenge), 10))
}

// sameDigest takes the same time whatever differs.
func sameDigest(got []byte, want [digestLen]byte) bool {
	return subtle.ConstantTimeCompare(got, want[:]) == 1
}

// result settles the flags. A link with a dynamically named node is hidden for
// both, even if both set PUBLISHED.
func result(local Local, peer Peer, dynamic bool) Result {
	flags := local.Flags.common(peer.Flags)
	if dynamic {
		flags &^= FlagPublished
	}
	return Result{Peer: peer, Flags: flags, Local: local}
}

// frame reads the fixed fields of one handshake message, front to back. A read
// past the end sets short and yields zeros.
type frame struct {
	b     []byte
	short bool
}

func (f *frame) take(n int) []byte {
	if n > len(f.b) {
		f.short, f.b = true, nil
		return nil
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

func (f *frame) u8() byte {
	if b := f.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (f *frame) u16() uint16 {
	if b := f.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (f *frame) u32() uint32 {
	if b := f.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (f *frame) u64() uint64 {
	if b := f.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// name reads a length of two bytes and so much text.
func (f *frame) name() string { return string(f.take(int(f.u16()))) }

func appendName(dst []byte, name string) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(name)))
	return append(dst, name...)
}
