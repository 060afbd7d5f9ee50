package cli

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// server calls itself for everything a test's process may be asked.
type server func(request etf.Term) (any, error)

func (s server) HandleCall(_ context.Context, _ truss.From, request truss.Message) (any, error) {
	term, err := request.Term()
	if err != nil {
		return nil, err
	}
	return s(term)
}

func serve(t *testing.T, node *truss.Node, name string, s server) {
	t.Helper()
	if _, err := node.Serve(name, s); err != nil {
		t.Fatal(err)
	}
}

func TestPing(t *testing.T) {
	node, epmd := startNode(t, "app@127.0.0.1")
	got := command(t, "ping", node.Name(), "--cookie", cookie, "--epmd", epmd).ok(t)
	if !strings.HasPrefix(got, "pong from app@127.0.0.1 in ") || !strings.Contains(got, "(connected in ") {
		t.Errorf("%q", got)
	}
	o := object(t, command(t, "ping", node.Name(), "--cookie", cookie, "--epmd", epmd, "--json").ok(t))
	rtt, isNumber := o["rtt_ms"].(float64)
	if o["node"] != "app@127.0.0.1" || o["pong"] != true || !isNumber || rtt < 0 || o["connect_ms"].(float64) <= 0 {
		t.Errorf("%v", o)
	}
}

// TestVisitLeavesCleanly has a node see who visits: a hidden node with the name
// asked for, which leaves.
func TestVisitLeavesCleanly(t *testing.T) {
	node, epmd := startNode(t, "app@127.0.0.1")
	events := node.Events(t.Context())
	command(t, "ping", node.Name(), "--cookie", cookie, "--epmd", epmd, "--name", "tool").ok(t)
	for _, up := range []bool{true, false} {
		e := <-events
		if e.Node != "tool@127.0.0.1" || e.Up != up || !e.Hidden || !up && e.Reason != truss.ErrPeerClosed {
			t.Errorf("%+v, want Up %v", e, up)
		}
	}
	if got := command(t, "names", "--epmd", epmd).ok(t); !strings.HasPrefix(got, "app ") || strings.Count(got, "\n") != 1 {
		t.Errorf("registered are %q", got)
	}
}

// TestWaysToANode finds one at the epmd's port of its own host, by ERL_EPMD_PORT
// and without epmd.
func TestWaysToANode(t *testing.T) {
	node, epmd := startNode(t, "app@127.0.0.1")
	t.Setenv("TRUSS_COOKIE", cookie)
	command(t, "ping", node.Name(), "--epmd", portOf(t, epmd)).ok(t)
	command(t, "ping", node.Name(), "--addr", text("127.0.0.1:%d", node.Port())).ok(t)
	t.Setenv("ERL_EPMD_PORT", portOf(t, epmd))
	command(t, "ping", node.Name()).ok(t)
	command(t, "ping", node.Name(), "--epmd", "127.0.0.1").ok(t)
}

// TestCookie wants the flag before TRUSS_COOKIE before RELEASE_COOKIE before the
// file.
func TestCookie(t *testing.T) {
	node, epmd := startNode(t, "app@127.0.0.1")
	args := []string{"ping", node.Name(), "--epmd", epmd}
	command(t, args...).fails(t, exitFailed, "cannot start a node: no cookie", "--cookie, TRUSS_COOKIE or RELEASE_COOKIE")
	home := t.TempDir()
	t.Setenv("HOME", home)
	file := filepath.Join(home, ".erlang.cookie")
	if err := os.WriteFile(file, []byte(cookie+"\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	command(t, args...).ok(t)
	t.Setenv("RELEASE_COOKIE", "wrong")
	command(t, args...).fails(t, exitFailed, "cannot connect to app@127.0.0.1: cookie mismatch", "--cookie")
	t.Setenv("TRUSS_COOKIE", cookie)
	command(t, args...).ok(t)
	command(t, append(args, "--cookie", "wrong")...).fails(t, exitFailed, "cookie mismatch")
}

func TestCannotConnect(t *testing.T) {
	node, epmd := startNode(t, "app@127.0.0.1")
	t.Setenv("TRUSS_COOKIE", cookie)
	port := freePort(t)
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"no epmd", []string{"app@127.0.0.1", "--epmd", port}, []string{"no epmd at 127.0.0.1:" + port, "--addr"}},
		{"unknown name", []string{"ap@127.0.0.1", "--epmd", epmd}, []string{"knows no node named ap; it has: app", "use one of those"}},
		{"nothing known", []string{"ap@127.0.0.1", "--epmd", serveEpmd(t)}, []string{"knows no node named ap; it has: nothing", "start the node"}},
		{"unknown host", []string{"app@no.such.host.invalid"}, []string{"cannot connect to app@no.such.host.invalid", "can be looked up"}},
		{"another name", []string{"web@127.0.0.1", "--addr", text("127.0.0.1:%d", node.Port())}, []string{"app@127.0.0.1"}},
		{"nothing at the address", []string{"app@127.0.0.1", "--addr", "127.0.0.1:" + port}, []string{"nothing answers at 127.0.0.1:" + port + ", where it listens according to --addr"}},
		{"long and short", []string{"app@127.0.0.1", "--epmd", epmd, "--name", "tool@short"}, []string{"long name", "short one"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			command(t, append([]string{"ping"}, tt.args...)...).fails(t, exitFailed, append(tt.want, "cannot connect to "+tt.args[0])...)
		})
	}
	o := object(t, command(t, "ping", "ap@127.0.0.1", "--epmd", epmd, "--json").err)
	if o["node"] != "ap@127.0.0.1" || o["doing"] != "cannot connect to ap@127.0.0.1" || o["exit"] != float64(exitFailed) {
		t.Errorf("%v", o)
	}
}

// TestGivingUp is against an epmd that never answers, so that nothing but the
// time or the interrupt can end it.
func TestGivingUp(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	args := []string{"ping", "app@127.0.0.1", "--cookie", cookie, "--epmd", silent.Addr().String()}
	command(t, append(args, "--timeout", "20ms")...).fails(t, exitFailed, "cannot connect to app@127.0.0.1: timed out after 20ms", "--timeout allows more")
	command(t, "names", "--epmd", silent.Addr().String(), "--timeout", "20ms").fails(t, exitFailed, "timed out after 20ms")

	interrupted := begin(t, append(args, "--timeout", "1h")...)
	for range 3 { // of those before, and of this one: it is waiting for an answer
		asked, err := silent.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer asked.Close()
	}
	interrupted.end().fails(t, exitFailed, "interrupted")
}

func TestCall(t *testing.T) {
	node, epmd := startNode(t, "app@127.0.0.1")
	serve(t, node, "Elixir.MyApp.Calc", func(request etf.Term) (any, error) {
		add, ok := request.(etf.Tuple)
		if !ok || len(add) != 3 {
			return nil, &truss.ExitError{Reason: etf.Atom("badarg")}
		}
		return etf.Tuple{etf.Atom("ok"), add[1].(int64) + add[2].(int64)}, nil
	})
	t.Setenv("TRUSS_COOKIE", cookie)
	call := func(args ...string) result {
		return command(t, append([]string{"call", node.Name(), "--epmd", epmd}, args...)...)
	}
	if got := call("Elixir.MyApp.Calc", "{add, 20, 22}").ok(t); got != "{ok,42}\n" {
		t.Errorf("%q", got)
	}
	const term = `{hello, [1, 2.5], #{<<"k">> => 'A b'}}`
	if got := call("echo", term).ok(t); got != `{hello,[1,2.5],#{<<"k">> => 'A b'}}`+"\n" {
		t.Errorf("%q", got)
	}
	if got := call("echo", term, "--elixir").ok(t); got != `{:hello, [1, 2.5], %{"k" => :"A b"}}`+"\n" {
		t.Errorf("%q", got)
	}
	if got := call("--", "echo", "-5").ok(t); got != "-5\n" {
		t.Errorf("%q", got)
	}
	if got := commandWith(t, "{from, stdin}.\n", "call", node.Name(), "echo", "-", "--epmd", epmd).ok(t); got != "{from,stdin}\n" {
		t.Errorf("%q", got)
	}
	o := object(t, call("echo", `<<"<&>">>`, "--json").ok(t))
	if o["node"] != node.Name() || o["name"] != "echo" || o["reply"] != `<<"<&>">>` || o["took_ms"].(float64) < 0 {
		t.Errorf("%v", o)
	}

	call("MyApp.Calc", "x").fails(t, exitFailed, "cannot call MyApp.Calc on app@127.0.0.1: no process is registered", "Elixir.MyApp.Calc")
	call("nobody", "x").fails(t, exitFailed, "cannot call nobody on app@127.0.0.1: no process is registered")
	call("Elixir.MyApp.Calc", "x").fails(t, exitFailed, "ended before it replied, with reason badarg")
}

// TestCallThatNeverEnds has a server that does not answer: the user gives up, and
// then the connection is lost. (That --timeout ends it is TestGivingUp's.)
func TestCallThatNeverEnds(t *testing.T) {
	node, epmd := startNode(t, "app@127.0.0.1")
	called := make(chan struct{}, 1)
	serve(t, node, "never", func(etf.Term) (any, error) {
		called <- struct{}{}
		return nil, truss.ErrNoReply
	})
	args := []string{"call", node.Name(), "never", "x", "--epmd", epmd, "--cookie", cookie, "--timeout", "1h"}
	interrupted := begin(t, args...)
	<-called
	interrupted.end().fails(t, exitFailed, "cannot call never on app@127.0.0.1: interrupted")

	lost := begin(t, args...)
	<-called
	for _, hidden := range node.HiddenNodes() {
		if err := node.Disconnect(t.Context(), hidden); err != nil {
			t.Fatal(err)
		}
	}
	left := <-lost.result
	left.fails(t, exitFailed, "the connection was lost before the reply came", "may have been acted on")
}

func TestSend(t *testing.T) {
	node, epmd := startNode(t, "app@127.0.0.1")
	got := make(chan etf.Term, 2)
	_, err := node.Spawn(func(ctx context.Context, p *truss.Process) error {
		for {
			m, err := p.Receive(ctx)
			if err != nil {
				return err
			}
			term, err := m.Term()
			if err != nil {
				return err
			}
			got <- term
		}
	}, truss.Registered("inbox"))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TRUSS_COOKIE", cookie)
	send := func(args ...string) result {
		return command(t, append([]string{"send", node.Name(), "--epmd", epmd}, args...)...)
	}
	if out := send("inbox", "{note, 1}").ok(t); out != "ok\n" {
		t.Errorf("%q", out)
	}
	if term := <-got; !etf.Equal(term, etf.Tuple{etf.Atom("note"), 1}) {
		t.Errorf("%v arrived", term)
	}
	o := object(t, send("inbox", "two", "--json").ok(t))
	if o["node"] != node.Name() || o["name"] != "inbox" || o["sent"] != true {
		t.Errorf("%v", o)
	}
	if term := <-got; term != etf.Term(etf.Atom("two")) {
		t.Errorf("%v arrived", term)
	}
	send("nobody", "x").fails(t, exitFailed, "cannot send to nobody on app@127.0.0.1: no process is registered")
}

func TestNodes(t *testing.T) {
	node, epmd := startNode(t, "app@127.0.0.1")
	for _, peer := range []struct {
		name   string
		hidden bool
	}{{"web@127.0.0.1", false}, {"jobs@127.0.0.1", false}, {"spy@127.0.0.1", true}} {
		other, err := truss.Start(t.Context(), truss.Config{
			Name: peer.name, Cookie: cookie, Hidden: peer.hidden, Listen: "127.0.0.1", Epmd: epmd, Logger: (&terminal{errors: t.Output()}).logger(),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		if err := other.Connect(t.Context(), node.Name()); err != nil {
			t.Fatal(err)
		}
	}
	// The peers know of the connections; the node may not yet, nor that an earlier
	// visitor has left. Each change makes an event.
	events := node.Events(t.Context())
	settled := func() {
		for len(node.Nodes()) != 2 || !slices.Equal(node.HiddenNodes(), []string{"spy@127.0.0.1"}) {
			<-events
		}
	}
	settled()
	t.Setenv("TRUSS_COOKIE", cookie)
	if got := command(t, "nodes", node.Name(), "--epmd", epmd).ok(t); got != "jobs@127.0.0.1\nweb@127.0.0.1\n" {
		t.Errorf("%q", got)
	}
	settled()
	if got := command(t, "nodes", node.Name(), "--epmd", epmd, "--hidden").ok(t); got != "jobs@127.0.0.1\nweb@127.0.0.1\nspy@127.0.0.1 hidden\n" {
		t.Errorf("%q", got)
	}
	settled()
	o := object(t, command(t, "nodes", node.Name(), "--epmd", epmd, "--json").ok(t))
	if o["node"] != node.Name() || !slices.Equal(o["nodes"].([]any), []any{"jobs@127.0.0.1", "web@127.0.0.1"}) || !slices.Equal(o["hidden"].([]any), []any{"spy@127.0.0.1"}) {
		t.Errorf("%v", o)
	}

	// Nodes without rex, and with one that does not know the function.
	command(t, "nodes", "web@127.0.0.1", "--epmd", epmd).fails(t, exitFailed, "no process is registered as rex")
	strange, address := startNode(t, "strange@127.0.0.1")
	strange.Unregister("rex")
	serve(t, strange, "rex", func(etf.Term) (any, error) { return etf.Atom("what"), nil })
	command(t, "nodes", "strange@127.0.0.1", "--epmd", address).fails(t, exitFailed, "cannot ask strange@127.0.0.1 for its nodes: rex answers what")
}

// TestRex has what a BEAM's rex answers to the calls that a Truss node knows, and
// to those it does not.
func TestRex(t *testing.T) {
	node, _ := startNode(t, "app@127.0.0.1")
	for request, want := range map[string]string{
		"{call, erlang, nodes, [], user}":          "[]",
		"{call, erlang, nodes, [connected], user}": "[]",
		"{call, erlang, nodes, [this], user}":      "['app@127.0.0.1']",
		"{call, erlang, nodes, [known], user}":     "{badrpc,{'EXIT',{undef,[{erlang,nodes,[known],[]}]}}}",
		"{call, erlang, nodes, [a, b], user}":      "{badrpc,{'EXIT',{undef,[{erlang,nodes,[a,b],[]}]}}}",
		"{call, lists, sort, [[]], user}":          "{badrpc,{'EXIT',{undef,[{lists,sort,[[]],[]}]}}}",
		"hello":                                    "{badrpc,badcall}",
	} {
		term, err := etf.Parse(request)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := truss.Call[etf.Term](t.Context(), node, "rex", term)
		if err != nil || etf.Format(reply) != want {
			t.Errorf("%s: %s, %v; want %s", request, etf.Format(reply), err, want)
		}
	}
}

func TestNames(t *testing.T) {
	node, epmd := startNode(t, "app@127.0.0.1")
	if got, want := command(t, "names", "--epmd", epmd).ok(t), text("app %d\n", node.Port()); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	o := object(t, command(t, "names", "127.0.0.1", "--epmd", portOf(t, epmd), "--json").ok(t))
	names, _ := o["names"].([]any)
	if o["host"] != "127.0.0.1" || len(names) != 1 || names[0].(map[string]any)["name"] != "app" || names[0].(map[string]any)["port"] != float64(node.Port()) {
		t.Errorf("%v", o)
	}
	empty := serveEpmd(t)
	if got := command(t, "names", "--epmd", empty).ok(t); got != "" {
		t.Errorf("an empty epmd has %q", got)
	}
	if got := command(t, "names", "--epmd", empty, "--json").ok(t); got != `{"host":"127.0.0.1","names":[]}`+"\n" {
		t.Errorf("%q", got)
	}
	port := freePort(t)
	command(t, "names", "--epmd", port).fails(t, exitFailed, "cannot list the names at 127.0.0.1:"+port+": no epmd")
	t.Setenv("ERL_EPMD_PORT", "nonsense")
	command(t, "names").fails(t, exitFailed, "ERL_EPMD_PORT")
}
