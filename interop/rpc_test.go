package interop

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
	"github.com/truss-beam/truss/rpc"
)

// rpcPair is a BEAM and a Truss node that serves rpc, with module go.
func rpcPair(t *testing.T, release beam.Release) pair {
	t.Helper()
	p := startPair(t, release, beam.Options{Elixir: true}, truss.Config{})
	if err := rpc.Start(p.node); err != nil {
		t.Fatal(err)
	}
	exportGo(t, p.node)
	if err := p.node.Export("calc", truss.Funcs{"add": func(a, b int64) int64 { return a + b }}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.node.Spawn(answerer, truss.Registered("answerer")); err != nil {
		t.Fatal(err)
	}
	connect(t, p.node, p.beam.Name)
	return p
}

// answerer answers {Pid, T} with {answerer, Node, T}.
func answerer(ctx context.Context, p *truss.Process) error {
	for {
		m, err := p.Receive(ctx)
		if err != nil {
			return err
		}
		parts, err := m.Elements()
		var from etf.Pid
		if err != nil || parts[0].Unmarshal(&from) != nil {
			continue
		}
		if err := p.Send(ctx, from, etf.Tuple{etf.Atom("answerer"), etf.Atom(p.Node().Name()), parts[1]}); err != nil {
			return err
		}
	}
}

// TestTheyCallByRPC has the BEAM use every function of erpc and rpc on Go's.
func TestTheyCallByRPC(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := rpcPair(t, release)
		const caught = "try %s catch C:R -> {C, R} end"
		for _, c := range []struct{ expr, want string }{
			{"erpc:call(Go, calc, add, [1, 2])", "3"},
			{"erpc:call(Go, calc, add, [1, 2], 5000)", "3"},
			{"erpc:call(Go, go, fail, [<<\"why\">>])", `{error,{exception,<<"why">>,[{go,fail,1,[]}]}}`},
			{"erpc:call(Go, go, throw, [ball])", "{throw,ball}"},
			{"erpc:call(Go, go, leave, [{a, b}])", "{exit,{exception,{a,b}}}"},
			{"erpc:call(Go, no, such, [x])", "{error,{exception,undef,[{no,such,[x],[]}]}}"},
			{"erpc:call(Go, go, fail, [1])", "{error,{exception,function_clause,[{go,fail,[1],[]}]}}"},
			{"erpc:call(Go, go, wait, [], 50)", "{error,{erpc,timeout}}"},
			{"erpc:call(Go, go, count, lists:seq(1, 300))", "{error,{erpc,system_limit}}"},
			{"try erpc:call(Go, fun() -> 1 end) catch error:{exception, {badfun, F}, _} -> is_function(F, 0) end", "true"},
			{"erpc:call(Go, erlang, apply, [fun calc:add/2, [1, 2]])", "3"},
			{"erpc:call('nobody@127.0.0.1', calc, add, [1, 2])", "{error,{erpc,noconnection}}"},
			{"erpc:cast(Go, go, tell, [self(), hi]), receive {_, hi} -> told after 10000 -> nothing end", "told"},
			{"erpc:multicast([Go, Go], go, tell, [self(), hi]), [receive {_, hi} -> told after 10000 -> nothing end || _ <- [1, 2]]", "[told,told]"},
			{"[A, {error, {exception, undef, _}}, A] = erpc:multicall([Go, node(), Go], calc, add, [1, 2]), A", "{ok,3}"},
			{"erpc:multicall([Go, Go], calc, add, [1, 2])", "[{ok,3},{ok,3}]"},
			{"erpc:receive_response(erpc:send_request(Go, calc, add, [3, 4]))", "7"},
			{"erpc:wait_response(erpc:send_request(Go, go, wait, []), 50)", "no_response"},
			{"Reqs = erpc:send_request(Go, calc, add, [3, 4], seven, erpc:send_request(Go, calc, add, [1, 1], two, erpc:reqids_new())), {A, La, R1} = erpc:receive_response(Reqs, 10000, true), {{response, B}, Lb, R2} = erpc:wait_response(R1, 10000, true), {lists:sort([{A, La}, {B, Lb}]), erpc:wait_response(R2, 0, true)}", "{[{2,two},{7,seven}],no_request}"},
			{"rpc:call(Go, calc, add, [1, 2])", "3"},
			{"rpc:call(Go, go, fail, [<<\"why\">>])", `{badrpc,{'EXIT',{<<"why">>,[{go,fail,1,[]}]}}}`},
			{"rpc:call(Go, go, throw, [ball])", "ball"},
			{"rpc:call(Go, go, leave, [bye])", "{badrpc,{'EXIT',bye}}"},
			{"rpc:call(Go, go, wait, [], 50)", "{badrpc,timeout}"},
			{"rpc:block_call(Go, calc, add, [1, 2])", "3"},
			{"rpc:block_call(Go, no, such, [])", "{badrpc,{'EXIT',{undef,[{no,such,[],[]}]}}}"},
			{"rpc:cast(Go, go, tell, [self(), hi]), receive {_, hi} -> told after 10000 -> nothing end", "told"},
			{"rpc:multicall([Go, 'nobody@127.0.0.1'], calc, add, [1, 2])", "{[3],['nobody@127.0.0.1']}"},
			{"rpc:yield(rpc:async_call(Go, calc, add, [1, 2]))", "3"},
			{"rpc:pmap({calc, add}, [1], [])", "[]"},
			{"rpc:sbcast([Go], nobody, hi)", "{[],['go@127.0.0.1']}"},
			{"rpc:sbcast([Go], echo, hi)", "{[],['go@127.0.0.1']}"},
			{"rpc:sbcast([Go], answerer, hi)", "{['go@127.0.0.1'],[]}"},
			{"rpc:multi_server_call([Go], answerer, hi)", "{[hi],[]}"},
			{"rpc:server_call(Go, answerer, answerer, hi)", "hi"},
			{"{rex, Go} ! {self(), features_request}, receive F -> F after 10000 -> nothing end", "{features_reply,'go@127.0.0.1',[erpc]}"},
			{"{rex, Go} ! {self(), {call, calc, add, [1, 2], user}}, receive F -> F after 10000 -> nothing end", "{rex,3}"},
		} {
			if got := p.beam.MustEval(t, "Go = 'go@127.0.0.1', "+fmt.Sprintf(caught, c.expr)); got != c.want {
				t.Errorf("%s gives %s, want %s", c.expr, got, c.want)
			}
		}
		// A panic, with Elixir's eyes.
		got := p.beam.MustEvalElixir(t, `try do :erpc.call(:"go@127.0.0.1", Go, :index, [7]) rescue e -> Exception.message(e) <> inspect(__STACKTRACE__) end`)
		if !strings.Contains(got, "index out of range [7]") {
			t.Error(got)
		}
	})
}

// TestWeCallByRPC uses every function of package rpc on the BEAM's.
func TestWeCallByRPC(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := rpcPair(t, release)
		ctx := within(t)
		ask := func(module, function string, args ...any) string {
			value, err := rpc.Call[etf.Term](ctx, p.node, p.beam.Name, module, function, args...)
			if err != nil {
				return err.Error()
			}
			return etf.Format(value)
		}
		for _, c := range []struct{ got, want string }{
			{ask("lists", "sort", etf.List{3, 1, 2}), "[1,2,3]"},
			{ask("erlang", "throw", etf.Atom("ball")), "rpc: erlang:throw/1 on beam@127.0.0.1: throw ball"},
			{ask("erlang", "exit", etf.Atom("bye")), "rpc: erlang:exit/1 on beam@127.0.0.1: exit bye"},
			{ask("erlang", "error", etf.Atom("bad")), "rpc: erlang:error/1 on beam@127.0.0.1: error bad"},
			{ask("no", "such", 1), "rpc: no:such/1 on beam@127.0.0.1: error undef"},
			{ask("Elixir.String", "upcase", "fly"), `<<"FLY">>`},
			{ask("Elixir.String", "to_integer", "fly"), "rpc: String.to_integer/1 on beam@127.0.0.1: error badarg"},
			{ask("Elixir.Kernel", "struct!", etf.Atom("Elixir.URI"), etf.Map{{Key: etf.Atom("no"), Value: 1}}), "rpc: Kernel.struct!/2 on beam@127.0.0.1: error "},
		} {
			if !strings.HasPrefix(c.got, c.want) {
				t.Errorf("%s, want %s", c.got, c.want)
			}
		}
		_, err := rpc.Call[etf.Term](ctx, p.node, p.beam.Name, "lists", "map", etf.Export{Module: "erlang", Function: "atom_to_list", Arity: 1}, etf.List{1})
		var failed *rpc.RemoteError
		if !errors.As(err, &failed) || failed.Class != truss.ClassError || failed.Reason != etf.Term(etf.Atom("badarg")) ||
			!strings.Contains(failed.StackTrace(), "erlang:atom_to_list/1(1)") || !strings.Contains(failed.StackTrace(), "lists:map/2\n\tlists.erl:") {
			t.Errorf("%+v", err)
		}
		weCallSlowly(t, ctx, p)

		if n, err := rpc.BlockCall[int](ctx, p.node, p.beam.Name, "erlang", "length", etf.List{1, 2}); n != 2 || err != nil {
			t.Error(n, err)
		}
		if _, err := rpc.BlockCall[int](ctx, p.node, p.beam.Name, "erlang", "length", 1); !errors.As(err, &failed) || failed.Reason != etf.Term(etf.Atom("badarg")) || len(failed.Stack) == 0 {
			t.Errorf("%+v", err)
		}
		values, bad := rpc.Multicall[int64](ctx, p.node, []string{p.node.Name(), p.beam.Name, "nobody@127.0.0.1"}, "calc", "add", 1, 2)
		if values[p.node.Name()] != 3 || len(bad) != 2 || !errors.As(bad[p.beam.Name], &failed) || !errors.Is(bad["nobody@127.0.0.1"], truss.ErrNoConnection) {
			t.Error(values, bad)
		}
		p.beam.MustEval(t, "register(answerer, spawn(fun F() -> receive {From, M} -> From ! {answerer, node(), M}, F(); hi -> F() end end))")
		replies, bad := rpc.MultiServerCall[int](ctx, p.node, nil, "answerer", 7)
		if len(replies) != 2 || replies[p.beam.Name] != 7 || len(bad) != 0 {
			t.Error(replies, bad)
		}
		good, bad := rpc.SBcast(ctx, p.node, nil, "answerer", etf.Atom("hi"))
		if len(good) != 2 || len(bad) != 0 {
			t.Error(good, bad)
		}
		if _, bad := rpc.SBcast(ctx, p.node, []string{p.beam.Name}, "nobody", 1); !errors.Is(bad[p.beam.Name], truss.ErrNoProcess) {
			t.Error(bad)
		}
		err = p.node.Visit(func(self *truss.Process) error {
			if err := rpc.Cast(ctx, self, p.beam.Name, "erlang", "send", self.PID(), etf.Atom("hi")); err != nil {
				return err
			}
			m, err := self.Receive(ctx)
			if m.Tag() != "hi" {
				t.Error(m)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// weCallSlowly: calls that end before their result is there.
func weCallSlowly(t *testing.T, ctx context.Context, p pair) {
	t.Helper()
	// Giving up demonitors, and leaves what was called alone.
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	_, err := rpc.Call[etf.Term](short, p.node, p.beam.Name, "timer", "sleep", 20000)
	if !errors.Is(err, context.DeadlineExceeded) || rpc.NotSent(err) {
		t.Error(err)
	}
	const sleepers = "[P || P <- processes(), {current_function, {timer, sleep, 1}} <- [process_info(P, current_function)]]"
	p.beam.Await(t, "[process_info(P, monitored_by) || P <- "+sleepers+"]", "[{monitored_by,[]}]")

	// A signal is told from an exit of its own.
	r := rpc.Go[etf.Term](ctx, p.node, p.beam.Name, "timer", "sleep", etf.Atom("infinity"))
	p.beam.Await(t, "length("+sleepers+")", "2")
	p.beam.MustEval(t, "[exit(P, enough) || P <- "+sleepers+"], ok")
	_, err = r.Result()
	var failed *rpc.RemoteError
	if !errors.As(err, &failed) || !failed.Signal || failed.Reason != etf.Term(etf.Atom("enough")) {
		t.Errorf("%+v", err)
	}
}
