package dist

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/truss-beam/truss/etf"
)

var (
	pidA   = etf.Pid{Node: "a@h", ID: 1, Serial: 2, Creation: 3}
	pidB   = etf.Pid{Node: "b@h", ID: 4, Serial: 5, Creation: 6}
	leader = etf.Pid{Node: "a@h", ID: 7, Creation: 3}
	refA   = etf.Ref{Node: "a@h", Creation: 3, Len: 3, Words: [5]uint32{8, 9, 10}}
	token  = etf.Tuple{int64(1), int64(2), pidA}
)

// controls has every op in every form, each with the tuple of the specification,
// in which A, B, L and R stand for the identifiers above.
var controls = []struct {
	c    Control
	text string
}{
	{Control{Op: OpLink, From: pidA, To: pidB}, "{1,A,B}"},
	{Control{Op: OpSend, To: pidB}, "{2,'',B}"},
	{Control{Op: OpExit, From: pidA, To: pidB, Reason: etf.Atom("bye")}, "{3,A,B,bye}"},
	{Control{Op: OpRegSend, From: pidA, ToName: "name"}, "{6,A,'',name}"},
	{Control{Op: OpGroupLeader, From: leader, To: pidB}, "{7,L,B}"},
	{Control{Op: OpExit2, From: pidA, To: pidB, Reason: etf.Atom("bye")}, "{8,A,B,bye}"},
	{Control{Op: OpSendTT, To: pidB, Token: token}, "{12,'',B,{1,2,A}}"},
	{Control{Op: OpExitTT, From: pidA, To: pidB, Token: token, Reason: etf.Atom("bye")}, "{13,A,B,{1,2,A},bye}"},
	{Control{Op: OpRegSendTT, From: pidA, ToName: "name", Token: token}, "{16,A,'',name,{1,2,A}}"},
	{Control{Op: OpExit2TT, From: pidA, To: pidB, Token: token, Reason: etf.Atom("bye")}, "{18,A,B,{1,2,A},bye}"},
	{Control{Op: OpMonitorP, From: pidA, To: pidB, Ref: refA}, "{19,A,B,R}"},
	{Control{Op: OpMonitorP, From: pidA, ToName: "name", Ref: refA}, "{19,A,name,R}"},
	{Control{Op: OpMonitorP, From: pidA, ToName: "", Ref: refA}, "{19,A,'',R}"},
	{Control{Op: OpDemonitorP, From: pidA, To: pidB, Ref: refA}, "{20,A,B,R}"},
	{Control{Op: OpDemonitorP, From: pidA, ToName: "name", Ref: refA}, "{20,A,name,R}"},
	{Control{Op: OpMonitorPExit, From: pidA, To: pidB, Ref: refA, Reason: etf.Atom("bye")}, "{21,A,B,R,bye}"},
	{Control{Op: OpMonitorPExit, FromName: "name", To: pidB, Ref: refA, Reason: etf.Atom("bye")}, "{21,name,B,R,bye}"},
	{Control{Op: OpSendSender, From: pidA, To: pidB}, "{22,A,B}"},
	{Control{Op: OpSendSenderTT, From: pidA, To: pidB, Token: token}, "{23,A,B,{1,2,A}}"},
	{Control{Op: OpPayloadExit, From: pidA, To: pidB}, "{24,A,B}"},
	{Control{Op: OpPayloadExitTT, From: pidA, To: pidB, Token: token}, "{25,A,B,{1,2,A}}"},
	{Control{Op: OpPayloadExit2, From: pidA, To: pidB}, "{26,A,B}"},
	{Control{Op: OpPayloadExit2TT, From: pidA, To: pidB, Token: token}, "{27,A,B,{1,2,A}}"},
	{Control{Op: OpPayloadMonitorPExit, From: pidA, To: pidB, Ref: refA}, "{28,A,B,R}"},
	{Control{Op: OpPayloadMonitorPExit, FromName: "name", To: pidB, Ref: refA}, "{28,name,B,R}"},
	{Control{Op: OpSpawnRequest, Ref: refA, From: pidA, Leader: leader, Module: "m", Function: "f", Arity: 255, Options: etf.List{etf.Atom("link")}}, "{29,R,A,L,{m,f,255},[link]}"},
	{Control{Op: OpSpawnRequestTT, Ref: refA, From: pidA, Leader: leader, Module: "m", Function: "f", Options: etf.List(nil), Token: token}, "{30,R,A,L,{m,f,0},[],{1,2,A}}"},
	{Control{Op: OpSpawnReply, Ref: refA, To: pidA, Flags: SpawnFlagLink | SpawnFlagMonitor, Result: pidB}, "{31,R,A,3,B}"},
	{Control{Op: OpSpawnReply, Ref: refA, To: pidA, Result: etf.Atom("badopt")}, "{31,R,A,0,badopt}"},
	{Control{Op: OpSpawnReplyTT, Ref: refA, To: pidA, Flags: 1, Result: pidB, Token: token}, "{32,R,A,1,B,{1,2,A}}"},
	{Control{Op: OpAliasSend, From: pidA, Ref: refA}, "{33,A,R}"},
	{Control{Op: OpAliasSendTT, From: pidA, Ref: refA, Token: token}, "{34,A,R,{1,2,A}}"},
	{Control{Op: OpUnlinkID, ID: 1, From: pidA, To: pidB}, "{35,1,A,B}"},
	{Control{Op: OpUnlinkIDAck, ID: math.MaxUint64, From: pidA, To: pidB}, "{36,18446744073709551615,A,B}"},
	{Control{Op: OpAltactSigSend, Flags: 0, From: pidA, To: pidB}, "{37,0,A,B}"},
	{Control{Op: OpAltactSigSend, Flags: AltactName | AltactPriority, From: pidA, ToName: "name"}, "{37,9,A,name}"},
	{Control{Op: OpAltactSigSend, Flags: AltactAlias | AltactToken, From: pidA, Ref: refA, Token: token}, "{37,6,A,R,{1,2,A}}"},
	{Control{Op: OpAltactSigSend, Flags: AltactExit | AltactAlias, From: pidA, Ref: refA}, "{37,20,A,R}"},
}

// spell prints a tuple as the table above has it.
func spell(t etf.Term) string {
	return strings.NewReplacer(etf.Format(pidA), "A", etf.Format(pidB), "B", etf.Format(leader), "L", etf.Format(refA), "R", ", ", ",").Replace(etf.Format(t))
}

func TestControlTuples(t *testing.T) {
	seen := map[Op]bool{4: true} // never sent
	for _, test := range controls {
		seen[test.c.Op] = true
		var e etf.Encoder
		b, err := test.c.Append(nil, &e)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		var d etf.Decoder
		d.Reset(b, nil)
		term, err := d.Term()
		if err != nil || spell(term) != test.text {
			t.Errorf("%v encodes as %s (%v), want %s", test.c.Op, spell(term), err, test.text)
		}
		got := Control{Op: 99, Arity: 5, Token: 1} // what must be reset
		d.Reset(append(b, 106), nil)
		if err := got.Parse(&d); err != nil {
			t.Errorf("%s: %v", test.text, err)
		} else if !reflect.DeepEqual(got, test.c) {
			t.Errorf("%s parses as %+v", test.text, got)
		} else if rest := d.Rest(); len(rest) != 1 {
			t.Errorf("%s leaves %d bytes, want 1", test.text, len(rest))
		}
	}
	for op := range Op(opCount) {
		if op.info().name != "" && !seen[op] {
			t.Errorf("%v has no case", op)
		}
	}
}

// Every element replaced by one of another type, every arity off by one: OTP
// closes the connection on each, save where it says otherwise.
func TestControlRefuses(t *testing.T) {
	for _, test := range controls {
		var e etf.Encoder
		b, _ := test.c.Append(nil, &e)
		var d etf.Decoder
		d.Reset(b, nil)
		term, _ := d.Term()
		tuple := term.(etf.Tuple)
		var got Control
		parse := func(t etf.Tuple) error {
			b, err := e.Append(nil, t)
			if err != nil {
				panic(err)
			}
			d.Reset(b, nil)
			return got.Parse(&d)
		}
		for i := range tuple {
			if harmless(test.c, i) {
				continue
			}
			bad := append(etf.Tuple{}, tuple...)
			bad[i] = 1.5
			var perr *ProtocolError
			if err := parse(bad); !errors.As(err, &perr) || (i > 0 && perr.Op != test.c.Op) {
				t.Errorf("%s with a float as element %d: %v", test.text, i+1, err)
			}
		}
		if err := parse(tuple[:len(tuple)-1]); err == nil {
			t.Errorf("%s without its last element passes", test.text)
		}
		if err := parse(append(tuple[:len(tuple):len(tuple)], pidA)); (err == nil) != (test.c.Op == OpAltactSigSend) {
			t.Errorf("%s with one more element: %v", test.text, err)
		}
	}
	for _, text := range []string{"{0,a}", "{}", "{4,a,b}", "{5,a}", "{38,a}", "{256,a,b}", "{-1,a}", "a", "[1]", "{18446744073709551616,a}", "{1.0,a,b}"} {
		term, err := etf.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var e etf.Encoder
		b, _ := e.Append(nil, term)
		var d etf.Decoder
		d.Reset(b, nil)
		if err := new(Control).Parse(&d); err == nil {
			t.Errorf("%s passes", text)
		}
	}
}

// harmless names the elements that may be anything.
func harmless(c Control, i int) bool {
	text := map[Op]string{OpExit: "...r", OpExit2: "...r", OpSend: ".c", OpRegSend: "..c", OpSendTT: ".c.t", OpExitTT: "...tr", OpRegSendTT: "..c.t",
		OpExit2TT: "...tr", OpMonitorPExit: "....r", OpSendSenderTT: "...t", OpPayloadExitTT: "...t", OpPayloadExit2TT: "...t",
		OpSpawnRequest: ".....o", OpSpawnRequestTT: ".....ot", OpSpawnReplyTT: ".....t", OpAliasSendTT: "...t", OpAltactSigSend: "..F.t"}[c.Op]
	return i < len(text) && text[i] != '.'
}

func TestControlRefusesToSend(t *testing.T) {
	for _, c := range []Control{
		{},
		{Op: 4, From: pidA, To: pidB},
		{Op: 5},
		{Op: 255},
		{Op: OpUnlinkID, From: pidA, To: pidB},
		{Op: OpSpawnRequest, Ref: refA, From: pidA, Leader: leader, Arity: 256},
		{Op: OpSpawnRequest, Ref: refA, From: pidA, Leader: leader, Arity: -1},
		{Op: OpRegSend, From: pidA, ToName: etf.Atom(strings.Repeat("x", 256))},
		{Op: OpExit, From: pidA, To: pidB, Reason: math.NaN()},
	} {
		var e etf.Encoder
		b, err := c.Append([]byte{1}, &e)
		var perr *ProtocolError
		if !errors.As(err, &perr) || len(b) != 1 {
			t.Errorf("%v: %d bytes, %v", c.Op, len(b), err)
		}
	}
}

func TestAltactLenient(t *testing.T) {
	for text, want := range map[string]uint64{
		"{37,32,undefined,name}":                   32, // target checked below
		"{37,36893488147419103240,undefined,name}": 8,
		"{37,-8,undefined,name}":                   ^uint64(0) - 7,
	} {
		term, err := etf.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var e etf.Encoder
		b, _ := e.Append(nil, term)
		var d etf.Decoder
		d.Reset(b, nil)
		var c Control
		err = c.Parse(&d)
		if c.Flags != want {
			t.Errorf("%s: flags %#x, want %#x", text, c.Flags, want)
		}
		if ok := want&(AltactAlias|AltactName|AltactToken) == AltactName; (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestProtocolErrorText(t *testing.T) {
	var d etf.Decoder
	var e etf.Encoder
	b, _ := e.Append(nil, etf.Tuple{1, pidA, etf.Atom("b")})
	d.Reset(b, nil)
	err := new(Control).Parse(&d)
	if err == nil || !strings.HasPrefix(err.Error(), "dist: LINK: To: ") {
		t.Error(err)
	}
}
