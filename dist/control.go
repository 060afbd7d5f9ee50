package dist

import (
	"github.com/truss-beam/truss/etf"
)

// Control is one control message: what a signal is and whom it concerns. It is
// large and made to be reused; each Op's doc says which fields it uses, the
// others are ignored by Append and zero after Parse.
type Control struct {
	Op Op
	// From and To are pids. Where the tuple takes a registered name in their
	// place, FromName or ToName holds it and the pid is zero.
	From, To         etf.Pid
	FromName, ToName etf.Atom
	Ref              etf.Ref  // of a monitor, an alias or a spawn request
	ID               uint64   // of an unlink: 1 to 2^64-1
	Flags            uint64   // SpawnFlag… in ops 31 and 32, Altact… in op 37
	Token            etf.Term // trace token, passed on unread
	Reason           etf.Term // of ops 3, 8, 13, 18 and 21; others have it as payload

	// Ops 29 to 32.
	Leader           etf.Pid
	Module, Function etf.Atom
	Arity            int
	Options          etf.Term // a list
	Result           etf.Term // the child's Pid, or an Atom that tells why there is none
}

// Append appends the tuple in the external term format, without version byte.
// It writes Op as it stands; what form a connection's flags call for is the
// Sender's business.
func (c *Control) Append(dst []byte, e *etf.Encoder) ([]byte, error) {
	info := c.Op.info()
	arity := int(info.arity)
	if c.Op == OpAltactSigSend && c.Flags&AltactToken != 0 {
		arity++
	}
	w := tupleWriter{dst: e.AppendInt(e.AppendTuple(dst, arity), int64(c.Op)), e: e}
	c.write(&w)
	if w.err != nil {
		return dst, &ProtocolError{Op: c.Op, Err: w.err}
	}
	return w.dst, nil
}

func (c *Control) write(w *tupleWriter) {
	switch c.Op {
	case OpLink:
		c.writeLink(w)
	case OpSend:
		c.writeSend(w)
	case OpExit:
		c.writeExit(w)
	case OpRegSend:
		c.writeRegSend(w)
	case OpGroupLeader:
		c.writeGroupLeader(w)
	case OpExit2:
		c.writeExit2(w)
	case OpSendTT:
		c.writeSendTT(w)
	case OpExitTT:
		c.writeExitTT(w)
	case OpRegSendTT:
		c.writeRegSendTT(w)
	case OpExit2TT:
		c.writeExit2TT(w)
	case OpMonitorP:
		c.writeMonitorP(w)
	case OpDemonitorP:
		c.writeDemonitorP(w)
	case OpMonitorPExit:
		c.writeMonitorPExit(w)
	case OpSendSender:
		c.writeSendSender(w)
	case OpSendSenderTT:
		c.writeSendSenderTT(w)
	case OpPayloadExit:
		c.writePayloadExit(w)
	case OpPayloadExitTT:
		c.writePayloadExitTT(w)
	case OpPayloadExit2:
		c.writePayloadExit2(w)
	case OpPayloadExit2TT:
		c.writePayloadExit2TT(w)
	case OpPayloadMonitorPExit:
		c.writePayloadMonitorPExit(w)
	case OpSpawnRequest:
		c.writeSpawnRequest(w)
	case OpSpawnRequestTT:
		c.writeSpawnRequestTT(w)
	case OpSpawnReply:
		c.writeSpawnReply(w)
	case OpSpawnReplyTT:
		c.writeSpawnReplyTT(w)
	case OpAliasSend:
		c.writeAliasSend(w)
	case OpAliasSendTT:
		c.writeAliasSendTT(w)
	case OpUnlinkID:
		c.writeUnlinkID(w)
	case OpUnlinkIDAck:
		c.writeUnlinkIDAck(w)
	case OpAltactSigSend:
		c.writeAltactSigSend(w)
	default:
		w.err = errNotSendable
	}
}
