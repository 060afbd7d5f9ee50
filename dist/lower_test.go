package dist

import (
	"errors"
	"reflect"
	"testing"

	"github.com/truss-beam/truss/etf"
)

func TestLowering(t *testing.T) {
	old := FlagsMandatory | FlagDistHdrAtomCache
	reason := etf.Atom("why")
	tests := []struct {
		flags Flags
		c     Control
		want  Op // 0: ErrNotNegotiated
	}{
		{FlagsSupported, Control{Op: OpSendSender}, OpSendSender},
		{old, Control{Op: OpSendSender}, OpSend},
		{old, Control{Op: OpSendSenderTT}, OpSendTT},
		{old, Control{Op: OpPayloadExit}, OpExit},
		{old, Control{Op: OpPayloadExitTT}, OpExitTT},
		{old, Control{Op: OpPayloadExit2}, OpExit2},
		{old, Control{Op: OpPayloadExit2TT}, OpExit2TT},
		{old, Control{Op: OpPayloadMonitorPExit}, 0},
		{old | FlagDistMonitor, Control{Op: OpPayloadMonitorPExit}, OpMonitorPExit},
		{old | FlagDistMonitor, Control{Op: OpMonitorP}, OpMonitorP},
		{old | FlagDistMonitor, Control{Op: OpMonitorP, ToName: "x"}, 0},
		{old, Control{Op: OpDemonitorP}, 0},
		{old, Control{Op: OpSpawnRequest}, 0},
		{old, Control{Op: OpAliasSend}, 0},
		{old, Control{Op: OpUnlinkID, ID: 1}, OpUnlinkID},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactPriority}, OpSendSender},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactToken}, OpSendSenderTT},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactPriority | AltactName, ToName: "x"}, OpRegSend},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactToken | AltactName, ToName: "x"}, OpRegSendTT},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactAlias}, OpAliasSend},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactAlias | AltactToken}, OpAliasSendTT},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactExit | AltactPriority}, OpPayloadExit2},
		{flagsOTP25, Control{Op: OpAltactSigSend, Flags: AltactExit | AltactAlias}, 0},
		{old, Control{Op: OpAltactSigSend, Flags: AltactExit}, OpExit2},
		{old, Control{Op: OpAltactSigSend}, OpSend},
	}
	for _, test := range tests {
		c := test.c
		c.From, c.To, c.Ref, c.Leader, c.Token = pidA, pidB, refA, leader, token
		given := c
		var payload any
		raw := []byte(nil)
		if c.Op.HasPayload() {
			payload = reason
			raw, _ = new(etf.Encoder).Append(nil, reason)
		}
		for _, isRaw := range []bool{false, true} {
			w := newWire(t, test.flags)
			var err error
			if isRaw {
				_, err = w.s.AppendRaw(&w.b, &c, raw)
			} else {
				_, err = w.s.Append(&w.b, &c, payload)
			}
			if !reflect.DeepEqual(c, given) {
				t.Errorf("%v was changed", test.c.Op)
			}
			if test.want == 0 {
				if !errors.Is(err, ErrNotNegotiated) || w.b.Len() != 0 {
					t.Errorf("%v to %v: %v", test.c.Op, test.flags, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%v to %v: %v", test.c.Op, test.flags, err)
				continue
			}
			got := w.carry()[0]
			if got.c.Op != test.want {
				t.Errorf("%v goes out as %v, want %v", test.c.Op, got.c.Op, test.want)
			}
			if c.Op.HasPayload() && got.payload != reason && got.c.Reason != reason {
				t.Errorf("%v goes out as %v without its payload", test.c.Op, got.c.Op)
			}
		}
	}
}
