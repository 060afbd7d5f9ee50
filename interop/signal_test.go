package interop

import (
	"context"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
)

// TestWeSend sends to the BEAM by name, pid and alias. The first connects.
func TestWeSend(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, beam.Options{}, truss.Config{})
		serveEcho(t, p.node)
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		receiver := p.beam.Spawn()
		receiver.MustEval(t, "register(receiver, self())")
		if err := p.node.Send(ctx, truss.Name{Name: "receiver", Node: p.beam.Name}, etf.Atom("by_name")); err != nil {
			t.Fatal(err)
		}
		const next = "receive by_name -> by_name; by_pid -> by_pid; by_alias -> by_alias after 10000 -> nothing end"
		if got := receiver.MustEval(t, next); got != "by_name" {
			t.Errorf("by name: %s", got)
		}
		// To a name nobody has: no error, no harm.
		if err := p.node.Send(ctx, truss.Name{Name: "nobody", Node: p.beam.Name}, etf.Atom("lost")); err != nil {
			t.Error(err)
		}
		spawn(t, p.node, func(ctx context.Context, self *truss.Process) error {
			m, err := self.Receive(ctx)
			if err != nil {
				return err
			}
			var to struct {
				Pid   etf.Pid
				Alias etf.Ref
			}
			term, err := m.Term()
			if err != nil {
				return err
			}
			to.Pid, to.Alias = term.(etf.Tuple)[0].(etf.Pid), term.(etf.Tuple)[1].(etf.Ref)
			if err := self.Send(ctx, to.Pid, etf.Atom("by_pid")); err != nil {
				return err
			}
			return self.Send(ctx, to.Alias, etf.Atom("by_alias"))
		}, truss.Registered("writer"))
		receiver.MustEval(t, "{writer, 'go@127.0.0.1'} ! {self(), alias()}")
		for _, want := range []string{"by_pid", "by_alias"} {
			if got := receiver.MustEval(t, next); got != want {
				t.Errorf("%s: %s", want, got)
			}
		}
	})
}

// TestTheyAsk: what a BEAM's own libraries ask of any node gets an answer, so
// that nothing hangs there.
func TestTheyAsk(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		for _, c := range []struct{ expr, want string }{
			{"{_, R} = spawn_monitor('go@127.0.0.1', erlang, self, []), receive {'DOWN', R, process, _, {undef, [{erlang, self, [], _}]}} -> undef after 10000 -> nothing end", "undef"},
			{"process_flag(trap_exit, true), P = spawn_link('go@127.0.0.1', m, f, [1]), receive {'EXIT', P, {undef, _}} -> undef after 10000 -> nothing end", "undef"},
			{"P = spawn('go@127.0.0.1', m, f, []), node(P)", "'go@127.0.0.1'"},
			{"try erpc:call('go@127.0.0.1', erlang, node, [], 10000) catch _:_ -> failed end", "failed"},
			{"element(1, rpc:call('go@127.0.0.1', erlang, node, [], 10000))", "badrpc"},
			{"rex ! x, {rex, 'go@127.0.0.1'} ! {self(), features_request}, net_adm:ping('go@127.0.0.1')", "pong"},
			{"group_leader(group_leader(), spawn('go@127.0.0.1', m, f, [])), net_adm:ping('go@127.0.0.1')", "pong"},
		} {
			if got := p.beam.MustEval(t, c.expr); got != c.want {
				t.Errorf("%s gives %s, want %s", c.expr, got, c.want)
			}
		}
	})
}

// TestManySenders keeps the order of every pair of processes while many send at
// once, both ways.
func TestManySenders(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		const senders, each = 20, 500
		last := map[int64]int64{}
		done := make(chan struct{})
		spawn(t, p.node, func(ctx context.Context, self *truss.Process) error {
			defer close(done)
			for range senders * each {
				m, err := self.Receive(ctx)
				if err != nil {
					return err
				}
				term, err := m.Term()
				if err != nil {
					return err
				}
				who, n := term.(etf.Tuple)[0].(int64), term.(etf.Tuple)[1].(int64)
				if n != last[who]+1 {
					t.Errorf("sender %d: %d comes after %d", who, n, last[who])
				}
				last[who] = n
				// And back, for the BEAM to check.
				if err := self.Send(ctx, truss.Name{Name: "order", Node: p.beam.Name}, term); err != nil {
					return err
				}
			}
			return nil
		}, truss.Registered("order"))
		checker := p.beam.Spawn()
		checker.MustEval(t, "register(order, self())")
		p.beam.MustEval(t, `[spawn(fun() -> [{order, 'go@127.0.0.1'} ! {Who, N} || N <- lists:seq(1, 500)] end) || Who <- lists:seq(1, 20)]`)
		<-done
		got := checker.MustEval(t, `lists:foldl(fun(_, Last) -> receive {Who, N} -> case maps:get(Who, Last, 0) + 1 of N -> Last#{Who => N} end after 10000 -> error({lost_after, Last}) end end, #{}, lists:seq(1, 20 * 500)) =:= maps:from_list([{Who, 500} || Who <- lists:seq(1, 20)])`)
		if got != "true" {
			t.Errorf("the BEAM got %s", got)
		}
	})
}
