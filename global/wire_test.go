package global

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/truss-beam/truss/etf"
)

// messages are what OTP 25 sends, as global.erl has it, with what they mean.
var messages = map[string]event{
	`{'$gen_cast',{init_connect,{8,-576},a@h,{locker,no_longer_a_pid,#{},#Pid<a@h/1.2.0>}}}`:  initConnect{vsn: 8, tag: -576, node: "a@h", locker: etf.Pid{Node: "a@h", ID: 2, Creation: 1}},
	`{'$gen_cast',{init_connect,{9,1,more},a@h,{locker,no_longer_a_pid,[],#Pid<a@h/1.2.0>}}}`: initConnect{vsn: 9, tag: 1, node: "a@h", locker: etf.Pid{Node: "a@h", ID: 2, Creation: 1}},
	`{init_connect_ack,a@h,1,2}`:                                                                 initConnectAck{node: "a@h", yours: 1, mine: 2},
	`{cancel_connect,a@h,3}`:                                                                     cancelConnect{node: "a@h", tag: 3},
	`{'$gen_cast',{lock_set,#Pid<a@h/1.2.0>,true,[b@h],4}}`:                                      lockSet{locker: etf.Pid{Node: "a@h", ID: 2, Creation: 1}, set: true, tag: 4},
	`{lock_set,#Pid<a@h/1.2.0>,false,[]}`:                                                        lockSet{locker: etf.Pid{Node: "a@h", ID: 2, Creation: 1}, untagged: true},
	`{'$gen_cast',{exchange,a@h,[{x,#Pid<a@h/1.2.0>,fun global:m/3}],[],5}}`:                     exchange{node: "a@h", names: []entry{{etf.Atom("x"), etf.Pid{Node: "a@h", ID: 2, Creation: 1}, etf.Export{Module: "global", Function: "m", Arity: 3}}}, tag: 5},
	`{'$gen_cast',{resolved,a@h,[{delete,x}],[{b@h,8},c@h],unused,[{y,#Pid<a@h/1.2.0>,a@h}],6}}`: resolved{node: "a@h", ops: []operation{{entry: entry{name: etf.Atom("x")}}}, known: []member{{"b@h", 8}, {"c@h", 0}}, ext: []external{{etf.Atom("y"), etf.Pid{Node: "a@h", ID: 2, Creation: 1}, "a@h"}}, tag: 6},
	`{'$gen_cast',{new_nodes,a@h,[],[],[{b@h,8}],[{vsn,8},{lock,{global,[p]}}]}}`:                newNodes{node: "a@h", nodes: []member{{"b@h", 8}}, lock: etf.List{etf.Atom("p")}},
	`{'$gen_cast',{in_sync,a@h,true}}`:                                                           inSync{"a@h"},
	`{lost_connection,a@h,7,8,b@h}`:                                                              lostConnection{node: "a@h", creation: 7, op: 8, lost: "b@h"},
	`{remove_connection,a@h}`:                                                                    removeConnection{"a@h"},
	`{whereis,x,{#Pid<a@h/1.2.0>,t}}`:                                                            whereis{etf.Atom("x"), caller{etf.Pid{Node: "a@h", ID: 2, Creation: 1}, etf.Atom("t")}},
	`{prepare_shutdown,#Pid<a@h/1.2.0>,t}`:                                                       prepareShutdown{caller{etf.Pid{Node: "a@h", ID: 2, Creation: 1}, etf.Atom("t")}},
	`{'$gen_call',{#Pid<a@h/1.2.0>,t},{set_lock,{r,q}}}`:                                         called{caller{etf.Pid{Node: "a@h", ID: 2, Creation: 1}, etf.Atom("t")}, setLock{lockID{etf.Atom("r"), etf.Atom("q")}}},
	`{'$gen_call',{#Pid<a@h/1.2.0>,t},{register_ext,x,#Pid<a@h/1.3.0>,m,b@h}}`:                   called{caller{etf.Pid{Node: "a@h", ID: 2, Creation: 1}, etf.Atom("t")}, registerExt{entry{etf.Atom("x"), etf.Pid{Node: "a@h", ID: 3, Creation: 1}, etf.Atom("m")}, "b@h"}},
	`{'$gen_call',{#Pid<a@h/1.2.0>,t},{sync,[]}}`:                                                syncCall{caller{etf.Pid{Node: "a@h", ID: 2, Creation: 1}, etf.Atom("t")}, []string{}},
	`{'$gen_call',{#Pid<a@h/1.2.0>,t},get_known}`:                                                called{caller{etf.Pid{Node: "a@h", ID: 2, Creation: 1}, etf.Atom("t")}, getKnown{}},
	`{'$gen_call',{#Pid<a@h/1.2.0>,t},disconnect}`:                                               disconnectCall{caller{etf.Pid{Node: "a@h", ID: 2, Creation: 1}, etf.Atom("t")}},
}

func TestParse(t *testing.T) {
	for text, want := range messages {
		term, err := etf.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got, err := parse(term)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %#v, %v; want %#v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"ok", "{}", "{a}", "{1,2}", "{'$gen_cast',x}", "{'$gen_cast',{}}", "{'$gen_cast',{exchange,a@h,x,[],5}}",
		"{'$gen_cast',{init_connect,8,a@h,x}}", "{'$gen_call',x,get_known}", "{'$gen_call',{x,t},get_known}",
		"{cancel_connect,a@h,tag}", "{whereis,x,#Pid<a@h/1.2.0>}", "{'$gen_cast',{resolved,a@h,[{insert,x}],[],u,[],6}}",
		"{'$gen_cast',{async_del_name,x,y}}", "{cancel_connect,a@h,1180591620717411303424}",
	} {
		term, err := etf.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got, err := parse(term); err == nil {
			t.Errorf("%s is %#v", text, got)
		}
	}
}

// FuzzMachine feeds a machine messages that any peer could send, in any order: it
// must not panic, and what it believes must fit together.
func FuzzMachine(f *testing.F) {
	var all []byte
	for text := range messages {
		term, err := etf.Parse(text)
		if err != nil {
			f.Fatal(err)
		}
		b, err := etf.Marshal(term)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		all = append(all, b...)
	}
	f.Add(all)
	f.Fuzz(func(t *testing.T, b []byte) {
		self := etf.Pid{Node: "m@h", ID: 1, Creation: 1}
		m := newMachine("m@h", self, etf.Pid{Node: "m@h", ID: 2, Creation: 1}, rand.New(rand.NewPCG(1, 2)))
		m.step(time.Unix(0, 0), nodeUp{"a@h"})
		for len(b) > 1 {
			var d etf.Decoder
			d.Reset(b[1:], nil)
			term, err := d.Term()
			if err != nil {
				break
			}
			if e, err := parse(term); err == nil {
				for _, a := range m.step(time.Unix(0, 0), e) {
					if timer, ok := a.(startTimer); ok && b[0]%2 == 0 {
						m.step(time.Unix(1, 0), fired{timer.id})
					}
				}
			}
			b = d.Rest()
		}
		m.step(time.Unix(2, 0), nodeDown{"a@h"})
		consistent(t, m)
	})
}

// consistent checks that each name and lock is counted in monitors.
func consistent(t *testing.T, m *machine) {
	t.Helper()
	count := make(map[etf.Pid]int)
	for _, e := range m.names.byName {
		count[e.pid]++
	}
	for _, l := range m.locks {
		for _, pid := range l.holders {
			count[pid]++
		}
	}
	if !reflect.DeepEqual(count, m.monitors) {
		t.Errorf("names and locks are of %v, monitored are %v", count, m.monitors)
	}
	for pid := range count {
		if pid.Node == "a@h" {
			t.Errorf("%v has a name or lock, and its node is down", pid)
		}
	}
}
