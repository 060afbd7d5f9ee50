package interop

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/truss-beam/truss/internal/beam"
)

// tool is the program truss, built, with the environment it runs in.
type tool struct {
	program     string
	environment []string
}

// buildTool builds truss. It goes by epmd's port and the cookie of the BEAMs.
func buildTool(t *testing.T) tool {
	t.Helper()
	program := filepath.Join(t.TempDir(), "truss")
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/truss").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return tool{program: program}
}

func (c tool) at(epmd int) tool {
	c.environment = append(os.Environ(), "TRUSS_COOKIE="+beam.DefaultCookie, "ERL_EPMD_PORT="+strconv.Itoa(epmd), "DNS_CLUSTER_QUERY=")
	return c
}

// run runs a command and returns what it prints; it must succeed.
func (c tool) run(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, err := c.try(args...)
	if err != nil || errs != "" {
		t.Fatalf("truss %q: %v, standard error %q", args, err, errs)
	}
	return out
}

func (c tool) try(args ...string) (out, errs string, err error) {
	cmd := exec.Command(c.program, args...)
	var o, e bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = c.environment, &o, &e
	err = cmd.Run()
	return o.String(), e.String(), err
}

// begin starts a command that runs until it is terminated, and checks that it
// then ends as it should. line returns its next line of output.
func (c tool) begin(t *testing.T, args ...string) (line func() string) {
	t.Helper()
	cmd := exec.Command(c.program, args...)
	var errs bytes.Buffer
	cmd.Env, cmd.Stderr = c.environment, &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		for lines.Scan() { // until it closes its output, or Wait would close ours too early
		}
		if err := cmd.Wait(); err != nil || errs.Len() > 0 {
			t.Errorf("truss %q ended with %v, standard error %q", args, err, &errs)
		}
	})
	return func() string {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("truss %q prints no more; standard error %q", args, &errs)
		}
		return lines.Text()
	}
}

// TestCLI has a BEAM register with truss epmd, and everything between it, truss
// node and the commands that visit a node.
func TestCLI(t *testing.T) {
	built := buildTool(t)
	each(t, func(t *testing.T, release beam.Release) {
		port := beam.FreePort(t)
		cli := built.at(port)
		if got, want := cli.begin(t, "epmd", "-address", "127.0.0.1")(), "ready "+strconv.Itoa(port); got != want {
			t.Fatalf("truss epmd prints %q, want %q", got, want)
		}
		peer := release.Start(t, beam.Options{Name: "beam@127.0.0.1", EPMD: port})
		peer.Load(t, peerModule)
		peer.MustEval(t, "{ok, _} = interop_peer:start_calc()")
		node := cli.begin(t, "node", "--name", "go@127.0.0.1", "--listen", "127.0.0.1", "--epmd", strconv.Itoa(port))
		if got := node(); got != "ready go@127.0.0.1" {
			t.Fatalf("truss node prints %q", got)
		}
		testEchoNode(t, peer, node)
		testVisits(t, cli, peer)
		testVisitErrors(t, cli, peer)

		peer.Kill()
		if got := node(); got != "nodedown beam@127.0.0.1 connection_closed" {
			t.Errorf("after the BEAM's end: %q", got)
		}
	})
}

// testEchoNode has the BEAM use truss node.
func testEchoNode(t *testing.T, peer *beam.Node, node func() string) {
	t.Helper()
	if got := peer.MustEval(t, "net_adm:ping('go@127.0.0.1')"); got != "pong" {
		t.Errorf("the BEAM's ping gives %s", got)
	}
	if got := node(); got != "nodeup beam@127.0.0.1" {
		t.Errorf("truss node prints %q", got)
	}
	const term = `T = {hello, [1, -2.5, 1 bsl 70], #{<<"k"/utf8>> => [a | b]}, <<5:3>>, self(), make_ref(), fun lists:map/2, "text", []}, `
	for expr, want := range map[string]string{
		term + "gen_server:call({echo, 'go@127.0.0.1'}, T) =:= T":                                               "true",
		term + "{echo, 'go@127.0.0.1'} ! {self(), T}, receive T -> same; O -> O after 10000 -> nothing end":     "same",
		"gen_server:call({rex, 'go@127.0.0.1'}, {call, erlang, nodes, [], group_leader()})":                     "['beam@127.0.0.1']",
		"gen_server:call({rex, 'go@127.0.0.1'}, {call, lists, sort, [[]], group_leader()})":                     "{badrpc,{'EXIT',{undef,[{lists,sort,[[]],[]}]}}}",
		"catch gen_server:call({nobody, 'go@127.0.0.1'}, hello)":                                                "{'EXIT',{noproc,{gen_server,call,[{nobody,'go@127.0.0.1'},hello]}}}",
		"[{N, is_integer(P)} || {N, P} <- lists:sort(element(2, erl_epmd:names({127,0,0,1})))]":                 `[{"beam",true},{"go",true}]`,
		"{nodes(), nodes(hidden), erpc:call(node(), erlang, node, []), lists:member(node(), [node()|nodes()])}": "{['go@127.0.0.1'],[],'beam@127.0.0.1',true}",
	} {
		if got := peer.MustEval(t, expr); got != want {
			t.Errorf("%s\n gives %s, want %s", expr, got, want)
		}
	}
}

// testVisits has the commands visit the BEAM, and truss node beside it.
func testVisits(t *testing.T, cli tool, peer *beam.Node) {
	t.Helper()
	for _, name := range []string{"beam@127.0.0.1", "go@127.0.0.1"} {
		if got := cli.run(t, "ping", name); !strings.HasPrefix(got, "pong from "+name+" in ") {
			t.Errorf("%q", got)
		}
	}
	inbox := peer.Spawn()
	inbox.MustEval(t, "register(inbox, self())")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"call", "beam@127.0.0.1", "calc", "{add, 5}"}, "5"},
		{[]string{"call", "beam@127.0.0.1", "calc", "{echo, #{a => <<\"x\">>, 1.5 => \"text\"}}"}, `#{1.5 => "text",a => <<"x">>}`},
		{[]string{"call", "beam@127.0.0.1", "calc", "{echo, {ok, nil, 'Elixir.My.App'}}", "--elixir"}, "{:ok, nil, My.App}"},
		{[]string{"call", "beam@127.0.0.1", "calc", "who", "--name", "tool"}, "'tool@127.0.0.1'"},
		{[]string{"call", "go@127.0.0.1", "echo", "{a, [b]}"}, "{a,[b]}"},
		{[]string{"nodes", "beam@127.0.0.1"}, "go@127.0.0.1"},
		{[]string{"nodes", "go@127.0.0.1"}, "beam@127.0.0.1"},
		{[]string{"send", "beam@127.0.0.1", "inbox", "{note, <<\"deployed\">>}"}, "ok"},
	} {
		if got := cli.run(t, tt.args...); got != tt.want+"\n" {
			t.Errorf("truss %q prints %q, want %q", tt.args, got, tt.want)
		}
	}
	if got := inbox.MustEval(t, "receive M -> M after 10000 -> nothing end"); got != `{note,<<"deployed">>}` {
		t.Errorf("the BEAM got %s", got)
	}
	names := strings.Fields(cli.run(t, "names"))
	if len(names) != 4 || !slices.Contains(names, "beam") || !slices.Contains(names, "go") {
		t.Errorf("truss names prints %q", names)
	}
	// They were hidden, and are gone.
	peer.Await(t, "{nodes(), nodes(hidden)}", "{['go@127.0.0.1'],[]}")
}

// testVisitErrors has what a BEAM says when a visit fails.
func testVisitErrors(t *testing.T, cli tool, peer *beam.Node) {
	t.Helper()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"ping", peer.Name, "--cookie", "wrong"}, "cannot connect to beam@127.0.0.1: cookie mismatch"},
		{[]string{"ping", "bean@127.0.0.1"}, "knows no node named bean; it has: "},
		{[]string{"call", peer.Name, "nobody", "x"}, "no process is registered under that name"},
		{[]string{"send", peer.Name, "nobody", "x"}, "no process is registered under that name"},
		{[]string{"call", peer.Name, "calc", "never", "--timeout", "300ms"}, "timed out after 300ms"},
		{[]string{"call", peer.Name, "calc", "{stop, bored}"}, "ended before it replied, with reason bored"},
	} {
		out, errs, err := cli.try(tt.args...)
		if err == nil || out != "" || !strings.HasPrefix(errs, "truss: ") || !strings.Contains(errs, tt.want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("truss %q: %v, standard output %q, standard error %q without %q", tt.args, err, out, errs, tt.want)
		}
	}
}

// TestCLINames has the commands fit their own name to the peer's: an IPv6
// address, a short name, another address of loopback; and go without epmd.
func TestCLINames(t *testing.T) {
	built := buildTool(t)
	each(t, func(t *testing.T, release beam.Release) {
		for _, host := range []string{"::1", "localhost", "127.0.0.9"} {
			t.Run(host, func(t *testing.T) {
				epmd := release.StartEPMD(t)
				peer := release.Start(t, beam.Options{Name: "beam@" + host, EPMD: epmd, Short: host == "localhost"})
				cli := built.at(epmd)
				if host == "127.0.0.9" { // where OTP's epmd does not listen
					cli.environment = append(cli.environment, "ERL_EPMD_PORT=")
					cli.run(t, "ping", peer.Name, "--epmd", "127.0.0.1:"+strconv.Itoa(epmd))
					return
				}
				cli.run(t, "ping", peer.Name)
				cli.run(t, "nodes", peer.Name, "--json")
			})
		}
		t.Run("no epmd", func(t *testing.T) {
			peer := release.Start(t, beam.Options{Name: "beam@127.0.0.1"})
			built.at(1).run(t, "ping", peer.Name, "--addr", "127.0.0.1:"+strconv.Itoa(peer.Port))
		})
	})
}
