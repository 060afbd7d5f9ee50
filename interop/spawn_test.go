package interop

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
)

// argumentError is a Go error that Elixir rescues as its own.
type argumentError struct{ text string }

func (e argumentError) Error() string { return e.text }

func (e argumentError) MarshalTerm() (etf.Term, error) {
	return etf.Map{
		{Key: etf.Atom("__struct__"), Value: etf.Atom("Elixir.ArgumentError")},
		{Key: etf.Atom("__exception__"), Value: true},
		{Key: etf.Atom("message"), Value: e.text},
	}, nil
}

// goFunctions are what the BEAMs of these tests spawn.
func goFunctions() truss.Funcs {
	return truss.Funcs{
		"tell": func(ctx context.Context, p *truss.Process, to etf.Pid, what truss.Message) error {
			return p.Send(ctx, to, etf.Tuple{p.PID(), what})
		},
		"wait": func(ctx context.Context) { <-ctx.Done() },
		// trap tells to of the exit signal that it gets.
		"trap": func(ctx context.Context, p *truss.Process, to etf.Pid) error {
			p.TrapExit(true)
			if err := p.Send(ctx, to, p.PID()); err != nil {
				return err
			}
			m, err := p.Receive(ctx)
			if err != nil {
				return err
			}
			return p.Send(ctx, to, m)
		},
		"leader": func(ctx context.Context, p *truss.Process, to etf.Pid) error {
			return p.Send(ctx, to, p.GroupLeader())
		},
		"count": func(ctx context.Context, p *truss.Process, to etf.Pid, what ...etf.Term) error {
			return p.Send(ctx, to, len(what))
		},
		"fail":  func(text string) error { return errors.New(text) },
		"raise": func(text string) error { return argumentError{text} },
		"throw": func(t etf.Term) error { return &truss.Exception{Class: truss.ClassThrow, Reason: t} },
		"leave": func(t etf.Term) error { return &truss.ExitError{Reason: t} },
		"index": func(i int) int { return []int{1}[i] },
	}
}

func exportGo(t *testing.T, n *truss.Node) {
	t.Helper()
	for _, module := range []string{"go", "Elixir.Go"} {
		if err := n.Export(module, goFunctions()); err != nil {
			t.Fatal(err)
		}
	}
}

const (
	thatDown = ", receive {'DOWN', Ref, process, Pid, Reason} -> Reason after 10000 -> nothing end"
	thatExit = ", receive {'EXIT', Pid, Reason} -> Reason after 10000 -> nothing end"
	thatTold = ", receive {Pid, What} -> What after 10000 -> nothing end"
)

// TestTheySpawn has the BEAM start Go functions in every way it knows.
func TestTheySpawn(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, beam.Options{}, truss.Config{})
		exportGo(t, p.node)
		for _, c := range []struct{ expr, want string }{
			// The first connects.
			{"Pid = spawn(Go, go, tell, [self(), {a, <<1>>}])" + thatTold, "{a,<<1>>}"},
			{"Pid = spawn(Go, fun() -> go:tell(self(), x) end), Ref = monitor(process, Pid), receive {'DOWN', Ref, _, _, noproc} -> ok; {'DOWN', Ref, _, _, {{badfun, F}, _}} when is_function(F) -> ok; Other -> Other end", "ok"},
			{"{Pid, Ref} = erlang:spawn_monitor(Go, erlang, apply, [fun go:fail/1, [<<\"why\">>]])" + thatDown, `{<<"why">>,[{go,fail,1,[]}]}`},
			{"{Pid, Ref} = spawn_monitor(Go, go, wait, []), exit(Pid, enough)" + thatDown, "enough"},
			{"{Pid, Ref} = spawn_monitor(Go, go, tell, [self(), x])" + thatDown, "normal"},
			{"{Pid, Ref} = spawn_monitor(Go, go, tell, [])" + thatDown, "{undef,[{go,tell,[],[]}]}"},
			{"{Pid, Ref} = spawn_monitor(Go, nothing, here, [\"abc\"])" + thatDown, `{undef,[{nothing,here,["abc"],[]}]}`},
			{"{Pid, Ref} = spawn_monitor(Go, go, fail, [1])" + thatDown, "{function_clause,[{go,fail,[1],[]}]}"},
			{"{Pid, Ref} = spawn_monitor(Go, go, throw, [ball])" + thatDown, "{{nocatch,ball},[{go,throw,1,[]}]}"},
			{"{Pid, Ref} = spawn_monitor(Go, go, leave, [{a, b}])" + thatDown, "{a,b}"},
			{"{Pid, Ref} = spawn_monitor(Go, fun go:wait/0), exit(Pid, kill)" + thatDown, "killed"},
			{"{Pid, Ref} = spawn_monitor(Go, erlang, apply, [fun go:fail/1, []])" + thatDown, "{{badarity,{fun go:fail/1,[]}},[]}"},
			{"{Pid, Ref} = spawn_monitor(Go, fun() -> 1 end), {{badfun, F}, []} = receive {'DOWN', Ref, _, _, R} -> R end, is_function(F, 0)", "true"},

			{"process_flag(trap_exit, true), Pid = spawn_link(Go, go, leave, [bye])" + thatExit, "bye"},
			{"process_flag(trap_exit, true), Pid = spawn_link(Go, fun go:wait/0), exit(Pid, kill)" + thatExit, "killed"},
			{"process_flag(trap_exit, true), Pid = spawn_link(Go, no, such, [])" + thatExit, "{undef,[{no,such,[],[]}]}"},
			{"Me = self(), spawn(fun() -> spawn_link(Go, go, trap, [Me]), receive after 50 -> exit(my_end) end end), Pid = receive P when is_pid(P) -> P end, receive {'EXIT', _, Reason} -> Reason after 10000 -> nothing end", "my_end"},
			// spawn_request with whatever an Erlang sends, or keeps to itself.
			{"Id = spawn_request(Go, go, wait, [], [link, monitor, {reply_tag, tag}]), receive {tag, Id, ok, Pid} -> unlink(Pid), exit(Pid, kill) end, receive {'DOWN', Id, process, Pid, R} -> R end", "killed"},
			{"Id = spawn_request(Go, go, wait, [], [monitor, {priority, high}, {fullsweep_after, 1}, {min_heap_size, 300}, {min_bin_vheap_size, 300}, {max_heap_size, #{size => 0}}, {message_queue_data, off_heap}]), receive {spawn_reply, Id, ok, Pid} -> exit(Pid, x) end, receive {'DOWN', Id, process, Pid, R} -> R end", "x"},
			{"Id = spawn_request(Go, go, wait, [], [nonsense]), receive {spawn_reply, Id, error, R} -> R after 10000 -> nothing end", "badopt"},
			{"Id = spawn_request(Go, go, tell, [self(), hi], [{reply, error_only}]), receive {_, hi} -> ok; Other -> Other after 10000 -> nothing end", "ok"},
			// It may be ended before it traps exits, and says nothing then.
			{"(fun Try(0) -> never; Try(N) -> Id = spawn_request(Go, go, trap, [self()], [link]), true = spawn_request_abandon(Id), receive P when is_pid(P) -> receive {'EXIT', _, R} -> R after 10000 -> nothing end; {spawn_reply, _, _, P} -> replied after 1000 -> Try(N - 1) end end)(10)", "abandoned"},
			{"Pid = spawn_opt(Go, go, tell, [self(), opt], [{priority, low}])" + thatTold, "opt"},
			{"{Pid, Ref} = spawn_opt(Go, go, leave, [opt], [monitor])" + thatDown, "opt"},

			{"Pid = proc_lib:spawn(Go, go, tell, [self(), lib])" + thatTold, "lib"},
			{"Pid = proc_lib:spawn(Go, fun go:wait/0), Ref = monitor(process, Pid), exit(Pid, x)" + thatDown, "x"},
			{"process_flag(trap_exit, true), Pid = proc_lib:spawn_link(Go, go, leave, [lib])" + thatExit, "lib"},
			{"{Pid, Ref} = proc_lib:spawn_opt(Go, go, fail, [<<\"lib\">>], [monitor])" + thatDown, `{<<"lib">>,[{go,fail,1,[]}]}`},
			{"{Pid, Ref} = proc_lib:spawn_opt(Go, go, nothing, [], [monitor])" + thatDown, "{undef,[{go,nothing,[],[]}]}"},

			{"spawn(Go, go, leader, [self()]), receive P -> P =:= group_leader() after 10000 -> nothing end", "true"},
			{"Pid = spawn(Go, go, wait, []), group_leader(self(), Pid), net_adm:ping(Go)", "pong"},
			{"spawn(Go, go, count, [self() | lists:seq(1, 254)]), receive N -> N after 10000 -> nothing end", "254"},
			{"{Pid, Ref} = spawn_monitor(Go, go, count, lists:seq(1, 255)), {function_clause, _} = receive {'DOWN', Ref, _, _, R} -> R end, ok", "ok"},
			{"[spawn(Go, go, tell, [self(), N]) || N <- lists:seq(1, 300)], lists:sort([receive {_, N} -> N after 10000 -> nothing end || _ <- lists:seq(1, 300)]) =:= lists:seq(1, 300)", "true"},
		} {
			if got := p.beam.MustEval(t, "Go = 'go@127.0.0.1', "+c.expr); got != c.want {
				t.Errorf("%s gives %s, want %s", c.expr, got, c.want)
			}
		}
	})
}

// TestTheySeeAPanic: what a panic looks like to Erlang's printers, which take the
// stack apart.
func TestTheySeeAPanic(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		exportGo(t, p.node)
		got := p.beam.MustEval(t, `{_, Ref} = spawn_monitor('go@127.0.0.1', go, index, [5]),
			{Reason, Stack} = receive {'DOWN', Ref, process, _, R} -> R end,
			unicode:characters_to_binary(erl_error:format_exception(error, Reason, Stack))`)
		for _, part := range []string{
			"{go_panic,<<\\\"runtime error: index out of range [5] with length 1\\\">>}",
			"in function  'github.com/truss-beam/truss/interop':'goFunctions.func", "/0 (interop/spawn_test.go", // and the line: after a comma, or a colon in 29
		} {
			if !strings.Contains(got, part) {
				t.Errorf("%s lacks %s", got, part)
			}
		}
		if got := p.beam.MustEval(t, "net_adm:ping('go@127.0.0.1')"); got != "pong" {
			t.Error(got)
		}
	})
}

// TestElixirSpawns: Node.spawn and its kin, and how Elixir words the ends.
func TestElixirSpawns(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{Elixir: true}, truss.Config{})
		exportGo(t, p.node)
		const reason = `; r = receive do {:DOWN, ^ref, _, _, r} -> r after 10_000 -> :nothing end; Exception.format_exit(r)`
		for _, c := range []struct{ code, want string }{
			{`pid = Node.spawn(go, Go, :tell, [self(), 1]); receive do {^pid, n} -> n after 10_000 -> nil end`, "1"},
			{`pid = Node.spawn(go, &Go.wait/0); ref = Process.monitor(pid); Process.exit(pid, :kill); receive do {:DOWN, ^ref, _, _, r} -> r after 10_000 -> nil end`, ":killed"},
			{`Process.flag(:trap_exit, true); pid = Node.spawn_link(go, Go, :leave, [:bye]); receive do {:EXIT, ^pid, r} -> r after 10_000 -> nil end`, ":bye"},
			{`{pid, ref} = Node.spawn_monitor(go, Go, :leave, [:bye]); receive do {:DOWN, ^ref, _, ^pid, r} -> r after 10_000 -> nil end`, ":bye"},
			{`{_, ref} = Node.spawn_monitor(go, Go, :raise, ["wrong"])` + reason, `an exception was raised:\n    ** (ArgumentError) wrong\n        Go.raise/1`},
			{`{_, ref} = Node.spawn_monitor(go, Go, :fail, ["wrong"])` + reason, `an exception was raised:\n    ** (ErlangError) Erlang error: \"wrong\"\n        Go.fail/1`},
			{`{_, ref} = Node.spawn_monitor(go, Go, :no, [])` + reason, `an exception was raised:\n    ** (UndefinedFunctionError) function Go.no/0 is undefined (module Go is not available)`},
			{`{_, ref} = Node.spawn_monitor(go, Go, :fail, [:atom])` + reason, `** (FunctionClauseError) no function clause matching in Go.fail/1`},
			{`{_, ref} = Node.spawn_monitor(go, Go, :throw, [:ball])` + reason, `** (ErlangError) Erlang error: {:nocatch, :ball}`},
			{`{_, ref} = Node.spawn_monitor(go, Go, :index, [7])` + reason, `interop/spawn_test.go:`},
		} {
			if got := p.beam.MustEvalElixir(t, "go = :\"go@127.0.0.1\"; "+c.code); !strings.Contains(got, c.want) {
				t.Errorf("%s gives %s, want %s", c.code, got, c.want)
			}
		}
	})
}

// TestWeSpawn starts functions on the BEAM.
func TestWeSpawn(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, beam.Options{}, truss.Config{})
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		done := make(chan struct{})
		spawn(t, p.node, func(_ context.Context, self *truss.Process) error {
			defer close(done)
			self.TrapExit(true)
			weSpawn(t, ctx, p, self)
			return nil
		})
		<-done
	})
}

func weSpawn(t *testing.T, ctx context.Context, p pair, self *truss.Process) {
	ask := func(module, function string, args ...any) truss.SpawnRequest {
		return truss.SpawnRequest{Node: p.beam.Name, Module: module, Function: function, Args: args}
	}
	start := func(r truss.SpawnRequest) truss.Child {
		child, err := self.SpawnRemote(ctx, r)
		if err != nil || string(child.PID.Node) != p.beam.Name {
			t.Errorf("%s:%s: %v, %v", r.Module, r.Function, child.PID, err)
		}
		return child
	}
	next := func() etf.Term {
		limited, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		m, err := self.Receive(limited)
		if err != nil {
			return etf.Atom("nothing")
		}
		term, err := m.Term()
		if err != nil {
			return err
		}
		return term
	}

	start(ask("erlang", "send", self.PID(), etf.Atom("hello"))) // it connects
	if got := next(); got != etf.Term(etf.Atom("hello")) {
		t.Errorf("a spawned process sends %v", got)
	}
	for _, test := range []struct {
		r      truss.SpawnRequest
		reason string // begins with
	}{
		{ask("timer", "sleep", 1), "normal"},
		{ask("erlang", "exit", etf.Atom("bye")), "bye"},
		{ask("erlang", "nothing", 1), "{undef,[{erlang,nothing,[1],[]}"},
		{ask("erlang", "error", etf.Atom("oops")), "{oops,["},
		{ask("erlang", "apply", etf.Export{Module: "erlang", Function: "exit", Arity: 1}, etf.List{etf.Atom("applied")}), "applied"},
	} {
		test.r.Link, test.r.Monitor = true, true
		test.r.Options = etf.List{etf.Tuple{etf.Atom("priority"), etf.Atom("high")}}
		child := start(test.r)
		var exit truss.Exit
		var down truss.Down
		for range 2 {
			switch signal := next().(type) {
			case truss.Exit:
				exit = signal
			case truss.Down:
				down = signal
			}
		}
		if exit.From != child.PID || !strings.HasPrefix(etf.Format(exit.Reason), test.reason) {
			t.Errorf("%s: exit of %v: %s", test.r.Function, exit.From, etf.Format(exit.Reason))
		}
		if down.Ref != child.Ref || down.Object != child.PID || !strings.HasPrefix(etf.Format(down.Reason), test.reason) {
			t.Errorf("%s: down of %v: %s", test.r.Function, down.Object, etf.Format(down.Reason))
		}
	}

	bad := ask("timer", "sleep", 1)
	bad.Options = etf.List{etf.Atom("nonsense")}
	var refused *truss.SpawnError
	if _, err := self.SpawnRemote(ctx, bad); !errors.As(err, &refused) || refused.Reason != "badopt" {
		t.Errorf("a bad option: %v", err)
	}

	// A child linked to us ends with us, and one that we exit with what we say.
	linked := ask("timer", "sleep", etf.Atom("infinity"))
	linked.Link = true
	child := start(linked)
	if err := self.Exit(ctx, child.PID, etf.Atom("enough")); err != nil {
		t.Error(err)
	}
	if exit, _ := next().(truss.Exit); exit.From != child.PID || exit.Reason != etf.Term(etf.Atom("enough")) {
		t.Errorf("%v", exit)
	}
	pids := make(chan etf.Pid, 1)
	spawn(t, p.node, func(ctx context.Context, parent *truss.Process) error {
		child, err := parent.SpawnRemote(ctx, linked)
		if err != nil {
			t.Error(err)
		}
		ref, err := self.Monitor(ctx, child.PID)
		if err != nil || ref == (etf.Ref{}) {
			t.Error(err)
		}
		pids <- child.PID
		return &truss.ExitError{Reason: etf.Atom("parent_ends")}
	})
	orphan := <-pids
	if down, _ := next().(truss.Down); down.Object != orphan || down.Reason != etf.Term(etf.Atom("parent_ends")) {
		t.Errorf("the child of a process that ended: %v", down)
	}
}

// TestWeAbandon: the BEAM is stopped while we ask, so that its answer comes after
// we have given up: the linked child is ended, with abandoned, and none of its
// signals reaches us.
func TestWeAbandon(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		// What it spawns for us tells a process of its own how it ends.
		judge := p.beam.Spawn()
		judge.MustEval(t, "register(judge, self())")
		p.beam.Load(t, `-module(late).
-export([trap/1]).
trap(Name) -> process_flag(trap_exit, true), Name ! self(), receive {'EXIT', _, Reason} -> Name ! {self(), Reason} end.
`)
		done := make(chan struct{})
		spawn(t, p.node, func(ctx context.Context, self *truss.Process) error {
			defer close(done)
			self.TrapExit(true)
			ends := "nothing"
			for range 5 { // a child that is ended before it traps exits says nothing
				if ends = weAbandon(t, ctx, p, self, judge); ends != "nothing" {
					break
				}
			}
			if ends != "abandoned" {
				t.Errorf("the child ends with %s", ends)
			}
			// Its signals would be here before this.
			if err := p.node.Ping(ctx, p.beam.Name); err != nil {
				t.Error(err)
			}
			gone, cancel := context.WithCancel(ctx)
			cancel()
			if m, err := self.Receive(gone); err == nil {
				t.Errorf("the requester gets %v", m)
			}
			return nil
		})
		<-done
	})
}

// weAbandon returns what the child ends with.
func weAbandon(t *testing.T, ctx context.Context, p pair, self *truss.Process, judge *beam.Process) string {
	ask := func(r truss.SpawnRequest) error {
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		r.Node = p.beam.Name
		_, err := self.SpawnRemote(short, r)
		return err
	}
	p.beam.Pause(t)
	// Not all threads of a BEAM stop at the same instant.
	eventually(t, "the BEAM does not answer", func() bool {
		return ask(truss.SpawnRequest{Module: "erlang", Function: "self"}) != nil
	})
	err := ask(truss.SpawnRequest{Module: "late", Function: "trap", Args: []any{etf.Atom("judge")}, Link: true, Monitor: true})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("asking a node that is stopped: %v", err)
	}
	p.beam.Resume(t)
	return judge.MustEval(t, "(fun() -> receive P when is_pid(P) -> receive {P, R} -> R after 10000 -> lives end after 2000 -> nothing end end)()")
}
