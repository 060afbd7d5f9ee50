package dist

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
)

// live talks to real nodes with nothing but this package and a socket, for
// whoever changes the wire, and as part of make interop; package interop tests the
// whole node:
//
//	go test ./dist -run TestLive -live
var live = flag.Bool("live", false, "talk to the OTP releases that scripts/peers.sh lists")

func TestLive(t *testing.T) {
	if !*live {
		t.Skip("-live was not given (make interop gives it)")
	}
	for _, release := range beam.Releases(t) {
		t.Run(release.String(), func(t *testing.T) {
			port := beam.FreePort(t)
			node := release.Start(t, beam.Options{Name: "b@127.0.0.2", Port: port})
			for name, flags := range modes {
				t.Run("dial "+name, func(t *testing.T) { liveDial(t, node, port, flags) })
				t.Run("accept "+name, func(t *testing.T) { liveAccept(t, node, port, flags) })
			}
			t.Run("naming", func(t *testing.T) { liveNaming(t, release) })
			t.Run("statuses", func(t *testing.T) { liveStatuses(t, node, port) })
		})
	}
}

const (
	goName   = "go@127.0.0.4"
	beamName = "b@127.0.0.2"
)

func liveDial(t *testing.T, node *beam.Node, port int, flags Flags) {
	p, err := dialLive(port, Local{Name: goName, Flags: flags, Creation: 4}, beam.DefaultCookie)
	if err != nil {
		t.Fatal(err)
	}
	defer p.conn.Close()
	go p.serve()
	liveTalk(t, node)
}

func liveAccept(t *testing.T, node *beam.Node, port int, flags Flags) {
	node.Await(t, "lists:member('"+goName+"', nodes())", "false")
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.4:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	failed := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			defer conn.Close()
			var p *livePeer
			if p, err = acceptLive(conn, Local{Name: goName, Flags: flags, Creation: 5}); err == nil {
				err = p.serve()
			}
		}
		failed <- err
	}()
	liveTalk(t, node)
	node.MustEval(t, "erlang:disconnect_node('"+goName+"')")
	if err := <-failed; !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// liveTalk makes the BEAM compare what we echo with what it sent.
func liveTalk(t *testing.T, node *beam.Node) {
	t.Helper()
	if got := node.MustEval(t, "net_adm:ping('"+goName+"')"); got != "pong" {
		t.Fatal("ping: ", got)
	}
	echo := func(term string) {
		t.Helper()
		got := node.MustEval(t, "T = "+term+`, Echo = fun(To, F) -> {echo, '`+goName+`'} ! {To, F, T}, receive {echoed, T} -> same; {echoed, _} -> other after 10000 -> timeout end end,
			A = alias(), {Echo(self(), pid), Echo(A, alias), Echo(self(), name)}`)
		if got != "{same,same,same}" {
			t.Errorf("%s comes back as %s", term, got)
		}
	}
	for range 3 {
		echo("{hello, 42, self(), make_ref(), [atoms, cached, both, ways, list_to_atom(lists:duplicate(255, 228))]}")
	}
	echo("binary:copy(<<\"0123456789abcdef\">>, 65536)")
	echo("lists:seq(1, 300000)")
	echo("[list_to_atom(\"live\" ++ integer_to_list(I)) || I <- lists:seq(1, 3000)]")
}

// livePeer is a connection to a BEAM that answers pings and echoes.
type livePeer struct {
	conn   net.Conn
	result Result
	s      *Sender
	r      *Receiver
	b      Buffer
}

func (p *livePeer) serve() error {
	for {
		var length [4]byte
		if _, err := io.ReadFull(p.conn, length[:]); err != nil {
			return err
		}
		body := make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err := io.ReadFull(p.conn, body); err != nil {
			return err
		}
		sig, err := p.r.Frame(body)
		if err != nil {
			return err
		}
		if sig == nil || !sig.Control.Op.HasPayload() {
			continue
		}
		var d etf.Decoder
		d.Reset(sig.Payload, sig.Atoms)
		term, err := d.Term()
		if err != nil {
			return err
		}
		if err := p.answer(sig.Control.ToName, term); err != nil {
			return err
		}
	}
}

var liveSelf = etf.Pid{Node: goName, ID: 1, Creation: 4}

func (p *livePeer) answer(to etf.Atom, term etf.Term) error {
	m, ok := term.(etf.Tuple)
	if !ok || len(m) != 3 {
		return nil
	}
	switch to {
	case "net_kernel": // {'$gen_call', {Pid, Tag}, {is_auth, Node}}
		from := m[1].(etf.Tuple)
		return p.send(Control{Op: OpSendSender, From: liveSelf, To: from[0].(etf.Pid)}, etf.Tuple{from[1], etf.Atom("yes")})
	case "echo":
		answer := etf.Tuple{etf.Atom("echoed"), m[2]}
		switch m[1] {
		case etf.Atom("alias"): // op 33, also where the peer itself uses 37
			return p.send(Control{Op: OpAliasSend, From: liveSelf, Ref: m[0].(etf.Ref)}, answer)
		case etf.Atom("name"): // op 37 if it knows that, else degraded
			return p.send(Control{Op: OpAltactSigSend, Flags: AltactPriority, From: liveSelf, To: m[0].(etf.Pid)}, answer)
		}
		return p.send(Control{Op: OpSendSender, From: liveSelf, To: m[0].(etf.Pid)}, answer)
	}
	return nil
}

// send puts ticks between the fragments.
func (p *livePeer) send(c Control, payload any) error {
	st, err := p.s.Append(&p.b, &c, payload)
	if err != nil {
		return err
	}
	for st != nil && st.Next(&p.b) {
		p.b.AppendTick()
	}
	chunks := net.Buffers(p.b.Chunks(nil))
	_, err = chunks.WriteTo(p.conn)
	p.b.Reset()
	return err
}

// liveFrames are those of the handshake.
type liveFrames struct{ conn net.Conn }

func (f liveFrames) write(body []byte) {
	f.conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...))
}

func (f liveFrames) read() ([]byte, error) {
	f.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	defer f.conn.SetReadDeadline(time.Time{})
	var length [2]byte
	if _, err := io.ReadFull(f.conn, length[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(f.conn, body)
	return body, err
}

func dialLive(port int, local Local, cookie string) (p *livePeer, err error) {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.2:%d", port))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			conn.Close()
		}
	}()
	h, f := NewInitiator(local, beamName, cookie, 12345), liveFrames{conn}
	f.write(h.AppendName(nil))
	step := func(take func([]byte) error) {
		if err == nil {
			var body []byte
			if body, err = f.read(); err != nil {
				err = h.Broken(err)
			} else {
				err = take(body)
			}
		}
	}
	step(func(b []byte) error {
		status, err := h.Status(b)
		if status == StatusAlive && err == nil {
			f.write(h.AppendAlive(nil, true))
		}
		return err
	})
	step(h.Challenge)
	if err == nil {
		f.write(h.AppendReply(nil))
	}
	step(h.Ack)
	if err != nil {
		return nil, err
	}
	res := h.Result()
	return &livePeer{conn: conn, result: res, s: NewSender(res.Flags), r: NewReceiver(res.Flags, ReceiveLimits{})}, nil
}

func acceptLive(conn net.Conn, local Local) (*livePeer, error) {
	h, f := NewAcceptor(local, 54321), liveFrames{conn}
	body, err := f.read()
	if err != nil {
		return nil, h.Broken(err)
	}
	if _, err := h.Name(body); err != nil {
		return nil, err
	}
	if h.peer.Dynamic {
		f.write(h.AppendNamed(nil, "named-by-go@"+h.peer.Name, 77))
	} else {
		f.write(h.AppendStatus(nil, StatusOK))
	}
	f.write(h.AppendChallenge(nil))
	if body, err = f.read(); err != nil {
		return nil, h.Broken(err)
	}
	if err := h.Reply(body, beam.DefaultCookie); err != nil {
		return nil, err
	}
	f.write(h.AppendAck(nil))
	res := h.Result()
	return &livePeer{conn: conn, result: res, s: NewSender(res.Flags), r: NewReceiver(res.Flags, ReceiveLimits{})}, nil
}

// liveNaming gives a name to a BEAM that was started without one.
func liveNaming(t *testing.T, release beam.Release) {
	port := beam.FreePort(t)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	node := release.Start(t, beam.Options{Name: "undefined", Short: true, Port: port})
	go func() {
		if conn, err := l.Accept(); err == nil {
			defer conn.Close()
			if p, err := acceptLive(conn, Local{Name: "go@localhost", Flags: FlagsSupported, Creation: 4}); err != nil {
				t.Error(err)
			} else {
				p.serve()
			}
		}
	}()
	got := node.MustEval(t, "true = net_kernel:connect_node('go@localhost'), {node(), nodes(), nodes(hidden), erlang:system_info(creation)}")
	if !strings.HasPrefix(got, "{'named-by-go@") || !strings.HasSuffix(got, ",[],[go@localhost],77}") {
		t.Error(got)
	}
}

func liveStatuses(t *testing.T, node *beam.Node, port int) {
	full := Local{Name: goName, Flags: FlagsSupported, Creation: 4}
	cookie := beam.DefaultCookie
	node.Await(t, "lists:member('"+goName+"', nodes())", "false")

	if _, err := dialLive(port, full, "wrong"); !errors.Is(err, ErrCookie) {
		t.Error("wrong cookie: ", err)
	}
	weak := full
	weak.Flags &^= FlagMapTag | FlagMandatory25Digest
	if _, err := dialLive(port, weak, cookie); !errors.Is(err, ErrNotAllowed) {
		t.Error("a flag missing: ", err)
	}
	own := full
	own.Name = beamName
	if _, err := dialLive(port, own, cookie); !errors.Is(err, ErrNok) {
		t.Error("its own name: ", err)
	}

	old, err := dialLive(port, full, cookie)
	if err != nil {
		t.Fatal(err)
	}
	defer old.conn.Close()
	renewed, err := dialLive(port, full, cookie)
	if err != nil {
		t.Fatal("alive: ", err)
	}
	defer renewed.conn.Close()
	if _, err := io.Copy(io.Discard, old.conn); err != nil {
		t.Error("the old connection: ", err)
	}

	named, err := dialLive(port, Local{Name: "127.0.0.9", Flags: FlagsSupported | FlagNameMe}, cookie)
	if err != nil {
		t.Fatal("name me: ", err)
	}
	defer named.conn.Close()
	if name := named.result.Local.Name; !strings.HasSuffix(name, "@127.0.0.9") || named.result.Local.Creation == 0 {
		t.Errorf("we are %+v", named.result.Local)
	} else if got := node.MustEval(t, "nodes(hidden)"); !reflect.DeepEqual(got, "['"+name+"']") {
		t.Errorf("hidden nodes are %s, we %s", got, name)
	}

	// With NAME_ME the name is a host, nothing else.
	both := full
	both.Name, both.Flags = "go2@127.0.0.4", both.Flags|FlagNameMe
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.2:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	f := liveFrames{conn}
	f.write(NewInitiator(both, beamName, cookie, 1).AppendName(nil))
	body, err := f.read()
	if err != io.EOF {
		t.Errorf("a full name with NAME_ME: %q, %v", body, err)
	}
}
