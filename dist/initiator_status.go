package dist

import (
	"fmt"
	"strings"
)

// Status reads the peer's verdict on our name. StatusNok and StatusNotAllowed
// come with an error that wraps ErrNok or ErrNotAllowed. After StatusNamed,
// Given tells who we are.
func (h *Initiator) Status(body []byte) (Status, error) {
	if len(body) == 0 || body[0] != tagStatus {
		return StatusClose, malformed(StageStatus, h.dialled, "no status but %d bytes", len(body))
	}
	status, err := h.verdict(string(body[1:]))
	if err != nil {
		return status, err
	}
	switch {
	case status == StatusNamed && !h.asksForName():
		return status, malformed(StageStatus, h.dialled, "a name that we did not ask for")
	case status != StatusNamed && h.asksForName():
		return status, malformed(StageStatus, h.dialled, "status %v, though we asked for a name", status)
	case status == StatusNamed:
		if err := h.takeName(body[1+len("named:"):]); err != nil {
			return status, err
		}
	}
	if status == StatusAlive {
		h.stage = StageAlive
	} else {
		h.stage = StageChallenge
	}
	return status, nil
}

func (h *Initiator) verdict(text string) (Status, error) {
	switch text {
	case "ok":
		return StatusOK, nil
	case "ok_simultaneous":
		return StatusOKSimultaneous, nil
	case "alive":
		return StatusAlive, nil
	case "nok":
		return StatusNok, &HandshakeError{Stage: StageStatus, Peer: h.dialled, Status: StatusNok,
			Err: fmt.Errorf("%w: %s is dialling us and its attempt wins, or it bears our own name", ErrNok, h.dialled)}
	case "not_allowed":
		return StatusNotAllowed, &HandshakeError{Stage: StageStatus, Peer: h.dialled, Status: StatusNotAllowed,
			Err: fmt.Errorf("%w: %s refuses %s: it misses a flag of ours, or its kernel parameter allow does not list us", ErrNotAllowed, h.dialled, h.local.Name)}
	}
	if strings.HasPrefix(text, "named:") {
		return StatusNamed, nil
	}
	return StatusClose, malformed(StageStatus, h.dialled, "status %.40q", text)
}

// takeName reads the name that a node gave us. It must keep the host we said.
func (h *Initiator) takeName(b []byte) error {
	f := frame{b: b}
	given := f.name()
	creation := f.u32()
	if f.short {
		return malformed(StageStatus, h.dialled, "a name cut off")
	}
	if err := CheckName(given); err != nil {
		return &HandshakeError{Stage: StageStatus, Peer: h.dialled, Err: fmt.Errorf("given the name %w", err)}
	}
	if _, host, _ := SplitName(given); host != h.local.Name {
		return malformed(StageStatus, h.dialled, "given the name %s, though our host is %s", given, h.local.Name)
	}
	h.local.Name, h.local.Creation = given, creation
	return nil
}

// Given is the name and creation the peer gave us with StatusNamed.
func (h *Initiator) Given() (name string, creation uint32) { return h.local.Name, h.local.Creation }

// AppendAlive answers StatusAlive: with proceed the new connection replaces the
// old one once the cookie is proven, without it the peer keeps the old one.
func (h *Initiator) AppendAlive(dst []byte, proceed bool) []byte {
	h.stage = StageChallenge
	if proceed {
		return append(dst, "strue"...)
	}
	return append(dst, "sfalse"...)
}
