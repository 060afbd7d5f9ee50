package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	mdns "github.com/miekg/dns"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// serveDNS answers every A question with 127.0.0.1 and others with nothing, until
// the test ends, and returns the server's address.
func serveDNS(t *testing.T) string {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan struct{})
	server := &mdns.Server{PacketConn: socket, NotifyStartedFunc: func() { close(started) }}
	server.Handler = mdns.HandlerFunc(func(w mdns.ResponseWriter, query *mdns.Msg) {
		answer := new(mdns.Msg).SetReply(query)
		if q := query.Question[0]; q.Qtype == mdns.TypeA {
			answer.Answer = []mdns.RR{&mdns.A{
				Hdr: mdns.RR_Header{Name: q.Name, Rrtype: mdns.TypeA, Class: mdns.ClassINET, Ttl: 60},
				A:   net.IPv4(127, 0, 0, 1),
			}}
		}
		_ = w.WriteMsg(answer)
	})
	ended := make(chan error, 1)
	go func() { ended <- server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() {
		_ = server.Shutdown()
		<-ended
	})
	return socket.LocalAddr().String()
}

// TestNodesMeet runs two nodes of which one finds the other by DNS and sees it
// leave.
func TestNodesMeet(t *testing.T) {
	epmd, server := serveEpmd(t), serveDNS(t)
	t.Setenv("TRUSS_COOKIE", cookie)
	b := begin(t, "node", "--name", "b@127.0.0.1", "--listen", "127.0.0.1", "--epmd", epmd, "--json")
	ready := object(t, b.line(t))
	if ready["event"] != "ready" || ready["node"] != "b@127.0.0.1" || ready["port"].(float64) < 1 {
		t.Errorf("%v", ready)
	}
	a := begin(t, "node", "--name", "a@127.0.0.1", "--listen", "127.0.0.1", "--epmd", epmd,
		"--dns", "b@demo.test", "--dns-server", server, "--dns-type", "a")
	for _, want := range []string{"ready a@127.0.0.1", "nodeup b@127.0.0.1"} {
		if got := a.line(t); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if up := object(t, b.line(t)); up["event"] != "nodeup" || up["node"] != "a@127.0.0.1" || up["hidden"] != nil {
		t.Errorf("%v", up)
	}
	if left := b.end(); left.code != exitOK || left.err != "" || left.out != "" {
		t.Errorf("b ended with %+v", left)
	}
	if got := a.line(t); got != "nodedown b@127.0.0.1 connection_closed" {
		t.Errorf("%q", got)
	}
	if left := a.end(); left.code != exitOK || left.out != "" {
		t.Errorf("a ended with %+v", left)
	}
}

// TestHiddenPeers wants visitors to be printed only where they are asked for.
func TestHiddenPeers(t *testing.T) {
	epmd := serveEpmd(t)
	t.Setenv("TRUSS_COOKIE", cookie)
	for name, flags := range map[string][]string{"all": {"--all", "--json"}, "hidden": {"--hidden", "--json"}} {
		n := begin(t, append([]string{"node", "--name", name + "@127.0.0.1", "--listen", "127.0.0.1", "--epmd", epmd}, flags...)...)
		if ready := object(t, n.line(t)); (ready["hidden"] == true) != (name == "hidden") {
			t.Errorf("%v", ready)
		}
		ping := []string{"ping", name + "@127.0.0.1", "--epmd", epmd, "--name", "tool"}
		command(t, ping...).ok(t)
		for _, event := range []string{"nodeup", "nodedown"} {
			if o := object(t, n.line(t)); o["event"] != event || o["node"] != "tool@127.0.0.1" || o["hidden"] != true {
				t.Errorf("%s: %v, want %s", name, o, event)
			}
		}
	}
	// For one without the flag a visible peer comes after the visitor, and alone.
	n := begin(t, "node", "--name", "quiet@127.0.0.1", "--listen", "127.0.0.1", "--epmd", epmd)
	n.line(t)
	command(t, "ping", "quiet@127.0.0.1", "--epmd", epmd, "--name", "tool").ok(t)
	peer, err := truss.Start(t.Context(), truss.Config{Name: "peer@127.0.0.1", Cookie: cookie, Listen: "127.0.0.1", Epmd: epmd, Logger: (&terminal{errors: t.Output()}).logger()})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if err := peer.Connect(t.Context(), "quiet@127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	if got := n.line(t); got != "nodeup peer@127.0.0.1" {
		t.Errorf("%q", got)
	}
}

// visited is where a node prints; at its first line it has a visitor come and go.
type visited struct {
	io.Writer
	visit func()
}

func (v *visited) Write(line []byte) (int, error) {
	if visit := v.visit; visit != nil {
		v.visit = nil
		visit()
	}
	return v.Writer.Write(line)
}

// TestVisitorAtReady wants a visitor printed that is gone before anything else is.
func TestVisitorAtReady(t *testing.T) {
	epmd := serveEpmd(t)
	t.Setenv("TRUSS_COOKIE", cookie)
	reader, writer := io.Pipe()
	out := &visited{writer, func() {
		command(t, "ping", "a@127.0.0.1", "--epmd", epmd, "--name", "tool").ok(t)
		for strings.Contains(command(t, "nodes", "a@127.0.0.1", "--epmd", epmd, "--hidden").ok(t), "tool@") {
			continue // it has left; the node is yet to notice
		}
	}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- Run(ctx, []string{"node", "--name", "a@127.0.0.1", "--listen", "127.0.0.1", "--epmd", epmd, "--all"}, strings.NewReader(""), out, io.Discard)
		writer.Close()
	}()
	lines := bufio.NewScanner(reader)
	if !lines.Scan() || lines.Text() != "ready a@127.0.0.1" {
		t.Errorf("%q", lines.Text())
	}
	// One that comes later bounds how long to look for the first.
	command(t, "ping", "a@127.0.0.1", "--epmd", epmd, "--name", "later").ok(t)
	var seen []string
	for lines.Scan() && lines.Text() != "nodeup later@127.0.0.1" {
		if strings.Contains(lines.Text(), "tool@") {
			seen = append(seen, lines.Text())
		}
	}
	if want := []string{"nodeup tool@127.0.0.1", "nodedown tool@127.0.0.1 connection_closed"}; !slices.Equal(seen, want) {
		t.Errorf("%q, want %q", seen, want)
	}
	cancel()
	for lines.Scan() {
		continue // the other visitors
	}
	if code := <-ended; code != exitOK {
		t.Errorf("exit %d", code)
	}
}

// TestEcho has both of its ways to answer.
func TestEcho(t *testing.T) {
	node, epmd := startNode(t, "app@127.0.0.1")
	other, err := truss.Start(t.Context(), truss.Config{Name: "other@127.0.0.1", Cookie: cookie, Listen: "127.0.0.1", Epmd: epmd, Logger: (&terminal{errors: t.Output()}).logger()})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	to := truss.Name{Name: "echo", Node: node.Name()}
	term := etf.Tuple{etf.Atom("a"), etf.List{int64(1), []byte("b")}}
	if reply, err := truss.Call[etf.Term](t.Context(), other, to, term); err != nil || !etf.Equal(reply, term) {
		t.Errorf("a call is answered %v, %v", reply, err)
	}
	done := make(chan error, 1)
	_, err = other.Spawn(func(ctx context.Context, p *truss.Process) error {
		done <- func() error {
			// What is no {Pid, T} is dropped, and a Pid of nobody is no harm.
			nobody := p.PID()
			nobody.ID += 1 << 20
			for _, message := range []etf.Term{etf.Atom("hello"), etf.Tuple{etf.Atom("a"), 1}, etf.Tuple{nobody, 1}, etf.Tuple{p.PID(), term}} {
				if err := p.Send(ctx, to, message); err != nil {
					return err
				}
			}
			m, err := p.Receive(ctx)
			if err != nil {
				return err
			}
			if got, err := m.Term(); err != nil || !etf.Equal(got, term) {
				return fmt.Errorf("a message comes back as %v, %v", got, err)
			}
			return nil
		}()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestNodeErrors(t *testing.T) {
	t.Setenv("TRUSS_COOKIE", cookie)
	epmd, free := serveEpmd(t), freePort(t)
	taken, where := startNode(t, "taken@127.0.0.1")
	for _, tt := range []struct {
		name, args string
		code       int
		want       []string
	}{
		{"no name", "", exitFailed, []string{"cannot start a node: no node name: set --name or RELEASE_NODE"}},
		{"no epmd", "--name a@127.0.0.1 --epmd " + free, exitFailed, []string{"cannot start a node: no epmd", "truss epmd --daemon"}},
		{"port taken", text("--name a@127.0.0.1 --epmd %s --port %d", epmd, taken.Port()), exitFailed, []string{"cannot start a node: cannot listen", "another program listens there"}},
		{"name taken", "--name taken@127.0.0.1 --epmd " + where, exitFailed, []string{"cannot start a node: name is taken", "truss names"}},
		{"bad query", "--name query@127.0.0.1 --dns a@b@c --epmd " + epmd, exitUsage, []string{`"b@c" is not a name`}},
		{"bad type", "--name type@127.0.0.1 --dns q.test --dns-type MX --epmd " + epmd, exitUsage, []string{"MX"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := command(t, append(strings.Fields("node --listen 127.0.0.1"), strings.Fields(tt.args)...)...)
			lines := strings.SplitAfter(strings.TrimSuffix(r.err, "\n"), "\n")
			r.err, r.out = lines[len(lines)-1]+"\n", "" // discovery logs its error as well, and the node was ready
			r.fails(t, tt.code, tt.want...)
		})
	}
}

// TestBrokenOutput wants a node to end when nobody can read what it prints.
func TestBrokenOutput(t *testing.T) {
	reader, writer := io.Pipe()
	reader.Close()
	epmd := serveEpmd(t)
	code := Run(t.Context(), []string{"node", "--name", "a@127.0.0.1", "--cookie", cookie, "--listen", "127.0.0.1", "--epmd", epmd}, strings.NewReader(""), writer, io.Discard)
	if code != exitFailed {
		t.Errorf("exit %d", code)
	}
}

func TestNodeEpmdAddress(t *testing.T) {
	for _, tt := range []struct{ name, epmd, port, want string }{
		{"a@127.0.0.1", "auto", "", "auto"},
		{"a@127.0.0.1", "none", "", "none"},
		{"a@127.0.0.1", "serve", "", "serve"},
		{"a@127.0.0.1", "4370", "", "127.0.0.1:4370"},
		{"a@::1", "4370", "", "[::1]:4370"},
		{"a@127.0.0.1", "127.0.0.2", "", "127.0.0.2:4369"},
		{"a@127.0.0.1", "127.0.0.2", "4371", "127.0.0.2:4371"},
		{"a@127.0.0.1", "[::1]:4370", "4371", "[::1]:4370"},
	} {
		t.Setenv("ERL_EPMD_PORT", tt.port)
		if got, err := (&nodeFlags{name: tt.name, epmd: tt.epmd}).epmdAddress(); err != nil || got != tt.want {
			t.Errorf("%s for %s, ERL_EPMD_PORT %q: %q, %v; want %q", tt.epmd, tt.name, tt.port, got, err, tt.want)
		}
	}
	t.Setenv("ERL_EPMD_PORT", "nonsense")
	if got, err := (&nodeFlags{epmd: "127.0.0.2"}).epmdAddress(); err == nil {
		t.Errorf("with a nonsensical ERL_EPMD_PORT: %q", got)
	}
}

func TestDownReason(t *testing.T) {
	for _, tt := range []struct {
		err          error
		word, detail string
	}{
		{truss.ErrTickTimeout, "net_tick_timeout", ""},
		{fmt.Errorf("x: %w", truss.ErrPeerClosed), "connection_closed", ""},
		{truss.ErrDisconnected, "disconnect", ""},
		{truss.ErrReplaced, "connection_closed", truss.ErrReplaced.Error()},
		{errors.New("truss: bad bytes"), "connection_closed", "bad bytes"},
		{nil, "connection_closed", ""},
	} {
		if word, detail := downReason(tt.err); word != tt.word || detail != tt.detail {
			t.Errorf("%v: %q, %q", tt.err, word, detail)
		}
	}
}
