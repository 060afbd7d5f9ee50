package interop

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/truss-beam/truss/internal/beam"
)

// TestCLICitizen has truss node share names, groups and a PubSub with a BEAM, and
// the commands ask both of them the same.
func TestCLICitizen(t *testing.T) {
	built := buildTool(t)
	each(t, func(t *testing.T, release beam.Release) {
		port := release.StartEPMD(t)
		peer := release.Start(t, beam.Options{Name: "beam@127.0.0.1", EPMD: port, Kernel: map[string]string{"start_pg": "true"}})
		peer.Load(t, pubsubModule)
		peer.MustEval(t, `pubsub_peer:start(`+adapter+`, 1), pubsub_peer:subscribe(s, <<"orders">>, nil)`)
		cli := built.at(port)
		node := cli.begin(t, "node", "--name", "go@127.0.0.1", "--listen", "127.0.0.1", "--epmd", strconv.Itoa(port),
			"--global", "calc", "--pg", "pg/workers", "--pubsub", "MyApp.PubSub/orders", "--region", "syd")
		if got := node(); got != "ready go@127.0.0.1" {
			t.Fatalf("truss node prints %q", got)
		}
		if got := peer.MustEval(t, "{net_adm:ping('go@127.0.0.1'), global:sync(), node(global:whereis_name(calc))}"); got != "{pong,ok,'go@127.0.0.1'}" {
			t.Fatalf("the BEAM has %s", got)
		}
		if got := node(); got != "nodeup beam@127.0.0.1" {
			t.Fatalf("truss node prints %q", got)
		}
		testTheySeeEcho(t, peer)
		testTheyTellTheSame(t, cli, peer)
		testPubSubCLI(t, cli, peer, node)
		testRegionsCLI(t, cli, peer)
		testCitizenErrors(t, cli, peer)
		// The visitors have left nothing, and harmed nobody.
		peer.Await(t, "{nodes(hidden), pubsub_peer:workers(), is_pid(whereis(pg)), length(pg:get_members('Elixir.Phoenix.PubSub', "+adapter+"))}", "{[],[true],true,2}")
	})
}

// testTheySeeEcho has the BEAM use the process echo by its global name and its group.
func testTheySeeEcho(t *testing.T, peer *beam.Node) {
	t.Helper()
	peer.Await(t, "[node(P) || P <- pg:get_members(workers)]", "['go@127.0.0.1']")
	for expr, want := range map[string]string{
		"gen_server:call({global, calc}, {a, [1]})":                      "{a,[1]}",
		"[gen_server:call(P, hello) || P <- pg:get_members(workers)]":    "[hello]",
		"rpc:call('go@127.0.0.1', global, registered_names, [])":         "[calc]",
		"rpc:call('go@127.0.0.1', pg, which_groups, [])":                 "[workers]",
		"length(rpc:call('go@127.0.0.1', pg, get_members, [workers]))":   "1",
		"element(1, rpc:call('go@127.0.0.1', pg, which_groups, [nope]))": "badrpc",
	} {
		if strings.Contains(expr, "rpc:call") {
			// By rex, which rpc:call goes around where erpc is there.
			expr = strings.NewReplacer("rpc:call('go@127.0.0.1', ", "gen_server:call({rex, 'go@127.0.0.1'}, {call, ", "])", "], user})").Replace(expr)
		}
		if got := peer.MustEval(t, expr); got != want {
			t.Errorf("%s\n gives %s, want %s", expr, got, want)
		}
	}
}

// testTheyTellTheSame wants the same names and groups from the BEAM and from truss
// node, with terms of all kinds.
func testTheyTellTheSame(t *testing.T, cli tool, peer *beam.Node) {
	t.Helper()
	peer.MustEval(t, `P = spawn(fun() -> receive stop -> ok end end),
		yes = global:register_name({shard, 1}, P), Q = spawn(fun() -> receive stop -> ok end end), yes = global:register_name(<<"text">>, Q),
		ok = pg:join(workers, P), ok = pg:join({shard, <<"1">>}, [P, P])`)
	for _, name := range []string{"beam@127.0.0.1", "go@127.0.0.1"} {
		awaitLines(t, cli, []string{"global", name}, "calc #Pid<'go@127.0.0.1'/", "{shard,1} #Pid<'beam@127.0.0.1'/", `<<"text">> #Pid<'beam@127.0.0.1'/`)
		awaitLines(t, cli, []string{"pg", name}, "workers #Pid<'beam@127.0.0.1'/", "workers #Pid<'go@127.0.0.1'/",
			`{shard,<<"1">>} #Pid<'beam@127.0.0.1'/`, `{shard,<<"1">>} #Pid<'beam@127.0.0.1'/`)
		awaitLines(t, cli, []string{"pg", name, "Elixir.Phoenix.PubSub"}, adapter+" #Pid<'beam@127.0.0.1'/", adapter+" #Pid<'go@127.0.0.1'/")
	}
}

// awaitLines repeats a command until it prints just these lines.
func awaitLines(t *testing.T, cli tool, args []string, prefixes ...string) {
	t.Helper()
	out := ""
	eventually(t, strings.Join(args, " ")+" prints "+strings.Join(prefixes, ", "), func() bool {
		out = cli.run(t, args...)
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		return slices.EqualFunc(lines, prefixes, strings.HasPrefix)
	})
}

// testPubSubCLI broadcasts from a visitor, from the BEAM and from truss node, to the
// BEAM, truss node and a listener.
func testPubSubCLI(t *testing.T, cli tool, peer *beam.Node, node func() string) {
	t.Helper()
	for _, name := range []string{"beam@127.0.0.1", "go@127.0.0.1"} {
		if got := cli.run(t, "pubsub", "broadcast", name, "MyApp.PubSub/orders", `{paid, [1, <<"x">>]}`); got != "sent beam@127.0.0.1\nsent go@127.0.0.1\n" {
			t.Errorf("%q", got)
		}
		if got := peer.MustEval(t, "pubsub_peer:collect(s, 1)"); got != `[{paid,[1,<<"x">>]}]` {
			t.Errorf("the BEAM's subscriber got %s", got)
		}
		if got := node(); got != `message orders {paid,[1,<<"x">>]}` {
			t.Errorf("truss node prints %q", got)
		}
	}
	cli.run(t, "pubsub", "broadcast", "beam@127.0.0.1", "MyApp.PubSub/orders", "#{text => hi}", "--event", "new")
	const event = `[{fastlane,#{event => <<"new">>,payload => #{text => hi},topic => <<"orders">>,'__struct__' => 'Elixir.Phoenix.Socket.Broadcast'}}]`
	if got := peer.MustEval(t, "pubsub_peer:collect(s, 1) =:= "+event); got != "true" {
		t.Error("the BEAM's subscriber got no Broadcast")
	}
	node()

	for _, visited := range []string{"beam@127.0.0.1", "go@127.0.0.1"} {
		t.Run("listen to "+visited, func(t *testing.T) { testListen(t, cli, peer, node, visited) })
	}
}

func testListen(t *testing.T, cli tool, peer *beam.Node, node func() string, visited string) {
	listener := cli.begin(t, "pubsub", "listen", visited, "MyApp.PubSub/orders", "--name", "ear")
	ready := []string{listener(), listener()}
	slices.Sort(ready)
	if !slices.Equal(ready, []string{"listening beam@127.0.0.1", "listening go@127.0.0.1"}) {
		t.Fatalf("%q", ready)
	}
	// A BEAM broadcasts to whom its scope has; truss node works that out beforehand.
	peer.Await(t, "lists:sort(gen_server:call({'Elixir.MyApp.PubSub', 'go@127.0.0.1'}, nodes))", "['beam@127.0.0.1','ear@127.0.0.1']")
	for from, expr := range map[string]string{
		"beam": `pubsub_peer:broadcast(` + adapter + `, <<"orders">>, {from, beam}, 'Elixir.Phoenix.PubSub')`,
		"go":   `gen_server:call({'Elixir.MyApp.PubSub', 'go@127.0.0.1'}, {broadcast, <<"orders">>, {from, go}})`,
	} {
		if got := peer.MustEval(t, expr); got != "ok" {
			t.Errorf("%s gives %s", expr, got)
		}
		if got := listener(); got != "message orders {from,"+from+"}" {
			t.Errorf("the listener prints %q", got)
		}
		if got := node(); got != "message orders {from,"+from+"}" {
			t.Errorf("truss node prints %q", got)
		}
		if from == "go" {
			if got := peer.MustEval(t, "pubsub_peer:collect(s, 1)"); got != "[{from,go}]" {
				t.Errorf("the BEAM's subscriber got %s", got)
			}
		}
	}
}

// testRegionsCLI asks before and after the BEAM has what stands in for Fly.RPC.
func testRegionsCLI(t *testing.T, cli tool, peer *beam.Node) {
	t.Helper()
	for _, region := range []string{"-", "fra"} {
		for _, name := range []string{peer.Name, "go@127.0.0.1"} {
			if got, want := cli.run(t, "regions", name), "beam@127.0.0.1 "+region+"\ngo@127.0.0.1 syd\n"; got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
		peer.Load(t, "-module('Elixir.Fly.RPC').\n-export([my_region/0]).\nmy_region() -> <<\"fra\">>.\n")
	}
	if got := peer.MustEval(t, "erpc:call('go@127.0.0.1', 'Elixir.Fly.RPC', my_region, [])"); got != `<<"syd">>` {
		t.Errorf("truss node says that it is in %s", got)
	}
}

// testCitizenErrors has what is not there.
func testCitizenErrors(t *testing.T, cli tool, peer *beam.Node) {
	t.Helper()
	for _, name := range []string{peer.Name, "go@127.0.0.1"} {
		for _, tt := range []struct {
			args []string
			want string
		}{
			{[]string{"pg", name, "nope"}, "cannot ask " + name + " for the groups of nope: there is no such scope"},
			{[]string{"pubsub", "broadcast", name, "Nope/t", "x"}, "no process is registered as 'Elixir.Nope.Adapter'"},
			{[]string{"pubsub", "listen", name, "Nope/t"}, "no process is registered as 'Elixir.Nope.Adapter'"},
			{[]string{"pubsub", "broadcast", name, "MyApp.PubSub/orders", "{a, tuple}", "--event", "x"}, "not a payload for Phoenix channels"},
		} {
			out, errs, err := cli.try(tt.args...)
			if err == nil || out != "" || !strings.Contains(errs, tt.want) || strings.Count(errs, "\n") != 1 {
				t.Errorf("truss %q: %v, standard output %q, standard error %q without %q", tt.args, err, out, errs, tt.want)
			}
		}
	}
}
