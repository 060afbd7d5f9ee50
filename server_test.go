package truss_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/trusstest"
)

// abacus is what Methods makes a server of, with every optional part.
type abacus struct {
	total int
	told  chan string
}

func (a *abacus) Add(x, y int) int { a.total += x + y; return a.total }

func (a *abacus) Total() int { return a.total }

func (a *abacus) Fail(why string) error { return errors.New(why) }

func (a *abacus) Quit(_ context.Context, p *truss.Process, reason etf.Atom) error {
	a.told <- fmt.Sprintf("quit in %v", p.PID() != etf.Pid{})
	return &truss.ExitError{Reason: reason}
}

func (a *abacus) Panic() { panic("abacus broken") }

func (a *abacus) HandleInfo(_ context.Context, m truss.Message) error {
	a.told <- "info " + m.String()
	return nil
}

func (a *abacus) HandleEvent(_ context.Context, m truss.Message) error {
	a.told <- "event " + m.String()
	return nil
}

func (a *abacus) State() any { return etf.Tuple{etf.Atom("total"), a.total} }

func (a *abacus) Terminate(reason error) { a.told <- fmt.Sprintf("terminate %v", reason) }

func serveAbacus(t *testing.T, n *truss.Node) (*abacus, *truss.Process) {
	t.Helper()
	a := &abacus{told: make(chan string, 10)}
	p, err := n.Serve("abacus", truss.Methods(a))
	if err != nil {
		t.Fatal(err)
	}
	return a, p
}

func TestMethods(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		n := c.Start("a")
		a, p := serveAbacus(t, n)
		for _, test := range []struct {
			request any
			want    string
		}{
			{etf.Tuple{etf.Atom("add"), 1, 2}, "3"},
			{etf.Tuple{etf.Atom("add"), 1, 2}, "6"},
			{etf.Atom("total"), "6"},
			{etf.Tuple{etf.Atom("total")}, "6"},
			{etf.Tuple{etf.Atom("fail"), "so it is"}, `{error,<<"so it is">>}`},
			{etf.Tuple{etf.Atom("add"), 1}, `{error,<<"*truss_test.abacus has no method for add/1">>}`},
			{etf.Tuple{etf.Atom("handle_info"), 1}, `{error,<<"*truss_test.abacus has no method for handle_info/1">>}`},
			{etf.Atom("state"), `{error,<<"*truss_test.abacus has no method for state/0">>}`},
			{"add", `{error,<<"*truss_test.abacus has no method for /0">>}`},
		} {
			got, err := truss.Call[etf.Term](ctx, n, "abacus", test.request)
			if err != nil || etf.Format(got) != test.want {
				t.Errorf("%v = %s, %v, want %s", test.request, etf.Format(got), err, test.want)
			}
		}
		var text string
		if err := n.Call(ctx, "abacus", etf.Tuple{etf.Atom("add"), "one", 2}, &struct {
			_    struct{} `etf:"error,tuple"`
			Text *string
		}{Text: &text}); err != nil || !strings.HasPrefix(text, "add: argument 1: ") {
			t.Errorf("an argument that does not fit: %q, %v", text, err)
		}
		for _, send := range []error{
			n.Cast(ctx, "abacus", etf.Tuple{etf.Atom("add"), 4, 0}),
			n.Cast(ctx, "abacus", etf.Tuple{etf.Atom("fail"), "nobody hears it"}),
			n.Send(ctx, "abacus", etf.Atom("hello")),
			n.Send(ctx, "abacus", etf.Tuple{etf.Atom("notify"), etf.Atom("rain")}),
		} {
			if send != nil {
				t.Error(send)
			}
		}
		if got := await(t, ctx, a.told) + ", " + await(t, ctx, a.told); got != "info hello, event rain" {
			t.Error(got)
		}
		if err := n.Cast(ctx, "abacus", etf.Tuple{etf.Atom("quit"), etf.Atom("enough")}); err != nil {
			t.Error(err)
		}
		if got := await(t, ctx, a.told) + ", " + await(t, ctx, a.told); got != "quit in true, terminate exit: enough" {
			t.Error(got)
		}
		<-p.Context().Done()
		if a.total != 10 {
			t.Errorf("a cast has not run: total is %d", a.total)
		}
	})
}

func TestMethodsThatCannotBe(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		n := c.Start("a")
		for _, test := range []struct {
			value any
			says  string
		}{
			{nil, "no methods"},
			{struct{}{}, "no exported methods"},
			{new(strings.Builder), ""},
			{make(badMethods), "no Erlang term is a chan"},
		} {
			_, err := n.Serve("", truss.Methods(test.value))
			if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
				t.Errorf("Methods(%T): %v", test.value, err)
			}
		}
	})
}

type badMethods chan int

func (badMethods) Channel(chan int) {}

// TestTerminate: it is told why, also of a panic.
func TestTerminate(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(ctx context.Context, n *truss.Node, p *truss.Process) error
		says string
	}{
		{"stop", func(ctx context.Context, n *truss.Node, p *truss.Process) error {
			return n.Stop(ctx, p, etf.Atom("normal"))
		}, "terminate <nil>"},
		{"stop for a reason", func(ctx context.Context, n *truss.Node, p *truss.Process) error {
			return n.Stop(ctx, p, etf.Tuple{etf.Atom("shutdown"), 1})
		}, "terminate exit: {shutdown,1}"},
		{"panic", func(ctx context.Context, n *truss.Node, p *truss.Process) error {
			return n.Cast(ctx, p, etf.Atom("panic"))
		}, `terminate error: {go_panic,<<"abacus broken">>}`},
		{"close", func(_ context.Context, n *truss.Node, _ *truss.Process) error { return n.Close() }, "terminate exit: shutdown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
				n := c.Start("a")
				a, p := serveAbacus(t, n)
				if err := test.end(ctx, n, p); err != nil {
					t.Error(err)
				}
				if got := await(t, ctx, a.told); got != test.says {
					t.Errorf("%s, want %s", got, test.says)
				}
			})
		})
	}
}

func TestStopErrors(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		n := c.Start("a")
		if err := n.Stop(ctx, "nobody", etf.Atom("normal")); !errors.Is(err, truss.ErrNoProcess) {
			t.Error("nobody:", err)
		}
		deaf, err := n.Spawn(func(ctx context.Context, _ *truss.Process) error { <-ctx.Done(); return nil })
		if err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		err = n.Stop(short, deaf, etf.Atom("normal"))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "truss: call "+deaf.PID().String()+": ") {
			t.Error("one that is no server:", err)
		}
	})
}

// TestSys: each request of the module sys gets an answer.
func TestSys(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		n, b := c.Start("a"), c.Start("b")
		serveAbacus(t, n)
		if _, err := n.Serve("echo", echo{}); err != nil {
			t.Fatal(err)
		}
		asProcess(t, ctx, b, func(ctx context.Context, p *truss.Process) {
			sys := func(to string, request any) string {
				alias := p.Alias(truss.AliasOnce)
				tag := etf.ImproperList{Elems: etf.List{etf.Atom("alias")}, Tail: alias}
				msg := etf.Tuple{etf.Atom("system"), etf.Tuple{p.PID(), tag}, request}
				if err := p.Send(ctx, truss.Name{Name: to, Node: n.Name()}, msg); err != nil {
					t.Error(err)
				}
				reply, ok := next(t, ctx, p).(etf.Tuple)
				if !ok || len(reply) != 2 || !etf.Equal(reply[0], tag) {
					t.Errorf("%v is answered by %v", request, reply)
					return ""
				}
				return etf.Format(reply[1])
			}
			tuple := func(name string, args ...etf.Term) etf.Tuple { return append(etf.Tuple{etf.Atom(name)}, args...) }
			for _, test := range []struct {
				to      string
				request any
				want    string
			}{
				{"abacus", etf.Atom("get_state"), "{total,0}"}, // the alias has 3 words, as OTP 25's
				{"echo", etf.Atom("get_state"), "{error,notsup}"},
				{"abacus", tuple("debug", etf.Atom("no_debug")), "ok"},
				{"abacus", tuple("debug", tuple("trace", etf.Atom("true"))), "{error,notsup}"},
				{"abacus", tuple("replace_state", etf.Export{Module: "m", Function: "f", Arity: 1}), "{error,notsup}"},
				{"abacus", tuple("change_code", etf.Atom("m"), 1, 2), "{error,notsup}"},
				{"abacus", tuple("what", 1, 2), "{error,{unknown_system_msg,{what,1,2}}}"},
				{"abacus", 1, "{error,{unknown_system_msg,1}}"},
			} {
				if got := sys(test.to, test.request); got != test.want {
					t.Errorf("%v: %s, want %s", test.request, got, test.want)
				}
			}
			if got := sys("abacus", etf.Atom("suspend")); got != "ok" {
				t.Error(got)
			}
			if got := sys("abacus", etf.Atom("get_status")); !strings.Contains(got, "suspended") || !strings.Contains(got, "{total,0}") {
				t.Error(got)
			}
			calls := make(chan error, 1)
			go func() {
				calls <- b.Call(ctx, truss.Name{Name: "abacus", Node: n.Name()}, etf.Tuple{etf.Atom("add"), 1, 1}, nil)
			}()
			synctest.Wait()
			if len(calls) != 0 {
				t.Error("a suspended server has replied")
			}
			if got := sys("abacus", etf.Atom("resume")); got != "ok" {
				t.Error(got)
			}
			if err := await(t, ctx, calls); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestMultiCall(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b, d := c.Start("a"), c.Start("b"), c.Start("d")
		c.Connect(a, b, d)
		for _, n := range []*truss.Node{a, b} {
			if _, err := n.Serve("echo", echo{}); err != nil {
				t.Fatal(err)
			}
		}
		late := dawdler{late: make(chan error, 1)}
		if _, err := d.Serve("echo", late); err != nil {
			t.Fatal(err)
		}
		defer await(t, ctx, late.late)
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		replies, bad := truss.MultiCall[string](short, a, nil, "echo", "hi")
		if len(replies) != 2 || replies[a.Name()] != "hi" || replies[b.Name()] != "hi" {
			t.Error(replies)
		}
		if len(bad) != 1 || !errors.Is(bad[d.Name()], context.DeadlineExceeded) {
			t.Error(bad)
		}
		replies, bad = truss.MultiCall[string](ctx, a, []string{b.Name(), b.Name(), "x@10.9.9.9"}, "echo", "hi")
		if len(replies) != 1 || len(bad) != 1 || !errors.Is(bad["x@10.9.9.9"], truss.ErrNoConnection) {
			t.Error(replies, bad)
		}
	})
}
