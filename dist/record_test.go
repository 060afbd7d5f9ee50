package dist

import (
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/truss-beam/truss/internal/beam"
)

// record rewrites testdata from the OTP releases of this machine:
//
//	go test ./dist -run TestRecord -record
//
// Commit what changes only after understanding why.
var record = flag.Bool("record", false, "rewrite testdata/*.txt, talking to the OTP releases that scripts/peers.sh lists")

// script is what the dialling node evaluates, a step at a time, to make each
// control message appear. B is the node behind the proxy.
var script = []struct{ does, expr string }{
	{"ping", "B = 'b@127.0.0.2', pong = net_adm:ping(B)"},
	{"spawn", "process_flag(trap_exit, true), P = spawn(B, timer, sleep, [infinity])"},
	{"send", "P ! {hello, 42}"},
	{"send, all atoms known", "P ! {hello, 43}"},
	{"send to a name", "{nobody, B} ! {hello, 44}"},
	{"link", "link(P)"},
	{"unlink", "unlink(P)"},
	{"monitor, demonitor", "demonitor(monitor(process, P))"},
	{"monitor a name that is not there", "monitor(process, {nobody, B}), receive {'DOWN', _, _, _, noproc} -> ok end"},
	{"group_leader", "group_leader(group_leader(), P)"},
	{"exit", "link(P), exit(P, {shutdown, now}), receive {'EXIT', P, {shutdown, now}} -> ok end"},
	{"spawn, linked and monitored", "{Q, _} = spawn_opt(B, erlang, exit, [bye], [link, monitor]), receive {'EXIT', Q, bye} -> ok end, receive {'DOWN', _, _, Q, bye} -> ok end"},
	{"spawn, refused", "spawn_request(B, erlang, self, [], [{max_heap_size, #{size => 1, kill => nope}}]), receive {spawn_reply, _, error, Why} -> Why after 500 -> none end"},
	{"call", "[] = gen_server:call({rex, B}, {call, erlang, apply, [fun erlang:nodes/1, [hidden]], group_leader()})"},
	{"link that a peer breaks", "S = spawn(B, timer, sleep, [infinity]), link(S), T = erpc:call(B, erlang, whereis, [kernel_sup]), link(T), unlink(T), exit(S, kill), receive {'EXIT', S, killed} -> ok end"},
	{"exit of our own process", "R = spawn(B, timer, sleep, [infinity]), spawn(fun() -> link(R), exit(gone) end)"},
	{"trace tokens", "U = spawn(B, timer, sleep, [infinity]), link(U), seq_trace:set_token(label, 17), U ! traced, {nobody, B} ! traced, erpc:call(B, erlang, is_process_alive, [U]), exit(U, traced), receive {'EXIT', U, traced} -> ok end, seq_trace:set_token([])"},
	{"trace tokens to an alias", "seq_trace:set_token(label, 19), [] = gen_server:call({rex, B}, {call, erlang, nodes, [hidden], group_leader()}), seq_trace:set_token([])"},
	{"trace tokens, exit of a linked process", "V = spawn(B, timer, sleep, [infinity]), spawn(fun() -> link(V), seq_trace:set_token(label, 18), exit(gone) end)"},
	{"long atoms", "W = spawn(B, timer, sleep, [infinity]), W ! [list_to_atom(lists:duplicate(255, 16#e4)), short]"},
	{"300 atoms", "W ! [list_to_atom(\"atom\" ++ integer_to_list(I)) || I <- lists:seq(1, 300)]"},
	{"150,000 bytes", "W ! binary:copy(<<\"x\">>, 150000)"},
	{"150,000 bytes back", "erpc:call(B, binary, copy, [<<\"y\">>, 150000]), ok"},
	{"ticks", "timer:sleep(2500)"},
}

// TestRecord records two nodes of each release talking through a proxy, as they
// do and with flags taken out on the way, so that they use what older nodes and
// other implementations do.
func TestRecord(t *testing.T) {
	if !*record {
		t.Skip("not recording: -record was not given (the recorded files are checked by TestRecordings)")
	}
	masks := map[string]Flags{
		"":           ^Flags(0),
		"-plain":     FlagPublished | FlagsMandatory | FlagDistMonitor | FlagDistMonitorName | FlagBigSeqtraceLabels | FlagSpawn | FlagAlias,
		"-fragments": FlagsSupported &^ (FlagDistHdrAtomCache | FlagAltactSig),
	}
	for _, release := range beam.Releases(t) {
		for name, mask := range masks {
			name = release.String() + name
			t.Run(name, func(t *testing.T) { recordPair(t, release, name, mask) })
		}
	}
}

func recordPair(t *testing.T, release beam.Release, name string, mask Flags) {
	quiet := map[string]string{"connect_all": "false", "prevent_overlapping_partitions": "false", "net_ticktime": "4"}
	portA, portB := beam.FreePort(t), beam.FreePort(t)
	a := release.Start(t, beam.Options{Name: "a@127.0.0.3", Port: portA, Kernel: quiet})
	release.Start(t, beam.Options{Name: "b@127.0.0.2", Port: portB, Kernel: quiet})
	// a expects all nodes at its own port: there the proxy listens for b.
	tap := newTap(t, fmt.Sprintf("127.0.0.2:%d", portA), fmt.Sprintf("127.0.0.2:%d", portB), mask)
	p := a.Spawn()
	for _, step := range script {
		tap.comment(step.does)
		p.MustEval(t, step.expr)
		time.Sleep(150 * time.Millisecond) // what follows from it is on the wire
	}
	writeRecording(t, name, beam.DefaultCookie, tap.taken())
}

// tap is a proxy between two nodes that notes every message.
type tap struct {
	mask     Flags
	mu       sync.Mutex
	messages []message
	pending  string
}

func newTap(t *testing.T, listen, dial string, mask Flags) *tap {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	tp := &tap{mask: mask}
	go func() {
		a, err := l.Accept()
		if err != nil {
			return
		}
		b, err := net.Dial("tcp", dial)
		if err != nil {
			a.Close()
			return
		}
		go tp.copy('b', a, b)
		tp.copy('a', b, a)
	}()
	return tp
}

// copy passes messages on as they become whole, noting them first: so the file
// has them in an order in which they can have happened.
func (tp *tap) copy(from byte, to, src net.Conn) {
	defer to.Close()
	steps := 2 // of the handshake, from the dialling node
	if from == 'b' {
		steps = 3
	}
	for i := 0; ; i++ {
		width := 4
		if i < steps {
			width = 2
		}
		length := make([]byte, width)
		if _, err := io.ReadFull(src, length); err != nil {
			return
		}
		n := 0
		for _, b := range length {
			n = n<<8 | int(b)
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(src, body); err != nil {
			return
		}
		if width == 2 && body[0] == tagName {
			f := frame{b: body[1:]}
			binary.BigEndian.PutUint64(body[1:], f.u64()&uint64(tp.mask))
		}
		tp.mu.Lock()
		tp.messages = append(tp.messages, message{from: from, body: body, comment: tp.pending})
		tp.pending = ""
		tp.mu.Unlock()
		if _, err := to.Write(append(length, body...)); err != nil {
			return
		}
	}
}

func (tp *tap) comment(text string) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	tp.pending = text
}

func (tp *tap) taken() []message {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	return tp.messages
}

// writeRecording writes the file, with what our receiver makes of each frame.
func writeRecording(t *testing.T, name, cookie string, messages []message) {
	flags := commonFlags(t, messages)
	receivers := map[byte]*Receiver{'a': NewReceiver(flags, ReceiveLimits{}), 'b': NewReceiver(flags, ReceiveLimits{})}
	var out strings.Builder
	fmt.Fprintf(&out, "cookie %s\nflags %#x\n", cookie, uint64(flags))
	handshake := true
	for _, m := range messages {
		if m.comment != "" {
			fmt.Fprintf(&out, "\n# %s\n", m.comment)
		}
		fmt.Fprintf(&out, "%s %s\n", map[byte]string{'a': "a>", 'b': "b<"}[m.from], enhex(m.body))
		if handshake {
			handshake = m.body[0] != tagAck
			continue
		}
		sig, err := receivers[m.from].Frame(m.body)
		if err != nil {
			t.Errorf("% x: %v", m.body[:min(len(m.body), 100)], err)
			break
		}
		if sig != nil {
			text, err := describe(sig)
			if err != nil {
				t.Errorf("% x: %v", m.body[:min(len(m.body), 100)], err)
			}
			fmt.Fprintf(&out, "  = %s\n", text)
		}
	}
	if err := os.WriteFile("testdata/"+name+".txt", []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// commonFlags reads the flags of both from the handshake.
func commonFlags(t *testing.T, messages []message) Flags {
	if len(messages) < 5 {
		t.Fatalf("only %d messages", len(messages))
	}
	flags := ^Flags(0)
	for _, m := range messages[:5] {
		if m.body[0] == tagName {
			f := frame{b: m.body[1:]}
			flags &= Flags(f.u64())
		}
	}
	return flags
}
