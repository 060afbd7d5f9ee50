package interop

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
)

// calc is the Go gen_server that the BEAM calls.
type calc struct {
	total int64
	ctxs  chan context.Context // gets the context of each call that is never answered
	casts chan etf.Term
}

func (c *calc) HandleCall(ctx context.Context, from truss.From, message truss.Message) (any, error) {
	request, err := message.Term()
	if err != nil {
		return nil, err
	}
	tuple, _ := request.(etf.Tuple)
	switch {
	case request == etf.Term(etf.Atom("who")):
		return from.PID.Node, nil
	case request == etf.Term(etf.Atom("never")):
		c.ctxs <- ctx
		return nil, truss.ErrNoReply
	case request == etf.Term(etf.Atom("fail")):
		return nil, errors.New("it failed")
	case request == etf.Term(etf.Atom("later")):
		go func() { _ = from.Reply(ctx, etf.Atom("finally")) }()
		return nil, truss.ErrNoReply
	case len(tuple) == 2 && tuple[0] == etf.Term(etf.Atom("add")):
		c.total += tuple[1].(int64)
		return c.total, nil
	case len(tuple) == 2 && tuple[0] == etf.Term(etf.Atom("stop")):
		return nil, &truss.ExitError{Reason: tuple[1]}
	}
	return nil, fmt.Errorf("no such request: %s", etf.Format(request))
}

func (c *calc) HandleCast(_ context.Context, message truss.Message) error {
	request, err := message.Term()
	if err != nil {
		return err
	}
	c.casts <- request
	return nil
}

func (c *calc) HandleInfo(_ context.Context, m truss.Message) error {
	message, err := m.Term()
	if err != nil {
		return err
	}
	c.casts <- etf.Tuple{etf.Atom("info"), message}
	return nil
}

func serveCalc(t *testing.T, n *truss.Node) *calc {
	t.Helper()
	c := &calc{ctxs: make(chan context.Context, 10), casts: make(chan etf.Term, 10)}
	if _, err := n.Serve("calc", c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTheyCall has the BEAM call a Go gen_server in every way that
// gen_server.erl knows.
func TestTheyCall(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, beam.Options{}, truss.Config{})
		served := serveCalc(t, p.node)
		for _, c := range []struct{ expr, want string }{
			// The first connects.
			{"gen_server:call({calc, Go}, {add, 40})", "40"},
			{"gen_server:call({calc, Go}, {add, 2}, 10000)", "42"},
			{"gen_server:call({calc, Go}, later, infinity)", "finally"},
			{"gen_server:call({calc, Go}, who)", "'beam@127.0.0.1'"},
			{"gen_server:call({calc, Go}, fail)", `{error,<<"it failed">>}`},
			{"gen_server:receive_response(gen_server:send_request({calc, Go}, {add, 0}), 10000)", "{reply,42}"},
			{"gen_server:multi_call([node(), Go], calc, {add, 0}, 10000)", "{[{'beam@127.0.0.1',0},{'go@127.0.0.1',42}],[]}"},
			{"catch gen_server:call({calc, Go}, never, 50)", "{'EXIT',{timeout,{gen_server,call,[{calc,'go@127.0.0.1'},never,50]}}}"},
			{"catch gen_server:call({nobody, Go}, x)", "{'EXIT',{noproc,{gen_server,call,[{nobody,'go@127.0.0.1'},x]}}}"},
			{"catch gen_server:call({calc, Go}, {stop, because})", "{'EXIT',{because,{gen_server,call,[{calc,'go@127.0.0.1'},{stop,because}]}}}"},
			{"catch gen_server:call({calc, Go}, x)", "{'EXIT',{noproc,{gen_server,call,[{calc,'go@127.0.0.1'},x]}}}"},
		} {
			if got := p.beam.MustEval(t, "Go = 'go@127.0.0.1', "+c.expr); got != c.want {
				t.Errorf("%s = %s, want %s", c.expr, got, c.want)
			}
		}
		// The server ended, so the context of its calls did.
		select {
		case <-(<-served.ctxs).Done():
		case <-time.After(limit):
			t.Error("the context of a call outlives the server")
		}
	})
}

// TestTheyCastAndSend: casts and plain messages, by name and by pid.
func TestTheyCastAndSend(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, beam.Options{}, truss.Config{})
		served := serveCalc(t, p.node)
		for _, c := range []struct{ expr, want string }{
			{"gen_server:cast({calc, Go}, {a, 1})", "{a,1}"},
			{"{calc, Go} ! hello", "{info,hello}"},
			{"erlang:send({calc, Go}, {b, <<2>>}, [noconnect])", "{info,{b,<<2>>}}"},
			{"gen_server:abcast([Go], calc, c)", "c"},
			{"erlang:send_nosuspend({calc, Go}, d)", "{info,d}"},
		} {
			p.beam.MustEval(t, "Go = 'go@127.0.0.1', "+c.expr)
			if got := etf.Format(<-served.casts); got != c.want {
				t.Errorf("%s arrives as %s, want %s", c.expr, got, c.want)
			}
		}
		// To a name nobody has: dropped, and nothing else happens.
		p.beam.MustEval(t, "{nobody, 'go@127.0.0.1'} ! lost")
		if got := p.beam.MustEval(t, "gen_server:call({calc, 'go@127.0.0.1'}, {add, 1})"); got != "1" {
			t.Error(got)
		}
	})
}

// TestWeCall calls the BEAM's gen_server.
func TestWeCall(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, beam.Options{}, truss.Config{})
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		to := truss.Name{Name: "calc", Node: p.beam.Name}
		atom := func(s string) etf.Term { return etf.Atom(s) }

		for _, c := range []struct{ request, want etf.Term }{
			{etf.Tuple{atom("add"), 40}, int64(40)},
			{etf.Tuple{atom("add"), 2}, int64(42)},
			{etf.Tuple{atom("echo"), etf.List{atom("a"), 1.5}}, etf.List{atom("a"), 1.5}},
			{atom("who"), atom(p.node.Name())},
			{etf.Tuple{atom("reply_and_stop"), atom("normal")}, atom("bye")},
		} {
			got, err := truss.Call[etf.Term](ctx, p.node, to, c.request)
			if err != nil || !etf.Equal(got, c.want) {
				t.Errorf("%s = %s, %v, want %s", etf.Format(c.request), etf.Format(got), err, etf.Format(c.want))
			}
		}

		p.beam.Await(t, "whereis(calc)", "undefined")
		if err := p.node.Call(ctx, to, atom("x"), nil); !errors.Is(err, truss.ErrNoProcess) {
			t.Errorf("a call to nobody: %v", err)
		}
		p.beam.MustEval(t, "interop_peer:start_calc()")
		short, cancelShort := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancelShort()
		if err := p.node.Call(short, to, atom("never"), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a call that is not answered: %v", err)
		}
		var exit *truss.ExitError
		if err := p.node.Call(ctx, to, etf.Tuple{atom("stop"), atom("because")}, nil); !errors.As(err, &exit) || exit.Reason != atom("because") {
			t.Errorf("a call that ends the server: %v", err)
		}
		unknown := truss.Name{Name: "calc", Node: "nobody@127.0.0.1"}
		if err := p.node.Call(ctx, unknown, atom("x"), nil); !errors.Is(err, truss.ErrNoConnection) {
			t.Errorf("a call to no node: %v", err)
		}
	})
}

// TestCallEndsWithTheConnection: the caller of either side learns at once that
// the other node is gone.
func TestCallEndsWithTheConnection(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		served := serveCalc(t, p.node)
		theirs := p.beam.Go("catch gen_server:call({calc, 'go@127.0.0.1'}, never, infinity)")
		<-served.ctxs
		p.beam.MustEval(t, "erlang:disconnect_node('go@127.0.0.1')")
		want := "{'EXIT',{{nodedown,'go@127.0.0.1'},{gen_server,call,[{calc,'go@127.0.0.1'},never,infinity]}}}"
		if got := theirs.MustWait(t); got != want {
			t.Errorf("their call: %s", got)
		}
		awaitNodes(t, p.node, nil, nil) // or ours may still go over the connection that is lost

		ours := make(chan error, 1)
		p.beam.MustEval(t, "sys:suspend(calc)")
		go func() {
			ours <- p.node.Call(t.Context(), truss.Name{Name: "calc", Node: p.beam.Name}, etf.Atom("never"), nil)
		}()
		p.beam.Await(t, "process_info(whereis(calc), message_queue_len)", "{message_queue_len,1}")
		p.beam.Kill()
		if err := <-ours; !errors.Is(err, truss.ErrNoConnection) {
			t.Errorf("our call: %v", err)
		}
	})
}

// TestElixirCalls is the first screen of the README.
func TestElixirCalls(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		port := release.StartEPMD(t)
		n := start(t, truss.Config{Name: "go@127.0.0.1", Epmd: fmt.Sprintf("127.0.0.1:%d", port)})
		serveCalc(t, n)
		peer := release.Start(t, beam.Options{Name: "my_app@127.0.0.1", EPMD: port, Elixir: true})
		connect(t, n, peer.Name)
		for _, c := range []struct{ code, want string }{
			{`Node.list()`, `[:"go@127.0.0.1"]`},
			{`GenServer.call({:calc, :"go@127.0.0.1"}, {:add, 3})`, `3`},
			{`GenServer.call({:calc, :"go@127.0.0.1"}, "what?")`, `{:error, "no such request: <<\"what?\">>"}`},
			{`Node.ping(:"go@127.0.0.1")`, `:pong`},
			{`GenServer.whereis({:calc, :"go@127.0.0.1"})`, `{:calc, :"go@127.0.0.1"}`},
		} {
			if got := peer.MustEvalElixir(t, c.code); got != c.want {
				t.Errorf("%s = %s, want %s", c.code, got, c.want)
			}
		}
	})
}
