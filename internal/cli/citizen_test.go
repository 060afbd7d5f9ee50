package cli

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// linesWith reads lines until one of each kind has come, in whatever order.
func (r *running) linesWith(t *testing.T, prefixes ...string) []string {
	t.Helper()
	var all []string
	for len(prefixes) > 0 {
		line := r.line(t)
		all = append(all, line)
		prefixes = slices.DeleteFunc(prefixes, func(p string) bool { return strings.HasPrefix(line, p) })
	}
	return all
}

// startCitizens runs two nodes, connected, with everything that truss node can take
// part in, and returns their epmd.
func startCitizens(t *testing.T) (a, b *running, epmd string) {
	t.Helper()
	epmd = serveEpmd(t)
	t.Setenv("TRUSS_COOKIE", cookie)
	node := []string{"node", "--listen", "127.0.0.1", "--epmd", epmd, "--pg", "pg/workers", "--pubsub", "MyApp.PubSub/orders", "--pubsub", "MyApp.PubSub/room:1/x"}
	a = begin(t, append(node, "--name", "a@127.0.0.1", "--global", "calc", "--pg", "jobs/workers")...)
	a.line(t)
	b = begin(t, append(node, "--name", "b@127.0.0.1", "--dns", "a@demo.test", "--dns-server", serveDNS(t), "--dns-type", "a")...)
	b.linesWith(t, "ready ", "nodeup a@127.0.0.1")
	a.linesWith(t, "nodeup b@127.0.0.1")
	return a, b, epmd
}

// until repeats a command until its output has everything, for nodes that have only
// just met tell each other what they have in their own time.
func until(t *testing.T, args []string, texts ...string) string {
	t.Helper()
	out := ""
	for range 2000 {
		out = command(t, args...).ok(t)
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(out, text) }) {
			return out
		}
	}
	t.Fatalf("%q prints %q without %q", args, out, texts)
	return ""
}

// TestCitizens has two nodes share a global name and groups, and both tell of them.
func TestCitizens(t *testing.T) {
	_, _, epmd := startCitizens(t)
	for _, node := range []string{"a@127.0.0.1", "b@127.0.0.1"} {
		out := until(t, []string{"global", node, "--epmd", epmd}, "calc #Pid<'a@127.0.0.1'/")
		if strings.Count(out, "\n") != 1 {
			t.Errorf("%q", out)
		}
		out = until(t, []string{"pg", node, "--epmd", epmd}, "workers #Pid<'a@127.0.0.1'/", "workers #Pid<'b@127.0.0.1'/")
		if strings.Count(out, "\n") != 2 {
			t.Errorf("%q", out)
		}
	}
	names := object(t, command(t, "global", "b@127.0.0.1", "--epmd", epmd, "--json").ok(t))["names"].([]any)
	if n := names[0].(map[string]any); len(names) != 1 || n["name"] != "calc" || n["at"] != "a@127.0.0.1" || !strings.HasPrefix(n["pid"].(string), "#Pid<'a@127.0.0.1'/") {
		t.Errorf("%v", names)
	}
	o := object(t, command(t, "pg", "a@127.0.0.1", "jobs", "--epmd", epmd, "--json").ok(t))
	groups := o["groups"].([]any)
	if o["scope"] != "jobs" || len(groups) != 1 || groups[0].(map[string]any)["group"] != "workers" || len(groups[0].(map[string]any)["members"].([]any)) != 1 {
		t.Errorf("%v", o)
	}
	command(t, "pg", "b@127.0.0.1", "jobs", "--epmd", epmd).fails(t, exitFailed, "cannot ask b@127.0.0.1 for the groups of jobs: there is no such scope")
}

// TestStrangers has nodes that take part in nothing.
func TestStrangers(t *testing.T) {
	node, epmd := startNode(t, "app@127.0.0.1")
	t.Setenv("TRUSS_COOKIE", cookie)
	for _, tt := range []struct{ args, want string }{
		{"global app@127.0.0.1", "it takes no part in global"},
		{"pg app@127.0.0.1", "it does not tell its groups"},
		{"pubsub listen app@127.0.0.1 MyApp.PubSub/t", "no process is registered as 'Elixir.MyApp.PubSub.Adapter'"},
		{"pubsub broadcast app@127.0.0.1 MyApp.PubSub/t x", "no process is registered as 'Elixir.MyApp.PubSub.Adapter'"},
		{"pubsub broadcast app@127.0.0.1 MyApp.PubSub/t {x} --event e", "not a payload for Phoenix channels"},
	} {
		command(t, append(strings.Fields(tt.args), "--epmd", epmd)...).fails(t, exitFailed, tt.want)
	}
	node.Unregister("rex")
	for _, args := range []string{"global", "pg"} {
		command(t, args, node.Name(), "--epmd", epmd).fails(t, exitFailed, "no process is registered as rex there")
	}
	serve(t, node, "rex", func(etf.Term) (any, error) { return etf.Atom("what"), nil })
	command(t, "global", node.Name(), "--epmd", epmd).fails(t, exitFailed, "global:registered_names/0 answers what")
	command(t, "pg", node.Name(), "--epmd", epmd).fails(t, exitFailed, "pg:which_groups/1 answers what")
}

// TestPubSub broadcasts to nodes and a listener, from a visitor and from a node.
func TestPubSub(t *testing.T) {
	a, b, epmd := startCitizens(t)
	visit := func(args ...string) []string { return append(args, "--epmd", epmd) }
	if got := command(t, visit("pubsub", "broadcast", "a@127.0.0.1", "MyApp.PubSub/orders", `{paid, <<"x">>}`)...).ok(t); got != "sent a@127.0.0.1\nsent b@127.0.0.1\n" {
		t.Errorf("%q", got)
	}
	for _, node := range []*running{a, b} {
		if got := node.line(t); got != `message orders {paid,<<"x">>}` {
			t.Errorf("%q", got)
		}
	}
	o := object(t, command(t, visit("pubsub", "broadcast", "b@127.0.0.1", "MyApp.PubSub/room:1/x", "#{text => hi}", "--event", "new", "--json")...).ok(t))
	if len(o["sent"].([]any)) != 2 || len(o["without"].([]any)) != 0 || o["pubsub"] != "MyApp.PubSub" || o["topic"] != "room:1/x" {
		t.Errorf("%v", o)
	}
	for _, node := range []*running{a, b} {
		got := node.line(t)
		for _, want := range []string{"message room:1/x #{", "'Elixir.Phoenix.Socket.Broadcast'", "text => hi", `event => <<"new">>`} {
			if !strings.Contains(got, want) {
				t.Errorf("%q lacks %q", got, want)
			}
		}
	}

	listener := begin(t, visit("pubsub", "listen", "a@127.0.0.1", "MyApp.PubSub/orders", "--json", "--name", "ear")...)
	heard := []string{object(t, listener.line(t))["node"].(string), object(t, listener.line(t))["node"].(string)}
	slices.Sort(heard)
	if !slices.Equal(heard, []string{"a@127.0.0.1", "b@127.0.0.1"}) {
		t.Errorf("it listens to %v", heard)
	}
	for node, other := range map[string]string{"a@127.0.0.1": "b@127.0.0.1", "b@127.0.0.1": "a@127.0.0.1"} { // each broadcasts to all others
		until(t, visit("call", node, "Elixir.MyApp.PubSub", "nodes"), "ear@127.0.0.1", other)
		request := fmt.Sprintf(`{broadcast, <<"orders">>, {from, '%s'}}`, node)
		if got := command(t, visit("call", node, "Elixir.MyApp.PubSub", request)...).ok(t); got != "ok\n" {
			t.Errorf("%q", got)
		}
		want := fmt.Sprintf("{from,'%s'}", node)
		if o := object(t, listener.line(t)); o["event"] != "message" || o["pubsub"] != "MyApp.PubSub" || o["topic"] != "orders" || o["term"] != want {
			t.Errorf("%v, want %s", o, want)
		}
		for _, node := range []*running{a, b} {
			if got := node.line(t); got != "message orders "+want {
				t.Errorf("%q, want %s", got, want)
			}
		}
	}
	for _, request := range []string{"hello", "{broadcast, t, x}", "{broadcast, t}"} {
		if got := command(t, visit("call", "a@127.0.0.1", "Elixir.MyApp.PubSub", request)...).ok(t); got != "{error,badarg}\n" {
			t.Errorf("%s: %q", request, got)
		}
	}
	if left := listener.end(); left.code != exitOK || left.out != "" || left.err != "" {
		t.Errorf("interrupted: %+v", left)
	}
	lost := begin(t, visit("pubsub", "listen", "a@127.0.0.1", "MyApp.PubSub/orders")...)
	lost.line(t)
	lost.line(t)
	a.end()
	left := <-lost.result
	left.fails(t, exitFailed, "cannot listen any more: a@127.0.0.1 is gone")
}

// TestListenFindsNodes: a node that joins the cluster is listened to.
func TestListenFindsNodes(t *testing.T) {
	epmd := serveEpmd(t)
	t.Setenv("TRUSS_COOKIE", cookie)
	node := []string{"node", "--listen", "127.0.0.1", "--epmd", epmd, "--pubsub", "P/t"}
	a := begin(t, append(node, "--name", "a@127.0.0.1")...)
	a.line(t)
	listener := begin(t, "pubsub", "listen", "a@127.0.0.1", "P/t", "--epmd", epmd, "--name", "ear")
	if got := listener.line(t); got != "listening a@127.0.0.1" {
		t.Fatalf("%q", got)
	}
	b := begin(t, append(node, "--name", "b@127.0.0.1", "--dns", "a@demo.test", "--dns-server", serveDNS(t), "--dns-type", "a")...)
	b.linesWith(t, "ready ", "nodeup ")
	if got := listener.line(t); got != "listening b@127.0.0.1" {
		t.Errorf("%q", got)
	}
	a.linesWith(t, "nodeup b@127.0.0.1")
	until(t, []string{"call", "b@127.0.0.1", "Elixir.P", "nodes", "--epmd", epmd}, "ear@127.0.0.1")
	command(t, "call", "b@127.0.0.1", "Elixir.P", `{broadcast, <<"t">>, hello}`, "--epmd", epmd).ok(t)
	if got := listener.line(t); got != "message t hello" {
		t.Errorf("%q", got)
	}
}

// TestScopesFunctions are pg's as Erlang has them, with and without the scope.
func TestScopesFunctions(t *testing.T) {
	node, _ := startNode(t, "app@127.0.0.1")
	s := newScopes(node)
	if err := node.Export("pg", s.functions()); err != nil {
		t.Fatal(err)
	}
	jobs, err := s.start("jobs")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.start("jobs"); err != nil || again != jobs {
		t.Errorf("started again: %v, %v", again, err)
	}
	if err := jobs.Join(etf.Atom("g"), node.Whereis("echo").PID()); err != nil {
		t.Fatal(err)
	}
	member := "[" + node.Whereis("echo").PID().String() + "]"
	for _, tt := range []struct{ function, args, want string }{
		{"which_groups", "[jobs]", "[g]"},
		{"which_local_groups", "[jobs]", "[g]"},
		{"get_members", "[jobs, g]", member},
		{"get_local_members", "[jobs, g]", member},
		{"get_members", "[jobs, nobody]", "[]"},
		{"which_groups", "[]", "{badrpc,{'EXIT',{badarg,"},
		{"get_members", "[g]", "{badrpc,{'EXIT',{badarg,"},
		{"which_groups", "[1]", "{badrpc,{'EXIT',{badarg,"},
		{"which_groups", "[jobs, g]", "{badrpc,{'EXIT',{undef,"},
		{"get_members", "[]", "{badrpc,{'EXIT',{undef,"},
	} {
		request, err := etf.Parse(fmt.Sprintf("{call, pg, %s, %s, user}", tt.function, tt.args))
		if err != nil {
			t.Fatal(err)
		}
		reply, err := truss.Call[etf.Term](t.Context(), node, "rex", request)
		if got := etf.Format(reply); err != nil || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s%s: %s, %v, want %s", tt.function, tt.args, got, err, tt.want)
		}
	}
}
