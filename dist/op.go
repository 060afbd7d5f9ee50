package dist

import "strconv"

// Op is the number that opens a control message. Source: erl_dist_protocol,
// "Protocol between Connected Nodes".
type Op uint8

// The control messages, each with its tuple; + marks that a payload follows. 4
// is UNLINK, which nodes before OTP 26 sent and which is an error here.
const (
	OpLink                Op = 1  // {1, From, To}
	OpSend                Op = 2  // {2, '', To} + message
	OpExit                Op = 3  // {3, From, To, Reason}
	OpUnlink              Op = 4  // {4, From, To}: never send
	OpRegSend             Op = 6  // {6, From, '', ToName} + message
	OpGroupLeader         Op = 7  // {7, From, To}, From is the leader
	OpExit2               Op = 8  // {8, From, To, Reason}
	OpSendTT              Op = 12 // {12, '', To, Token} + message
	OpExitTT              Op = 13 // {13, From, To, Token, Reason}
	OpRegSendTT           Op = 16 // {16, From, '', ToName, Token} + message
	OpExit2TT             Op = 18 // {18, From, To, Token, Reason}
	OpMonitorP            Op = 19 // {19, From, To or ToName, Ref}
	OpDemonitorP          Op = 20 // {20, From, To or ToName, Ref}
	OpMonitorPExit        Op = 21 // {21, From or FromName, To, Ref, Reason}
	OpSendSender          Op = 22 // {22, From, To} + message
	OpSendSenderTT        Op = 23 // {23, From, To, Token} + message
	OpPayloadExit         Op = 24 // {24, From, To} + reason
	OpPayloadExitTT       Op = 25 // {25, From, To, Token} + reason
	OpPayloadExit2        Op = 26 // {26, From, To} + reason
	OpPayloadExit2TT      Op = 27 // {27, From, To, Token} + reason
	OpPayloadMonitorPExit Op = 28 // {28, From or FromName, To, Ref} + reason
	OpSpawnRequest        Op = 29 // {29, Ref, From, Leader, {Module, Function, Arity}, Options} + arguments
	OpSpawnRequestTT      Op = 30 // {30, Ref, From, Leader, {Module, Function, Arity}, Options, Token} + arguments
	OpSpawnReply          Op = 31 // {31, Ref, To, Flags, Result}
	OpSpawnReplyTT        Op = 32 // {32, Ref, To, Flags, Result, Token}
	OpAliasSend           Op = 33 // {33, From, Ref} + message
	OpAliasSendTT         Op = 34 // {34, From, Ref, Token} + message
	OpUnlinkID            Op = 35 // {35, ID, From, To}
	OpUnlinkIDAck         Op = 36 // {36, ID, From, To}
	OpAltactSigSend       Op = 37 // {37, Flags, From, To or ToName or Ref[, Token]} + message or reason
	opCount                  = 38
)

type opInfo struct {
	name    string
	arity   uint8 // of the tuple, the op included; that of op 37 depends on its flags
	payload bool
}

// infos is a table for reading only. As a local of info it would be built anew for
// every signal, 6 % of the time of a small one.
var infos = [opCount]opInfo{
	OpLink: {"LINK", 3, false}, OpSend: {"SEND", 3, true}, OpExit: {"EXIT", 4, false},
	OpUnlink: {"UNLINK", 3, false}, OpRegSend: {"REG_SEND", 4, true},
	OpGroupLeader: {"GROUP_LEADER", 3, false}, OpExit2: {"EXIT2", 4, false},
	OpSendTT: {"SEND_TT", 4, true}, OpExitTT: {"EXIT_TT", 5, false},
	OpRegSendTT: {"REG_SEND_TT", 5, true}, OpExit2TT: {"EXIT2_TT", 5, false},
	OpMonitorP: {"MONITOR_P", 4, false}, OpDemonitorP: {"DEMONITOR_P", 4, false},
	OpMonitorPExit: {"MONITOR_P_EXIT", 5, false},
	OpSendSender:   {"SEND_SENDER", 3, true}, OpSendSenderTT: {"SEND_SENDER_TT", 4, true},
	OpPayloadExit: {"PAYLOAD_EXIT", 3, true}, OpPayloadExitTT: {"PAYLOAD_EXIT_TT", 4, true},
	OpPayloadExit2: {"PAYLOAD_EXIT2", 3, true}, OpPayloadExit2TT: {"PAYLOAD_EXIT2_TT", 4, true},
	OpPayloadMonitorPExit: {"PAYLOAD_MONITOR_P_EXIT", 4, true},
	OpSpawnRequest:        {"SPAWN_REQUEST", 6, true}, OpSpawnRequestTT: {"SPAWN_REQUEST_TT", 7, true},
	OpSpawnReply: {"SPAWN_REPLY", 5, false}, OpSpawnReplyTT: {"SPAWN_REPLY_TT", 6, false},
	OpAliasSend: {"ALIAS_SEND", 3, true}, OpAliasSendTT: {"ALIAS_SEND_TT", 4, true},
	OpUnlinkID: {"UNLINK_ID", 4, false}, OpUnlinkIDAck: {"UNLINK_ID_ACK", 4, false},
	OpAltactSigSend: {"ALTACT_SIG_SEND", 4, true},
}

func (op Op) info() opInfo {
	if op >= opCount {
		return opInfo{}
	}
	return infos[op]
}

// HasPayload tells whether a second term follows the tuple: the message, the
// reason or the list of arguments.
func (op Op) HasPayload() bool { return op.info().payload }

// String is OTP's name without DOP_, or "op N".
func (op Op) String() string {
	if name := op.info().name; name != "" {
		return name
	}
	return "op " + strconv.Itoa(int(op))
}
