package dist

import (
	"fmt"

	"github.com/truss-beam/truss/etf"
)

// Parse resets c and reads one tuple, leaving d behind it. It is strict: an op
// that is unknown or that no peer of ours sends, a wrong arity or an element of
// the wrong type is a *ProtocolError, after which the connection must be closed.
// It does not know the peer: whether From lives there is for the caller.
//
// With the atoms in the distribution header it allocates nothing, except for
// Token, Reason, Options and Result.
func (c *Control) Parse(d *etf.Decoder) error {
	*c = Control{}
	arity, err := d.Tuple()
	if err != nil {
		return &ProtocolError{Err: fmt.Errorf("control message is no tuple: %w", err)}
	}
	n, err := d.Uint()
	if err != nil {
		return &ProtocolError{Err: fmt.Errorf("control message without number: %w", err)}
	}
	if n >= opCount || Op(n).info().name == "" {
		return &ProtocolError{Err: fmt.Errorf("unknown control message %d of arity %d", n, arity)}
	}
	c.Op = Op(n)
	want := int(c.Op.info().arity)
	// OTP 29 ignores what follows the elements it knows in op 37, and only there.
	if arity != want && (c.Op != OpAltactSigSend || arity < want) {
		return &ProtocolError{Op: c.Op, Err: fmt.Errorf("arity %d instead of %d", arity, want)}
	}
	r := tupleReader{d: d, arity: arity}
	c.read(&r)
	if r.err != nil {
		return &ProtocolError{Op: c.Op, Err: r.err}
	}
	return nil
}

func (c *Control) read(r *tupleReader) {
	switch c.Op {
	case OpLink:
		c.readLink(r)
	case OpSend:
		c.readSend(r)
	case OpExit:
		c.readExit(r)
	case OpUnlink:
		c.readUnlink(r)
	case OpRegSend:
		c.readRegSend(r)
	case OpGroupLeader:
		c.readGroupLeader(r)
	case OpExit2:
		c.readExit2(r)
	case OpSendTT:
		c.readSendTT(r)
	case OpExitTT:
		c.readExitTT(r)
	case OpRegSendTT:
		c.readRegSendTT(r)
	case OpExit2TT:
		c.readExit2TT(r)
	case OpMonitorP:
		c.readMonitorP(r)
	case OpDemonitorP:
		c.readDemonitorP(r)
	case OpMonitorPExit:
		c.readMonitorPExit(r)
	case OpSendSender:
		c.readSendSender(r)
	case OpSendSenderTT:
		c.readSendSenderTT(r)
	case OpPayloadExit:
		c.readPayloadExit(r)
	case OpPayloadExitTT:
		c.readPayloadExitTT(r)
	case OpPayloadExit2:
		c.readPayloadExit2(r)
	case OpPayloadExit2TT:
		c.readPayloadExit2TT(r)
	case OpPayloadMonitorPExit:
		c.readPayloadMonitorPExit(r)
	case OpSpawnRequest:
		c.readSpawnRequest(r)
	case OpSpawnRequestTT:
		c.readSpawnRequestTT(r)
	case OpSpawnReply:
		c.readSpawnReply(r)
	case OpSpawnReplyTT:
		c.readSpawnReplyTT(r)
	case OpAliasSend:
		c.readAliasSend(r)
	case OpAliasSendTT:
		c.readAliasSendTT(r)
	case OpUnlinkID:
		c.readUnlinkID(r)
	case OpUnlinkIDAck:
		c.readUnlinkIDAck(r)
	case OpAltactSigSend:
		c.readAltactSigSend(r)
	}
}
