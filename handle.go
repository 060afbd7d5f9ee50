package truss

import (
	"fmt"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// handlers act on the signals a peer sends, by op (erl_dist_protocol, "Protocol
// between Connected Nodes"). They run on the reader goroutine, one after the
// other, and never wait. An error ends the connection: it is for what OTP ends
// one for, a peer that breaks the protocol or speaks for others.
var handlers = [...]func(*conn, *dist.Signal) error{
	dist.OpLink:                (*conn).onLink,
	dist.OpSend:                (*conn).onSend,
	dist.OpExit:                (*conn).onExit,
	dist.OpRegSend:             (*conn).onRegSend,
	dist.OpGroupLeader:         (*conn).onGroupLeader,
	dist.OpExit2:               (*conn).onExit2,
	dist.OpSendTT:              (*conn).onSend,
	dist.OpExitTT:              (*conn).onExit,
	dist.OpRegSendTT:           (*conn).onRegSend,
	dist.OpExit2TT:             (*conn).onExit2,
	dist.OpMonitorP:            (*conn).onMonitor,
	dist.OpDemonitorP:          (*conn).onDemonitor,
	dist.OpMonitorPExit:        (*conn).onDown,
	dist.OpSendSender:          (*conn).onSend,
	dist.OpSendSenderTT:        (*conn).onSend,
	dist.OpPayloadExit:         (*conn).onExit,
	dist.OpPayloadExitTT:       (*conn).onExit,
	dist.OpPayloadExit2:        (*conn).onExit2,
	dist.OpPayloadExit2TT:      (*conn).onExit2,
	dist.OpPayloadMonitorPExit: (*conn).onDown,
	dist.OpSpawnRequest:        (*conn).onSpawnRequest,
	dist.OpSpawnRequestTT:      (*conn).onSpawnRequest,
	dist.OpSpawnReply:          (*conn).onSpawnReply,
	dist.OpSpawnReplyTT:        (*conn).onSpawnReply,
	dist.OpAliasSend:           (*conn).onAliasSend,
	dist.OpAliasSendTT:         (*conn).onAliasSend,
	dist.OpUnlinkID:            (*conn).onUnlink,
	dist.OpUnlinkIDAck:         (*conn).onUnlinkAck,
	dist.OpAltactSigSend:       (*conn).onAltact,
}

// handle acts on one signal. dist has refused what is no op, and op 4 (UNLINK),
// which no node may send.
func (c *conn) handle(s *dist.Signal) error {
	switch s.Control.Op {
	case dist.OpSend, dist.OpSendTT, dist.OpSendSender, dist.OpSendSenderTT, dist.OpRegSend, dist.OpRegSendTT:
	default:
		c.hand() // what is kept back are messages that came before
	}
	if int(s.Control.Op) < len(handlers) && handlers[s.Control.Op] != nil {
		return handlers[s.Control.Op](c, s)
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
