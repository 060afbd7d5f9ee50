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
	"github.com/truss-beam/truss/supervisor"
)

// ledger is a server with methods, a state and events.
type ledger struct {
	total int
	told  chan string
}

func (l *ledger) Add(a, b int) int { l.total += a + b; return l.total }

func (l *ledger) Slow(ms int) int { time.Sleep(time.Duration(ms) * time.Millisecond); return ms }

func (l *ledger) HandleEvent(_ context.Context, m truss.Message) error {
	l.told <- "event " + m.String()
	return nil
}

func (l *ledger) State() any { return etf.Tuple{etf.Atom("total"), l.total} }

func (l *ledger) Terminate(reason error) { l.told <- fmt.Sprintf("terminate %v", reason) }

func serveLedger(t *testing.T, n *truss.Node) *ledger {
	t.Helper()
	l := &ledger{told: make(chan string, 10)}
	if _, err := n.Serve("ledger", truss.Methods(l)); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestTheySys: OTP's gen and sys modules work on a Go server.
func TestTheySys(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, beam.Options{}, truss.Config{})
		l := serveLedger(t, p.node)
		for _, c := range []struct{ expr, want string }{
			{"gen_server:call(S, {add, 1, 2})", "3"},
			{"gen_statem:call(S, {add, 0, 0})", "3"},
			{"gen_statem:call(S, {add, 0, 0}, {clean_timeout, 5000})", "3"},
			{"gen_server:call(S, {add, a, 2})", "{error,<<"},
			{"sys:get_state(S)", "{total,3}"},
			{"sys:get_state(S, 5000)", "{total,3}"},
			{"element(3, sys:get_status(S))", "{module,'*interop.ledger'}"},
			{"{status, P, {module, _}, [D, running, Q, [], _]} = sys:get_status(S, 5000), {node(P), P =:= Q, D}", "{'go@127.0.0.1',true,[]}"},
			{"sys:suspend(S), R = (catch gen_server:call(S, {add, 0, 1}, 100)), ok = sys:resume(S), {element(1, element(2, R)), gen_server:call(S, {add, 0, 0})}", "{timeout,4}"},
			{"catch sys:replace_state(S, fun(X) -> X end)", "{'EXIT',{notsup,"},
			{"sys:trace(S, true)", "{error,notsup}"},
			{"sys:log(S, true)", "{error,notsup}"},
			{"sys:statistics(S, get)", "{error,notsup}"},
			{"sys:no_debug(S)", "ok"},
			{"sys:change_code(S, m, 1, 2)", "{error,notsup}"},
			{"catch sys:get_state({net_kernel, 'go@127.0.0.1'})", "{'EXIT',{notsup,"},
			{"gen_event:notify(S, rain)", "ok"},
			{"gen_event:sync_notify(S, {snow, 1})", "ok"},
			{"gen_event:call(S, whatever, {add, 0, 1})", "5"},
			{"gen_event:which_handlers(S)", "['*interop.ledger']"},
			{"gen_event:add_handler(S, m, [])", "{error,notsup}"},
			{"gen_server:stop(S, {shutdown, enough}, 5000)", "ok"},
			{"catch gen_server:stop(S)", "{'EXIT',noproc}"},
		} {
			got := p.beam.MustEval(t, "S = {ledger, 'go@127.0.0.1'}, "+c.expr)
			if got != c.want && !(strings.HasSuffix(c.want, ",") || strings.HasSuffix(c.want, "<<")) || !strings.HasPrefix(got, c.want) {
				t.Errorf("%s = %s, want %s", c.expr, got, c.want)
			}
		}
		for _, want := range []string{"event rain", "event {snow,1}", "terminate exit: {shutdown,enough}"} {
			if got := <-l.told; got != want {
				t.Errorf("the server was told %s, want %s", got, want)
			}
		}
	})
}

// TestLegacyTags: callers with the tags of older and of other releases get their
// reply, with the tag as it was.
func TestLegacyTags(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, beam.Options{}, truss.Config{})
		serveLedger(t, p.node)
		for _, tag := range []string{
			"make_ref()", "{make_ref(), 'go@127.0.0.1'}", "[alias | alias()]", "[alias | alias([reply])]",
			"[[alias | alias()] | make_ref()]", "[[alias | alias()], more]", "an_atom", "{a, [tuple]}",
		} {
			expr := "Tag = " + tag + ", {ledger, 'go@127.0.0.1'} ! {'$gen_call', {self(), Tag}, {add, 0, 0}}, receive {Tag, 0} -> ok after 5000 -> nothing end"
			if got := p.beam.MustEval(t, expr); got != "ok" {
				t.Errorf("tag %s: %s", tag, got)
			}
		}
	})
}

// TestWeMultiCallAndStop: from Go, the same over several nodes at once, and
// gen_server:stop.
func TestWeMultiCallAndStop(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		serveCalc(t, p.node)
		replies, bad := truss.MultiCall[int](ctx, p.node, nil, "calc", etf.Tuple{etf.Atom("add"), 5})
		if len(bad) != 0 || len(replies) != 2 || replies[p.beam.Name] != 5 || replies[p.node.Name()] != 5 {
			t.Errorf("%v, %v", replies, bad)
		}
		to := truss.Name{Name: "calc", Node: p.beam.Name}
		short, cancelShort := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancelShort()
		if _, bad := truss.MultiCall[int](short, p.node, []string{p.beam.Name}, "calc", etf.Atom("never")); !errors.Is(bad[p.beam.Name], context.DeadlineExceeded) {
			t.Errorf("one that does not answer: %v", bad)
		}
		if err := p.node.Stop(ctx, to, etf.Atom("normal")); err != nil {
			t.Error(err)
		}
		if got := p.beam.MustEval(t, "whereis(calc)"); got != "undefined" {
			t.Errorf("the server still runs: %s", got)
		}
		if err := p.node.Stop(ctx, to, etf.Atom("normal")); !errors.Is(err, truss.ErrNoProcess) {
			t.Error("nobody to stop:", err)
		}
	})
}

// TestAliasesBothWays: messages to aliases, with and without priority, both ways.
func TestAliasesBothWays(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		ready, got := make(chan [3]etf.Ref), make(chan string, 10)
		full := make(chan struct{})
		spawn(t, p.node, func(ctx context.Context, self *truss.Process) error {
			ready <- [3]etf.Ref{self.Alias(), self.Alias(truss.AliasOnce), self.Alias(truss.AliasPriority)}
			<-full
			for {
				m, err := self.Receive(ctx)
				if err != nil {
					return err
				}
				got <- m.String()
			}
		}, truss.Registered("owner"))
		refs := <-ready
		receiver := p.beam.Spawn()
		receiver.MustEval(t, "register(receiver, self())")
		for i, ref := range refs {
			if err := p.node.Send(t.Context(), truss.Name{Name: "receiver", Node: p.beam.Name}, etf.Tuple{etf.Atom("alias"), i, ref}); err != nil {
				t.Fatal(err)
			}
		}
		receiver.MustEval(t, "[A, B, C] = [receive {alias, I, R} -> R after 10000 -> error(none) end || I <- [0, 1, 2]]")
		receiver.MustEval(t, "A ! one, B ! two, B ! lost, C ! three")
		want := []string{"one", "two", "three"}
		if release.OTP == "29" {
			receiver.MustEval(t, "erlang:send(A, four, [priority]), erlang:send(C, first, [priority])")
			want = []string{"first", "one", "two", "three", "four"}
		}
		// What one process sends arrives in order: once this is here, all is.
		receiver.MustEval(t, "{owner, 'go@127.0.0.1'} ! last")
		eventually(t, "the messages are in the mailbox", func() bool {
			waiting, _ := p.node.Whereis("owner").MailboxLoad()
			return waiting == len(want)+1
		})
		close(full)
		for _, w := range append(want, "last") {
			if g := <-got; g != w {
				t.Errorf("got %s, want %s", g, w)
			}
		}

		// And theirs.
		options := "[]"
		if release.OTP == "29" {
			options = "[priority]"
		}
		result := make(chan etf.Ref, 1)
		spawn(t, p.node, func(ctx context.Context, self *truss.Process) error {
			m, err := self.Receive(ctx)
			if err != nil {
				return err
			}
			var ref etf.Ref
			defer func() { result <- ref }()
			return m.Unmarshal(&ref)
		}, truss.Registered("sender"))
		receiver.MustEval(t, "{sender, 'go@127.0.0.1'} ! alias("+options+")")
		alias := <-result
		for _, to := range []any{alias, truss.Priority(alias)} {
			if err := p.node.Send(t.Context(), to, etf.Tuple{etf.Atom("to_alias"), fmt.Sprintf("%T", to)}); err != nil {
				t.Fatal(err)
			}
		}
		receiver.MustEval(t, "timer:sleep(0)")
		wantOrder := "[<<\"etf.Ref\">>,<<\"truss.Priority\">>]"
		if release.OTP == "29" {
			wantOrder = "[<<\"truss.Priority\">>,<<\"etf.Ref\">>]"
		}
		receiver.MustEval(t, "(fun W() -> case element(2, process_info(self(), message_queue_len)) of 2 -> ok; _ -> timer:sleep(1), W() end end)()")
		if got := receiver.MustEval(t, "[receive {to_alias, T} -> T after 10000 -> none end || _ <- [1, 2]]"); got != wantOrder {
			t.Errorf("the BEAM received %s, want %s", got, wantOrder)
		}
	})
}

// TestTheyExitAnAlias: exit/2 to an alias, which OTP 28 and later know, ends its owner.
func TestTheyExitAnAlias(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		if release.OTP != "29" {
			return // they refuse or drop it themselves
		}
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		receiver := p.beam.Spawn()
		receiver.MustEval(t, "register(receiver, self())")
		self := spawn(t, p.node, func(ctx context.Context, self *truss.Process) error {
			if err := self.Send(ctx, truss.Name{Name: "receiver", Node: p.beam.Name}, self.Alias()); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		})
		receiver.MustEval(t, "receive Alias when is_reference(Alias) -> exit(Alias, {for, good}) after 10000 -> error(none) end")
		select {
		case <-self.Context().Done():
			if cause := context.Cause(self.Context()); cause.Error() != "exit: {for,good}" {
				t.Error(cause)
			}
		case <-time.After(limit):
			t.Error("the exit signal has not arrived")
		}
	})
}

// TestTheySupervise: a BEAM sees a Go supervisor as it sees its own.
func TestTheySupervise(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		serve := func(ctx context.Context, self *truss.Process) error {
			return self.Serve(ctx, truss.Methods(&ledger{told: make(chan string, 10)}))
		}
		if _, err := p.node.Spawn(supervisor.New(supervisor.Config{},
			supervisor.Child{Name: "ledger", Run: serve, Options: []truss.SpawnOption{truss.Registered("ledger")}},
		), truss.Registered("sup")); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the child runs", func() bool { return p.node.Whereis("ledger") != nil })
		for _, c := range []struct{ expr, want string }{
			{"[{Id, Pid, worker, dynamic}] = supervisor:which_children(S), {Id, node(Pid)}", "{<<\"ledger\">>,'go@127.0.0.1'}"},
			{"supervisor:count_children(S)", "[{specs,1},{active,1},{supervisors,0},{workers,1}]"},
			{"[{_, Pid, _, _}] = supervisor:which_children(S), exit(Pid, kill), ok", "ok"},
		} {
			if got := p.beam.MustEval(t, "S = {sup, 'go@127.0.0.1'}, "+c.expr); got != c.want {
				t.Errorf("%s = %s, want %s", c.expr, got, c.want)
			}
		}
		p.beam.Await(t, "catch gen_server:call({ledger, 'go@127.0.0.1'}, {add, 1, 1})", "2")
		if got := p.beam.MustEval(t, "gen_server:stop({sup, 'go@127.0.0.1'}, shutdown, 10000)"); got != "ok" {
			t.Error(got)
		}
		if p.node.Whereis("ledger") != nil {
			t.Error("a child outlives its supervisor")
		}
	})
}
