package cli

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/trusstest"
)

// TestModule spawns every function of the module from another node and sees how it
// ends, or in the case of what returns a value applies it.
func TestModule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, b := c.Start("a"), c.Start("b")
		if err := exportModule(b); err != nil {
			t.Fatal(err)
		}
		inProcess(t, a, func(ctx context.Context, p *truss.Process) { spawnModule(t, ctx, p, b.Name()) })
		inProcess(t, b, func(ctx context.Context, p *truss.Process) { applyModule(t, ctx, p) })
	})
}

// inProcess runs a test in a process, and waits for it.
func inProcess(t *testing.T, n *truss.Node, test func(ctx context.Context, p *truss.Process)) {
	t.Helper()
	done := make(chan struct{})
	if _, err := n.Spawn(func(ctx context.Context, p *truss.Process) error {
		defer close(done)
		test(ctx, p)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	<-done
}

func spawnModule(t *testing.T, ctx context.Context, p *truss.Process, node string) {
	for _, test := range []struct {
		function string
		args     []any
		reason   string
		takes    time.Duration
	}{
		{"sleep", []any{90_000}, "normal", 90 * time.Second},
		{"sleep", []any{-1}, "{function_clause,[{truss,sleep,[-1],[]}]}", 0},
		{"crash", []any{etf.Atom("bad")}, "{bad,[{truss,crash,1,[]}]}", 0},
		{"throw", []any{etf.Atom("bad")}, "{{nocatch,bad},[{truss,throw,1,[]}]}", 0},
		{"exit", []any{etf.Atom("bad")}, "bad", 0},
		{"add", []any{1, 2}, "normal", 0},
	} {
		began := time.Now()
		if _, err := p.SpawnRemote(ctx, truss.SpawnRequest{Node: node, Module: "truss", Function: test.function, Args: test.args, Monitor: true}); err != nil {
			t.Error(err)
			return
		}
		down, _ := receiveTerm(ctx, p).(truss.Down)
		if got := etf.Format(down.Reason); got != test.reason || time.Since(began) != test.takes {
			t.Errorf("%s ends with %s after %v, want %s after %v", test.function, got, time.Since(began), test.reason, test.takes)
		}
	}
	loop, err := p.SpawnRemote(ctx, truss.SpawnRequest{Node: node, Module: "Elixir.Truss", Function: "loop", Monitor: true})
	if err != nil {
		t.Error(err)
		return
	}
	for _, message := range []any{etf.Atom("what"), etf.Tuple{1, 2}, etf.Tuple{p.PID(), etf.Atom("hello")}, etf.Atom("stop")} {
		if err := p.Send(ctx, loop.PID, message); err != nil {
			t.Error(err)
		}
	}
	if got := receiveTerm(ctx, p); got != etf.Term(etf.Atom("hello")) {
		t.Errorf("the loop answers %v", got)
	}
	if down, _ := receiveTerm(ctx, p).(truss.Down); down.Ref != loop.Ref || down.Reason != etf.Term(etf.Atom("normal")) {
		t.Errorf("the loop ends with %v", down.Reason)
	}
}

func applyModule(t *testing.T, ctx context.Context, p *truss.Process) {
	for _, test := range []struct {
		function string
		args     etf.List
		want     string
	}{
		{"echo", etf.List{etf.Tuple{etf.Atom("a"), 1.5}}, "{a,1.5}"},
		{"add", etf.List{40, 2}, "42"},
		{"nodes", etf.List{}, "['a@10.0.0.1']"},
		{"sleep", etf.List{1}, "ok"},
	} {
		value, err := p.Apply(ctx, "Elixir.Truss", test.function, test.args)
		if got := etf.Format(value); err != nil || got != test.want {
			t.Errorf("%s gives %s, %v, want %s", test.function, got, err, test.want)
		}
	}
}

func receiveTerm(ctx context.Context, p *truss.Process) etf.Term {
	m, err := p.Receive(ctx)
	if err != nil {
		return err
	}
	term, err := m.Term()
	if err != nil {
		return err
	}
	return term
}
