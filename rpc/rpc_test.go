package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/rpc"
	"github.com/truss-beam/truss/trusstest"
)

type calc struct{}

func (calc) Add(a, b int) int                { return a + b }
func (calc) Fail(text string) error          { return errors.New(text) }
func (calc) Throw(t etf.Term) error          { return &truss.Exception{Class: truss.ClassThrow, Reason: t} }
func (calc) Leave(t etf.Term) error          { return &truss.ExitError{Reason: t} }
func (calc) Crash()                          { panic("crashed") }
func (calc) Wait(ctx context.Context)        { <-ctx.Done() }
func (calc) Count(args ...etf.Term) int      { return len(args) }
func (calc) Self(p *truss.Process) etf.Pid   { return p.PID() }
func (calc) Who(p *truss.Process) string     { return p.Node().Name() }
func (calc) Nap(ctx context.Context, ms int) { time.Sleep(time.Duration(ms) * time.Millisecond) }

// cluster runs a test with nodes a and b, connected, that export calc by rpc, and c,
// which does not run rpc, in a bubble.
func cluster(t *testing.T, test func(t *testing.T, ctx context.Context, cl *trusstest.Cluster, a, b, c *truss.Node)) {
	synctest.Test(t, func(t *testing.T) {
		cl := trusstest.New(t)
		a, b, c := cl.Start("a"), cl.Start("b"), cl.Start("c")
		for _, n := range []*truss.Node{a, b} {
			if err := rpc.Start(n); err != nil {
				t.Fatal(err)
			}
			if err := n.Export("calc", calc{}); err != nil {
				t.Fatal(err)
			}
		}
		cl.Connect(a, b, c)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		test(t, ctx, cl, a, b, c)
	})
}

func TestCall(t *testing.T) {
	cluster(t, func(t *testing.T, ctx context.Context, cl *trusstest.Cluster, a, b, c *truss.Node) {
		for _, ctx := range []context.Context{ctx, context.WithoutCancel(ctx)} {
			for _, node := range []string{a.Name(), b.Name()} {
				for _, test := range []struct {
					function string
					args     []any
					want     string
				}{
					{"add", []any{1, 2}, "3"},
					{"count", nil, "0"},
					{"fail", []any{"no luck"}, "rpc: calc:fail/1 on " + node + ": error no luck"},
					{"fail", []any{1}, "rpc: calc:fail/1 on " + node + ": error function_clause"},
					{"missing", []any{1}, "rpc: calc:missing/1 on " + node + ": error undef"},
					{"throw", []any{etf.Atom("ball")}, "rpc: calc:throw/1 on " + node + ": throw ball"},
					{"leave", []any{etf.Tuple{etf.Atom("a"), 1}}, "rpc: calc:leave/1 on " + node + ": exit {a,1}"},
					{"crash", nil, "rpc: calc:crash/0 on " + node + ": error panic: crashed at github.com/truss-beam/truss/rpc_test.calc.Crash (rpc/rpc_test.go:28)"},
				} {
					value, err := rpc.Call[etf.Term](ctx, a, node, "calc", test.function, test.args...)
					got := etf.Format(value)
					if err != nil {
						got = err.Error()
						if rpc.NotSent(err) {
							t.Errorf("%s: surely not run?", got)
						}
					}
					if test.function == "crash" {
						got, _, _ = strings.Cut(got, "Crash (")
						test.want, _, _ = strings.Cut(test.want, "Crash (")
					}
					if got != test.want {
						t.Errorf("%s at %s: %s, want %s", test.function, node, got, test.want)
					}
				}
			}
		}
		if n, err := rpc.Call[int](ctx, a, b.Name(), "calc", "add", 2, 3); n != 5 || err != nil {
			t.Error(n, err)
		}
		if _, err := rpc.Call[string](ctx, a, b.Name(), "calc", "add", 2, 3); err == nil || !strings.Contains(err.Error(), "cannot read the result") {
			t.Error(err)
		}
	})
}

// TestCallByProcess: what else is in the mailbox stays there.
func TestCallByProcess(t *testing.T) {
	cluster(t, func(t *testing.T, ctx context.Context, cl *trusstest.Cluster, a, b, c *truss.Node) {
		err := a.Visit(func(p *truss.Process) error {
			if err := p.Send(ctx, p, "kept"); err != nil {
				return err
			}
			if n, err := rpc.Call[int](ctx, p, b.Name(), "calc", "add", 1, 1); n != 2 || err != nil {
				t.Error(n, err)
			}
			if pid, err := rpc.Call[etf.Pid](context.WithoutCancel(ctx), p, a.Name(), "calc", "self"); pid != p.PID() || err != nil {
				t.Errorf("a call without a limit ran as %v, %v", pid, err)
			}
			m, err := p.Receive(ctx)
			if err != nil || m.String() != "<<\"kept\">>" {
				t.Error(m, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestStackTrace(t *testing.T) {
	e := &rpc.RemoteError{Node: "b@h", Module: "Elixir.MyApp.Calc", Function: "add", Arity: 2, Class: truss.ClassError,
		Reason: etf.Map{
			{Key: etf.Atom("__struct__"), Value: etf.Atom("Elixir.ArgumentError")},
			{Key: etf.Atom("__exception__"), Value: true},
			{Key: etf.Atom("message"), Value: []byte("not a number")},
		},
		Stack: etf.List{
			etf.Tuple{etf.Atom("Elixir.MyApp.Calc"), etf.Atom("add"), int64(2), etf.List{
				etf.Tuple{etf.Atom("file"), etf.List{int64('c'), int64('.'), int64('e'), int64('x')}}, etf.Tuple{etf.Atom("line"), int64(7)},
			}},
			etf.Tuple{etf.Atom("lists"), etf.Atom("map"), etf.List{etf.Atom("f"), etf.List{}}, etf.List{}},
			etf.Atom("strange"),
		},
	}
	const line = "rpc: MyApp.Calc.add/2 on b@h: error ArgumentError: not a number at MyApp.Calc.add/2 (c.ex:7)"
	if got := fmt.Sprint(e); got != line {
		t.Error(got)
	}
	const trace = "MyApp.Calc.add/2\n\tc.ex:7\nlists:map/2(f, [])\nstrange"
	if got := fmt.Sprintf("%+v", e); got != line+"\n"+trace {
		t.Error(got)
	}
}

func TestNobodyThere(t *testing.T) {
	cluster(t, func(t *testing.T, ctx context.Context, cl *trusstest.Cluster, a, b, c *truss.Node) {
		_, err := rpc.Call[etf.Term](ctx, a, c.Name(), "calc", "add", 1, 2)
		if !errors.Is(err, errors.ErrUnsupported) || !rpc.NotSent(err) || !strings.Contains(err.Error(), "rpc.Start is missing") {
			t.Error(err)
		}
		_, err = rpc.Call[etf.Term](ctx, a, "nobody@10.0.0.9", "calc", "add", 1, 2)
		if !errors.Is(err, truss.ErrNoConnection) || !rpc.NotSent(err) {
			t.Error(err)
		}
		if err := rpc.Cast(ctx, a, "nobody@10.0.0.9", "calc", "add", 1, 2); !errors.Is(err, truss.ErrNoConnection) || !rpc.NotSent(err) {
			t.Error(err)
		}
		// The limit ends the wait, and the connection's loss does.
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		for _, node := range []string{a.Name(), b.Name()} {
			if _, err := rpc.Call[etf.Term](short, a, node, "calc", "wait"); !errors.Is(err, context.DeadlineExceeded) || rpc.NotSent(err) {
				t.Error(err)
			}
		}
		r := rpc.Go[etf.Term](ctx, a, b.Name(), "calc", "wait")
		synctest.Wait()
		select {
		case <-r.Done():
			t.Error("done already")
		default:
		}
		cl.Crash("b")
		if _, err := r.Result(); !errors.Is(err, truss.ErrNoConnection) || rpc.NotSent(err) {
			t.Error(err)
		}
	})
}

// TestStartTwice: what global and region have started is left as it is.
func TestStartTwice(t *testing.T) {
	cluster(t, func(t *testing.T, ctx context.Context, cl *trusstest.Cluster, a, b, c *truss.Node) {
		if err := rpc.Start(b); err != nil {
			t.Error(err)
		}
		if sum, err := rpc.Call[int](ctx, a, b.Name(), "calc", "add", 1, 2); sum != 3 || err != nil {
			t.Error(sum, err)
		}
		if err := c.Export("erpc", truss.Funcs{"execute_cast": func() {}}); err != nil {
			t.Fatal(err)
		}
		if err := rpc.Start(c); err == nil {
			t.Error("started beside somebody else's erpc")
		}
	})
}

func TestMany(t *testing.T) {
	cluster(t, func(t *testing.T, ctx context.Context, cl *trusstest.Cluster, a, b, c *truss.Node) {
		values, bad := rpc.Multicall[string](ctx, a, nil, "calc", "who")
		if want := map[string]string{a.Name(): a.Name(), b.Name(): b.Name()}; !reflect.DeepEqual(values, want) {
			t.Error(values)
		}
		if len(bad) != 1 || !errors.Is(bad[c.Name()], errors.ErrUnsupported) {
			t.Error(bad)
		}
		for r := range rpc.Each[etf.Term](ctx, a, []string{b.Name(), b.Name()}, "calc", "nap", 10) {
			if r.Node != b.Name() || r.Err != nil {
				t.Error(r)
			}
			break
		}
		told := make(chan string, 2)
		for _, n := range []*truss.Node{a, b} {
			if err := n.Export("tell", truss.Funcs{"tell": func(p *truss.Process) { told <- p.Node().Name() }}); err != nil {
				t.Fatal(err)
			}
		}
		if bad := rpc.Multicast(ctx, a, []string{a.Name(), b.Name()}, "tell", "tell"); len(bad) > 0 {
			t.Error(bad)
		}
		got := []string{<-told, <-told}
		slices.Sort(got)
		if !slices.Equal(got, []string{a.Name(), b.Name()}) {
			t.Error(got)
		}
	})
}

// asked answers {Pid, Request} with {asked, Node, Request}.
func asked(ctx context.Context, p *truss.Process) error {
	for {
		m, err := p.Receive(ctx)
		if err != nil {
			return err
		}
		parts, err := m.Elements()
		if err != nil {
			continue
		}
		var from etf.Pid
		if err := parts[0].Unmarshal(&from); err != nil {
			return err
		}
		if err := p.Send(ctx, from, etf.Tuple{etf.Atom("asked"), etf.Atom(p.Node().Name()), parts[1]}); err != nil {
			return err
		}
	}
}

func TestRex(t *testing.T) {
	cluster(t, func(t *testing.T, ctx context.Context, cl *trusstest.Cluster, a, b, c *truss.Node) {
		for request, want := range map[string]string{
			"{call, calc, add, [1, 2], user}":        "3",
			"{block_call, calc, add, [1, 2], user}":  "3",
			"{call, calc, throw, [ball], user}":      "ball",
			"{call, calc, leave, [bye], user}":       "{badrpc,{'EXIT',bye}}",
			"{call, calc, fail, [<<\"x\">>], user}":  "{badrpc,{'EXIT',{<<\"x\">>,[{calc,fail,1,[]}]}}}",
			"{block_call, calc, missing, [1], user}": "{badrpc,{'EXIT',{undef,[{calc,missing,[1],[]}]}}}",
			"{call, calc, add, not_a_list, user}":    "{badrpc,{'EXIT',{badarg,[{erlang,apply,[calc,add,not_a_list],[]}]}}}",
			"{what, calc, add, [1, 2], user}":        "{badrpc,badcall}",
			"{call, \"calc\", add, [1, 2], user}":    "{badrpc,badcall}",
			"hello":                                  "{badrpc,badcall}",
		} {
			term, err := etf.Parse(request)
			if err != nil {
				t.Fatal(err)
			}
			reply, err := truss.Call[etf.Term](ctx, a, truss.Name{Name: "rex", Node: b.Name()}, term)
			if err != nil || etf.Format(reply) != want {
				t.Errorf("%s: %s, %v; want %s", request, etf.Format(reply), err, want)
			}
		}
		err := a.Visit(func(p *truss.Process) error {
			for _, test := range []struct{ request, want string }{
				{"features_request", "{features_reply,'b@10.0.0.2',[erpc]}"},
				{"{call, calc, add, [1, 2], user}", "{rex,3}"},
				{"{sbcast, nobody, hi}", "{rex,'b@10.0.0.2',{nonexisting_name,nobody}}"},
				{"{send, nobody, hi}", "{rex,'b@10.0.0.2',{nonexisting_name,nobody}}"},
				{"{sbcast, rex, hi}", "{rex,'b@10.0.0.2','b@10.0.0.2'}"},
			} {
				term, err := etf.Parse(test.request)
				if err != nil {
					return err
				}
				if err := p.Send(ctx, truss.Name{Name: "rex", Node: b.Name()}, etf.Tuple{p.PID(), term}); err != nil {
					return err
				}
				if m, err := p.Receive(ctx); err != nil || m.String() != test.want {
					t.Errorf("%s: %v, %v; want %s", test.request, m, err, test.want)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestLegacy(t *testing.T) {
	cluster(t, func(t *testing.T, ctx context.Context, cl *trusstest.Cluster, a, b, c *truss.Node) {
		if n, err := rpc.BlockCall[int](ctx, a, b.Name(), "calc", "add", 1, 2); n != 3 || err != nil {
			t.Error(n, err)
		}
		var failed *rpc.RemoteError
		if _, err := rpc.BlockCall[int](ctx, a, b.Name(), "calc", "fail", "x"); !errors.As(err, &failed) || failed.Class != truss.ClassError || len(failed.Stack) != 1 {
			t.Errorf("%+v", err)
		}
		if _, err := rpc.BlockCall[int](ctx, a, b.Name(), "calc", "leave", etf.Atom("bye")); !errors.As(err, &failed) || failed.Class != truss.ClassExit {
			t.Errorf("%+v", err)
		}
		if _, err := rpc.BlockCall[int](ctx, a, c.Name(), "calc", "add", 1, 2); !errors.Is(err, truss.ErrNoProcess) || !rpc.NotSent(err) {
			t.Error(err)
		}
		for _, n := range []*truss.Node{a, b} {
			if _, err := n.Spawn(asked, truss.Registered("asked")); err != nil {
				t.Fatal(err)
			}
		}
		replies, bad := rpc.MultiServerCall[int](ctx, a, nil, "asked", 7)
		if !reflect.DeepEqual(replies, map[string]int{a.Name(): 7, b.Name(): 7}) || len(bad) != 1 || !errors.Is(bad[c.Name()], truss.ErrNoProcess) {
			t.Error(replies, bad)
		}
		good, bad := rpc.SBcast(ctx, a, []string{b.Name(), c.Name()}, "asked", 7)
		if !slices.Equal(good, []string{b.Name()}) || len(bad) != 1 {
			t.Error(good, bad)
		}
	})
}
