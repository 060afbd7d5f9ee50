package dist

import (
	"errors"
	"fmt"

	"github.com/truss-beam/truss/etf"
)

var errPayload = errors.New("a payload for an op without, or none for one with")

// lower returns the signal in the newest form that the flags allow. c is not
// changed.
func (s *Sender) lower(c *Control, payload any) (*Control, any, error) {
	op, err := lowerOp(s.flags, c)
	if err != nil {
		return nil, nil, &ProtocolError{Op: c.Op, Err: err}
	}
	if op == c.Op {
		return c, payload, nil
	}
	s.lowered = *c
	s.lowered.Op = op
	if c.Op.HasPayload() && !op.HasPayload() {
		s.lowered.Reason = payload
		payload = nil
	}
	return &s.lowered, payload, nil
}

// lowerRaw is lower for a payload in bytes; nil if c can stay.
func (s *Sender) lowerRaw(c *Control, payload []byte) (*Control, error) {
	op, err := lowerOp(s.flags, c)
	if err != nil {
		return nil, &ProtocolError{Op: c.Op, Err: err}
	}
	if op == c.Op {
		return nil, nil
	}
	s.lowered = *c
	s.lowered.Op = op
	if c.Op.HasPayload() && !op.HasPayload() {
		var d etf.Decoder
		d.Reset(payload, nil)
		if s.lowered.Reason, err = d.Term(); err != nil {
			return nil, &ProtocolError{Op: c.Op, Err: fmt.Errorf("reason: %w", err)}
		}
	}
	return &s.lowered, nil
}

// rawPayload is what still follows a lowered control message.
func (c *Control) rawPayload(payload []byte) []byte {
	if c.Op.HasPayload() {
		return payload
	}
	return nil
}

// lowerOp picks the op under which c can go to a peer with flags. OTP makes the
// same choices; what it drops is ErrNotNegotiated here.
func lowerOp(flags Flags, c *Control) (Op, error) {
	op := c.Op
	if op == OpAltactSigSend && !flags.Has(FlagAltactSig) {
		op = withoutAltact(c)
	}
	if !flags.Has(FlagSendSender) {
		op = withoutSendSender(op)
	}
	if !flags.Has(FlagExitPayload) {
		op = withoutExitPayload(op)
	}
	if need := neededFor(op, c); !flags.Has(need) {
		return 0, fmt.Errorf("%w: it lacks %v", ErrNotNegotiated, need&^flags)
	}
	return op, nil
}

// withoutAltact degrades op 37: priority is lost, and an exit signal to an alias
// or a name has no older form.
func withoutAltact(c *Control) Op {
	op, tt := c.Op, Op(0)
	if c.Flags&AltactToken != 0 {
		tt = 1 // in these four pairs the form with token is the next number
	}
	switch c.Flags & (AltactAlias | AltactName | AltactExit) {
	case AltactAlias:
		op = OpAliasSend + tt
	case AltactName:
		op = OpRegSend
		if tt != 0 {
			op = OpRegSendTT
		}
	case 0:
		op = OpSendSender + tt
	case AltactExit:
		op = OpPayloadExit2 + tt
	}
	return op
}

func withoutSendSender(op Op) Op {
	switch op {
	case OpSendSender:
		return OpSend
	case OpSendSenderTT:
		return OpSendTT
	}
	return op
}

func withoutExitPayload(op Op) Op {
	switch op {
	case OpPayloadExit:
		return OpExit
	case OpPayloadExitTT:
		return OpExitTT
	case OpPayloadExit2:
		return OpExit2
	case OpPayloadExit2TT:
		return OpExit2TT
	case OpPayloadMonitorPExit:
		return OpMonitorPExit
	}
	return op
}

// neededFor is the flag without which a peer does not know op.
func neededFor(op Op, c *Control) Flags {
	switch op {
	case OpMonitorP, OpDemonitorP:
		if c.ToName != "" {
			return FlagDistMonitorName
		}
		return FlagDistMonitor
	case OpMonitorPExit, OpPayloadMonitorPExit:
		if c.FromName != "" {
			return FlagDistMonitorName
		}
		return FlagDistMonitor
	case OpSpawnRequest, OpSpawnRequestTT, OpSpawnReply, OpSpawnReplyTT:
		return FlagSpawn
	case OpAliasSend, OpAliasSendTT:
		return FlagAlias
	case OpUnlinkID, OpUnlinkIDAck:
		return FlagUnlinkID
	case OpAltactSigSend:
		return FlagAltactSig
	}
	return 0
}
