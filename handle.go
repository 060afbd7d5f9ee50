package truss

import (
	"fmt"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// handler acts on the signals with this op that a peer sends (erl_dist_protocol, "Protocol
// between Connected Nodes"); nil if none does. Handlers run on whoever acts on what has
// arrived, one after the other, and never wait. An error ends the connection: it is for what OTP ends
// one for, a peer that breaks the protocol or speaks for others.
func handler(op dist.Op) func(*conn, *dist.Signal) error {
	switch op {
	case dist.OpLink:
		return (*conn).onLink
	case dist.OpSend, dist.OpSendTT, dist.OpSendSender, dist.OpSendSenderTT:
		return (*conn).onSend
	case dist.OpExit, dist.OpExitTT, dist.OpPayloadExit, dist.OpPayloadExitTT:
		return (*conn).onExit
	case dist.OpRegSend, dist.OpRegSendTT:
		return (*conn).onRegSend
	case dist.OpGroupLeader:
		return (*conn).onGroupLeader
	case dist.OpExit2, dist.OpExit2TT, dist.OpPayloadExit2, dist.OpPayloadExit2TT:
		return (*conn).onExit2
	case dist.OpMonitorP:
		return (*conn).onMonitor
	case dist.OpDemonitorP:
		return (*conn).onDemonitor
	case dist.OpMonitorPExit, dist.OpPayloadMonitorPExit:
		return (*conn).onDown
	case dist.OpSpawnRequest, dist.OpSpawnRequestTT:
		return (*conn).onSpawnRequest
	case dist.OpSpawnReply, dist.OpSpawnReplyTT:
		return (*conn).onSpawnReply
	case dist.OpAliasSend, dist.OpAliasSendTT:
		return (*conn).onAliasSend
	case dist.OpUnlinkID:
		return (*conn).onUnlink
	case dist.OpUnlinkIDAck:
		return (*conn).onUnlinkAck
	case dist.OpAltactSigSend:
		return (*conn).onAltact
	}
	return nil
}

// handle acts on one signal. dist has refused what is no op, and op 4 (UNLINK),
// which no node may send.
func (c *conn) handle(s *dist.Signal) error {
	switch s.Control.Op {
	case dist.OpSend, dist.OpSendTT, dist.OpSendSender, dist.OpSendSenderTT, dist.OpRegSend, dist.OpRegSendTT:
	default:
		c.hand() // what is kept back are messages that came before
	}
	if act := handler(s.Control.Op); act != nil {
		return act(c, s)
	}
	return fmt.Errorf("%v is not for a node to send", s.Control.Op)
}

// fromPeer checks that a signal that changes links or monitors speaks for a
// process of the peer itself.
func (c *conn) fromPeer(ctl *dist.Control) error {
	if string(ctl.From.Node) != c.name {
		return fmt.Errorf("%v on behalf of %v, which is not a process of this peer", ctl.Op, ctl.From)
	}
	return nil
}

// reasonOf is the exit reason a signal carries, in its control message or payload.
func (c *conn) reasonOf(s *dist.Signal) (etf.Term, error) {
	if !s.Control.Op.HasPayload() {
		return s.Control.Reason, nil
	}
	return c.term(s)
}
