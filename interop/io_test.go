package interop

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
)

// paper is a writer that tests read while others write.
type paper struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// take returns what was written since the last time.
func (p *paper) take() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.text.Reset()
	return p.text.String()
}

// TestTheyPrint: what a process that we start on a BEAM prints is printed here, as
// that release prints it.
func TestTheyPrint(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		var out paper
		p := connectedPair(t, release, beam.Options{}, truss.Config{Stdout: &out})
		p.beam.Load(t, `-module(prints). -export([run/1, crash/0]).
			run(Text) ->
				{ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(Text)),
				{ok, Exprs} = erl_parse:parse_exprs(Tokens),
				exit({value, element(2, erl_eval:exprs(Exprs, []))}).
			crash() -> error(badly).`)
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		for _, c := range []struct{ expr, result, want string }{
			{`io:format("hello~n")`, "ok", "hello\n"},
			{`io:format("~p ~w ~s ~ts ~b ~.3f ~c~n", [{a, "text"}, "ab", "x", [8594], 42, 1.5, $!])`, "ok", "{a,\"text\"} [97,98] x → 42 1.500 !\n"},
			{`io:format("~p~n", [fun lists:map/2])`, "ok", "fun lists:map/2\n"},
			{`io:format("~p~n", [lists:seq(1000, 1020)])`, "ok", "[1000,1001,1002,1003,1004,1005,1006,1007,1008,1009,1010,1011,1012,1013,1014,\n 1015,1016,1017,1018,1019,1020]\n"},
			{`io:put_chars([<<"sü"/utf8>>, 223, "\n"])`, "ok", "süß\n"},
			{`io:nl()`, "ok", "\n"},
			{`io:write({a, 1})`, "ok", "{a,1}"},
			{`io:requests([{put_chars, unicode, "a"}, nl, {format, "~s", ["b"]}])`, "ok", "a\nb"},
			{`catch io:format("~q", [1])`, "{'EXIT',{badarg,", ""},
			{`io:get_line("> ")`, "{error,enotsup}", ""},
			{`io:columns()`, "{error,enotsup}", ""},
			{`io:getopts()`, "{error,enotsup}", ""},
			{`io:setopts([binary])`, "{error,enotsup}", ""},
			{`io:fread("> ", "~d")`, "{error,enotsup}", ""},
		} {
			got := runThere(t, ctx, p, c.expr)
			if !strings.HasPrefix(got, "{value,"+c.result) {
				t.Errorf("%s returns %s, want %s", c.expr, got, c.result)
			}
			if printed := out.take(); printed != c.want {
				t.Errorf("%s prints %q, want %q", c.expr, printed, c.want)
			}
		}
	})
}

// runThere spawns prints:run(expr) on the BEAM for this node, and returns how it ends.
func runThere(t *testing.T, ctx context.Context, p pair, expr string) string {
	t.Helper()
	ended := make(chan string, 1)
	spawn(t, p.node, func(ctx context.Context, self *truss.Process) error {
		if _, err := self.SpawnRemote(ctx, truss.SpawnRequest{Node: p.beam.Name, Module: "prints", Function: "run", Args: []any{expr + "."}, Monitor: true}); err != nil {
			return err
		}
		m, err := self.Receive(ctx)
		if err != nil {
			return err
		}
		down, err := m.Term()
		if err != nil {
			return err
		}
		ended <- etf.Format(down.(truss.Down).Reason)
		return nil
	})
	select {
	case how := <-ended:
		return how
	case <-ctx.Done():
		t.Fatalf("%s does not end", expr)
		return ""
	}
}

// TestTheyCrash: the crash of a process that we started there is in our log, as
// that release words it.
func TestTheyCrash(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		epmd := release.StartEPMD(t)
		var log paper
		n, err := truss.Start(t.Context(), truss.Config{
			Name: "go@127.0.0.1", Listen: "127.0.0.1", Cookie: beam.DefaultCookie, Epmd: fmt.Sprintf("127.0.0.1:%d", epmd),
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Close() })
		peer := release.Start(t, beam.Options{Name: "beam@127.0.0.1", EPMD: epmd})
		peer.Load(t, crashes)
		for _, c := range []struct {
			function string
			want     []string
		}{
			{"plain", []string{"level=ERROR", `Error in process`, `on node 'beam@127.0.0.1' with exit value`, "{badly,", "origin=beam@127.0.0.1"}},
			{"otp", []string{"crasher:", "exception error: badly", "level=ERROR"}},
			{"logs", []string{`level=INFO msg="number 42"`, `level=WARN msg="what: report"`, `level=ERROR msg="told by callback"`, `level=ERROR msg="what: secret"`}},
		} {
			if _, err := n.SpawnRemote(t.Context(), truss.SpawnRequest{Node: peer.Name, Module: "crashes", Function: c.function}); err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				eventually(t, fmt.Sprintf("%s: %s is in the log", c.function, want), func() bool { return strings.Contains(log.String(), want) })
			}
		}
	})
}

const crashes = `-module(crashes). -export([plain/0, otp/0, logs/0, format_log/1]).
plain() -> error(badly).
otp() -> proc_lib:spawn(crashes, plain, []).
logs() ->
	logger:notice("number ~p", [42]),
	logger:warning(#{what => report}),
	logger:error(#{what => callback}, #{report_cb => fun crashes:format_log/1}),
	logger:error(#{what => secret}, #{report_cb => fun(_) -> {"not by this one", []} end}).
format_log(#{what := What}) -> {"told by ~ts", [What]}.`

// TestElixirPrints: IO.puts there is a line here; and a Go function that an Elixir
// process spawns prints to the group leader of that.
func TestElixirPrints(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		port := release.StartEPMD(t)
		var out paper
		n := start(t, truss.Config{Name: "go@127.0.0.1", Epmd: fmt.Sprintf("127.0.0.1:%d", port), Stdout: &out})
		peer := release.Start(t, beam.Options{Name: "my_app@127.0.0.1", EPMD: port, Elixir: true})
		connect(t, n, peer.Name)
		if _, err := n.SpawnRemote(t.Context(), truss.SpawnRequest{Node: peer.Name, Module: "Elixir.IO", Function: "puts", Args: []any{"süß →"}}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "IO.puts has printed", func() bool { return out.String() == "süß →\n" })
		if _, err := n.SpawnRemote(t.Context(), truss.SpawnRequest{Node: peer.Name, Module: "Elixir.IO", Function: "inspect", Args: []any{etf.Map{{Key: etf.Atom("a"), Value: 1}}}}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "IO.inspect has printed", func() bool { return out.String() == "süß →\n%{a: 1}\n" })

		if err := n.Export("Elixir.Jobs", truss.Funcs{"run": func(_ context.Context, p *truss.Process, text string) error {
			_, err := fmt.Fprintln(p.Stdout(), "done:", text)
			return err
		}}); err != nil {
			t.Fatal(err)
		}
		const capture = `{:ok, io} = StringIO.open("")
old = Process.group_leader()
Process.group_leader(self(), io)
{pid, ref} = Node.spawn_monitor(:"go@127.0.0.1", Jobs, :run, ["süß"])
Process.group_leader(self(), old)
reason = receive do {:DOWN, ^ref, :process, ^pid, reason} -> reason after 10000 -> :nothing end
{reason, StringIO.flush(io)}`
		if got := peer.MustEvalElixir(t, capture); got != `{:normal, "done: süß\n"}` {
			t.Error(got)
		}
	})
}

// TestTheySetGroupLeader: group_leader/2 on a Go process (op 7) says where it prints.
func TestTheySetGroupLeader(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		leader := p.beam.Spawn()
		leader.MustEval(t, "register(leader, self())")
		printed := make(chan error, 1)
		spawn(t, p.node, func(ctx context.Context, self *truss.Process) error {
			if err := self.Send(ctx, truss.Name{Name: "leader", Node: p.beam.Name}, self.PID()); err != nil {
				return err
			}
			if _, err := self.Receive(ctx); err != nil {
				return err
			}
			_, err := fmt.Fprintf(self.Stdout(), "süß")
			printed <- err
			return nil
		})
		const lead = `receive Pid when is_pid(Pid) -> group_leader(self(), Pid), Pid ! go after 10000 -> error(none) end,
			receive {io_request, From, ReplyAs, {put_chars, unicode, Text}} -> From ! {io_reply, ReplyAs, ok}, Text after 10000 -> error(none) end`
		if got := leader.MustEval(t, lead); got != `<<"süß"/utf8>>` {
			t.Errorf("printed %s", got)
		}
		if err := <-printed; err != nil {
			t.Error(err)
		}
	})
}
