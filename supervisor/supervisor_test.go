package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/supervisor"
	"github.com/truss-beam/truss/trusstest"
)

var quiet = slog.New(slog.DiscardHandler)

// journal is what children tell of themselves, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

// take returns what was added since the last time.
func (j *journal) take() string {
	synctest.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	defer func() { j.lines = nil }()
	return strings.Join(j.lines, " ")
}

// child is one called name that ends as it is told by a message: with the error of
// that text, or nil for "normal". When it ends otherwise it takes delay to return.
func (j *journal) child(name string, delay time.Duration) supervisor.Child {
	return supervisor.Child{Name: name, Options: []truss.SpawnOption{truss.Registered(name)},
		Run: func(ctx context.Context, p *truss.Process) error {
			j.add("+%s", name)
			defer j.add("-%s", name)
			m, err := p.Receive(ctx)
			if err != nil {
				time.Sleep(delay)
				return err
			}
			var reason string
			if err := m.Unmarshal(&reason); err != nil {
				return err
			}
			if reason == "normal" {
				return nil
			}
			return errors.New(reason)
		}}
}

// inBubble runs a test with a node on fake time.
func inBubble(t *testing.T, test func(t *testing.T, n *truss.Node)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, trusstest.New(t).Start("a")) })
}

// tell makes a child end.
func tell(t *testing.T, n *truss.Node, name, how string) {
	t.Helper()
	if err := n.Send(t.Context(), name, how); err != nil {
		t.Fatal(err)
	}
}

func spawn(t *testing.T, n *truss.Node, config supervisor.Config, children ...supervisor.Child) *truss.Process {
	t.Helper()
	config.Logger = quiet
	p, err := n.Spawn(supervisor.New(config, children...))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return p
}

func reason(p *truss.Process) string {
	synctest.Wait()
	var exit *truss.ExitError
	if errors.As(context.Cause(p.Context()), &exit) {
		return etf.Format(exit.Reason)
	}
	return "lives"
}

func TestStrategies(t *testing.T) {
	for _, test := range []struct {
		strategy supervisor.Strategy
		want     string
	}{
		{supervisor.OneForOne, "-b +b"},
		{supervisor.RestForOne, "-b -c +b +c"},
		{supervisor.OneForAll, "-b -c -a +a +b +c"},
	} {
		t.Run(test.want, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *truss.Node) {
				var j journal
				sup := spawn(t, n, supervisor.Config{Strategy: test.strategy}, j.child("a", 0), j.child("b", 0), j.child("c", 0))
				if got := sorted(j.take()); got != "+a +b +c" {
					t.Fatal("started", got)
				}
				tell(t, n, "b", "broken")
				// Those started at the same time run side by side.
				got, want := j.take(), test.want
				if i := strings.Index(got, "+"); i < 0 || got[:i]+sorted(got[i:]) != want {
					t.Errorf("%s, want %s", got, want)
				}
				if err := n.Stop(t.Context(), sup, etf.Atom("shutdown")); err != nil {
					t.Error(err)
				}
				if got := j.take(); got != "-c -b -a" {
					t.Errorf("stopped %s, want the last first", got)
				}
			})
		})
	}
}

func sorted(words string) string {
	list := strings.Fields(words)
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestRestart(t *testing.T) {
	for _, test := range []struct {
		restart supervisor.Restart
		ends    string
		again   bool
	}{
		{supervisor.Permanent, "normal", true},
		{supervisor.Permanent, "broken", true},
		{supervisor.Transient, "normal", false},
		{supervisor.Transient, "broken", true},
		{supervisor.Temporary, "normal", false},
		{supervisor.Temporary, "broken", false},
	} {
		inBubble(t, func(t *testing.T, n *truss.Node) {
			var j journal
			c := j.child("a", 0)
			c.Restart = test.restart
			sup := spawn(t, n, supervisor.Config{}, c)
			j.take()
			tell(t, n, "a", test.ends)
			want := "-a"
			if test.again {
				want = "-a +a"
			}
			if got := j.take(); got != want || reason(sup) != "lives" {
				t.Errorf("%+v: %s, want %s; the supervisor: %s", test, got, want, reason(sup))
			}
		})
	}
}

// TestTransientShutdown: shutdown and {shutdown, _} are no failures.
func TestTransientShutdown(t *testing.T) {
	for _, end := range []etf.Term{etf.Atom("shutdown"), etf.Tuple{etf.Atom("shutdown"), etf.Atom("enough")}} {
		inBubble(t, func(t *testing.T, n *truss.Node) {
			var j journal
			sup := spawn(t, n, supervisor.Config{}, supervisor.Child{Name: "a", Restart: supervisor.Transient,
				Run: func(context.Context, *truss.Process) error {
					j.add("+a")
					return &truss.ExitError{Reason: end}
				}})
			if got := j.take(); got != "+a" || reason(sup) != "lives" {
				t.Errorf("%s: %s; the supervisor: %s", etf.Format(end), got, reason(sup))
			}
		})
	}
}

func TestIntensity(t *testing.T) {
	inBubble(t, func(t *testing.T, n *truss.Node) {
		var j journal
		sup := spawn(t, n, supervisor.Config{Restarts: 2, Period: 10 * time.Second}, j.child("a", 0), j.child("b", 0))
		for range 10 { // one each 6 s: never more than two in 10 s
			tell(t, n, "b", "broken")
			time.Sleep(6 * time.Second)
		}
		if reason(sup) != "lives" {
			t.Fatal("the supervisor has given up:", reason(sup))
		}
		time.Sleep(10 * time.Second)
		j.take()
		for range 3 {
			tell(t, n, "b", "broken")
			synctest.Wait()
		}
		if got := j.take(); got != "-b +b -b +b -b -a" || reason(sup) != "shutdown" {
			t.Errorf("%s; the supervisor: %s", got, reason(sup))
		}
	})
}

// TestShutdownDeadline: a child that takes too long is killed, and one whose
// function never returns is left behind.
func TestShutdownDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T, n *truss.Node) {
		var j journal
		slow, slower := j.child("slow", 4*time.Second), j.child("slower", 7*time.Second)
		patient := j.child("patient", time.Hour)
		patient.Shutdown = -1
		traps := supervisor.Child{Name: "traps", Shutdown: time.Second, Run: func(ctx context.Context, p *truss.Process) error {
			p.TrapExit(true)
			<-ctx.Done() // only kill gets it
			j.add("killed")
			return nil
		}}
		for _, test := range []struct {
			child supervisor.Child
			takes time.Duration
		}{
			{slow, 4 * time.Second},
			{slower, 6 * time.Second}, // 5 s, and 1 s after kill
			{patient, time.Hour},
			{traps, time.Second},
		} {
			sup := spawn(t, n, supervisor.Config{}, test.child)
			j.take()
			began := time.Now()
			if err := n.Stop(t.Context(), sup, etf.Atom("shutdown")); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took != test.takes {
				t.Errorf("%s: stopped after %v, want %v", test.child.Name, took, test.takes)
			}
		}
		if got := j.take(); got != "killed" {
			t.Error(got)
		}
		time.Sleep(time.Hour) // the slower one returns in the end
	})
}

// TestKilledWhileStarting: what a supervisor starts that is dead already, and so
// cannot be linked to it, does not run.
func TestKilledWhileStarting(t *testing.T) {
	inBubble(t, func(t *testing.T, n *truss.Node) {
		var j journal
		run := supervisor.New(supervisor.Config{Logger: quiet}, j.child("a", 0), j.child("b", 0))
		p, err := n.Spawn(func(ctx context.Context, p *truss.Process) error {
			if err := p.Exit(ctx, p.PID(), etf.Atom("kill")); err != nil {
				return err
			}
			return run(ctx, p)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := j.take(); got != "" || reason(p) != "killed" {
			t.Errorf("%s; the supervisor: %s", got, reason(p))
		}
	})
}

// TestTree: a supervisor whose child is one. What the inner cannot cure ends it, and
// the outer starts it anew, with its children.
func TestTree(t *testing.T) {
	inBubble(t, func(t *testing.T, n *truss.Node) {
		var j journal
		inner := supervisor.New(supervisor.Config{Restarts: -1, Logger: quiet}, j.child("a", 0), j.child("b", time.Second))
		sup := spawn(t, n, supervisor.Config{}, supervisor.Child{Name: "inner", Run: inner, Shutdown: -1}, j.child("c", 0))
		if got := sorted(j.take()); got != "+a +b +c" {
			t.Fatal(got)
		}
		tell(t, n, "a", "broken")
		time.Sleep(2 * time.Second)
		if got := j.take(); !strings.HasPrefix(got, "-a -b") || sorted(got[5:]) != "+a +b" {
			t.Error(got)
		}
		if err := n.Stop(t.Context(), sup, etf.Atom("shutdown")); err != nil {
			t.Error(err)
		}
		if got := j.take(); got != "-c -b -a" {
			t.Error(got)
		}
	})
}

// TestKilled: a supervisor that is killed takes its children along.
func TestKilled(t *testing.T) {
	inBubble(t, func(t *testing.T, n *truss.Node) {
		var j journal
		sup := spawn(t, n, supervisor.Config{}, j.child("a", 0), j.child("b", 0))
		j.take()
		if _, err := n.Spawn(func(ctx context.Context, p *truss.Process) error {
			return p.Exit(ctx, sup.PID(), etf.Atom("kill"))
		}); err != nil {
			t.Fatal(err)
		}
		if got := sorted(j.take()); got != "-a -b" || reason(sup) != "killed" {
			t.Errorf("%s; the supervisor: %s", got, reason(sup))
		}
	})
}

// TestCannotStart: a name that is taken ends the supervisor at the start; later it
// counts as a restart, and then the supervisor gives up.
func TestCannotStart(t *testing.T) {
	inBubble(t, func(t *testing.T, n *truss.Node) {
		var j journal
		sup := spawn(t, n, supervisor.Config{}, j.child("a", 0), j.child("a", 0))
		if got := reason(sup); !strings.Contains(got, `cannot start child \"a\"`) {
			t.Error(got)
		}
		if got := j.take(); got != "+a -a" && got != "" { // the first may be stopped before it runs
			t.Error("the first child:", got)
		}
		if n.Whereis("a") != nil {
			t.Error("the first child is left")
		}
		sup = spawn(t, n, supervisor.Config{}, supervisor.Child{Name: "nothing"})
		if got := reason(sup); !strings.Contains(got, "no Run") {
			t.Error(got)
		}

		sup = spawn(t, n, supervisor.Config{}, supervisor.Child{
			Name: "thief", Options: []truss.SpawnOption{truss.Registered("b")},
			Run: func(ctx context.Context, p *truss.Process) error {
				m, err := p.Receive(ctx)
				if err != nil {
					return err
				}
				n.Unregister("b")
				if _, err := n.Spawn(func(ctx context.Context, _ *truss.Process) error { <-ctx.Done(); return nil }, truss.Registered("b")); err != nil {
					return err
				}
				return fmt.Errorf("robbed by %v", m)
			}})
		tell(t, n, "b", "now")
		if got := reason(sup); got != "shutdown" {
			t.Error(got)
		}
	})
}

// TestCalls: what OTP's supervisor module asks.
func TestCalls(t *testing.T) {
	inBubble(t, func(t *testing.T, n *truss.Node) {
		var j journal
		temporary := j.child("b", 0)
		temporary.Restart = supervisor.Temporary
		sup := spawn(t, n, supervisor.Config{}, j.child("a", 0), temporary)
		tell(t, n, "b", "normal")
		synctest.Wait()
		for _, test := range []struct{ request, want string }{
			{"which_children", fmt.Sprintf("[{<<\"b\">>,undefined,worker,dynamic},{<<\"a\">>,%v,worker,dynamic}]", n.Whereis("a").PID())},
			{"count_children", "[{specs,2},{active,1},{supervisors,0},{workers,2}]"},
			{"start_child", `{error,<<"the children of a Go supervisor are fixed">>}`},
		} {
			got, err := truss.Call[etf.Term](t.Context(), n, sup, etf.Atom(test.request))
			if err != nil || etf.Format(got) != test.want {
				t.Errorf("%s = %s, %v, want %s", test.request, etf.Format(got), err, test.want)
			}
		}
	})
}
