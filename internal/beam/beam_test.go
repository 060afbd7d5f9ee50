package beam

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// each runs a test against every release, side by side.
func each(t *testing.T, test func(*testing.T, Release)) {
	t.Parallel()
	for _, release := range Releases(t) {
		t.Run(release.String(), func(t *testing.T) {
			t.Parallel()
			test(t, release)
		})
	}
}

func TestEval(t *testing.T) {
	each(t, func(t *testing.T, release Release) {
		n := release.Start(t, Options{})
		for _, c := range []struct{ expr, want string }{
			{"1 + 1", "2"},
			{"X = 20, Y = 22, X + Y", "42"},
			{"[$h, $i] % a comment", `"hi"`},
			{"<<\"é\"/utf8>>", `<<"é"/utf8>>`},
			{"node()", "'" + n.Name + "'"},
			{"erlang:get_cookie()", n.Cookie},
			{"erlang:system_info(otp_release)", `"` + release.OTP + `"`},
			{"io:put_chars(\"printed\\n\")", "ok"},
			{"length(lists:seq(1, 100000))", "100000"},
			{"(fun F(0) -> 1; F(N) -> N * F(N - 1) end)(20)", "2432902008176640000"},
		} {
			if got := n.MustEval(t, c.expr); got != c.want {
				t.Errorf("%s = %s, want %s", c.expr, got, c.want)
			}
		}
		if !strings.Contains(n.Output(), "printed\n") {
			t.Errorf("output %q lacks what was printed", n.Output())
		}
	})
}

func TestEvalErrors(t *testing.T) {
	each(t, func(t *testing.T, release Release) {
		n := release.Start(t, Options{})
		for _, c := range []struct{ expr, want string }{
			{"1 +", "not Erlang"},
			{"\"abc", "not Erlang"},
			{"error(boom)", "exception error: boom"},
			{"throw(up)", "exception throw: up"},
			{"exit(self(), kill), receive after infinity -> ok end", "ended: killed"},
			{"lists:nth(9, [])", "lists:nth(9,[])"},
			{"X = 1, X = 2", "no match of right hand side value 2"},
		} {
			_, err := n.Eval(t.Context(), c.expr)
			var problem *EvalError
			if !errors.As(err, &problem) || !strings.Contains(problem.Text, c.want) {
				t.Errorf("%s: error %v, want %q in it", c.expr, err, c.want)
			}
		}
		if got := n.MustEval(t, "still_here"); got != "still_here" {
			t.Error(got)
		}
	})
}

func TestEvalInParallel(t *testing.T) {
	each(t, func(t *testing.T, release Release) {
		n := release.Start(t, Options{})
		blocked := n.Go("register(gate, self()), receive open -> opened end")
		n.Await(t, "is_pid(whereis(gate))", "true")
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				if got := n.MustEval(t, fmt.Sprintf("%d * 2", i)); got != fmt.Sprint(i*2) {
					t.Errorf("%d * 2 = %s", i, got)
				}
			})
		}
		all.Wait()
		n.MustEval(t, "gate ! open")
		if got := blocked.MustWait(t); got != "opened" {
			t.Error(got)
		}
	})
}

func TestEvalGivesUp(t *testing.T) {
	each(t, func(t *testing.T, release Release) {
		n := release.Start(t, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		sleeping := n.Go("register(sleeper, self()), receive after infinity -> ok end")
		n.Await(t, "is_pid(whereis(sleeper))", "true")
		cancel()
		if _, err := sleeping.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		n.Await(t, "whereis(sleeper)", "undefined")
	})
}

func TestProcessKeepsVariablesAndMailbox(t *testing.T) {
	each(t, func(t *testing.T, release Release) {
		n := release.Start(t, Options{})
		p, q := n.Spawn(), n.Spawn()
		p.MustEval(t, "Self = self(), register(p, Self)")
		q.MustEval(t, "Self = not_a_pid, p ! {from, q}")
		if got := p.MustEval(t, "Self = self(), receive M -> M end"); got != "{from,q}" {
			t.Error(got)
		}
		if _, err := p.Eval(t.Context(), "error(oops)"); err == nil {
			t.Error("no error")
		}
		if got := p.MustEval(t, "whereis(p) =:= Self"); got != "true" {
			t.Error("an exception ended the process")
		}
	})
}

func TestLoad(t *testing.T) {
	each(t, func(t *testing.T, release Release) {
		n := release.Start(t, Options{})
		n.Load(t, `-module(adder).
			-export([add/2]).
			add(A, B) -> A + B. % the "sum" é`)
		if got := n.MustEval(t, "adder:add(1, 2)"); got != "3" {
			t.Error(got)
		}
	})
}

func TestElixir(t *testing.T) {
	each(t, func(t *testing.T, release Release) {
		epmd := release.StartEPMD(t)
		a := release.Start(t, Options{Name: "ex@127.0.0.1", EPMD: epmd, Elixir: true, Kernel: map[string]string{"net_ticktime": "17"}})
		b := release.Start(t, Options{EPMD: epmd, Elixir: true, Hidden: true})
		if got := a.MustEvalElixir(t, `Enum.map([1, 2], &(&1 * 2)) ++ [Node.self()]`); got != "[2, 4, :\"ex@127.0.0.1\"]" {
			t.Error(got)
		}
		if got := a.MustEval(t, "net_kernel:get_net_ticktime()"); got != "17" {
			t.Error(got)
		}
		if got := b.MustEvalElixir(t, `Node.connect(:"ex@127.0.0.1")`); got != "true" {
			t.Error(got)
		}
		if got := a.MustEvalElixir(t, `Node.list(:hidden)`); got != `[:"`+b.Name+`"]` {
			t.Error(got)
		}
		_, err := a.EvalElixir(t.Context(), `raise "no"`)
		if err == nil || !strings.Contains(err.Error(), "(RuntimeError) no") {
			t.Errorf("error %v", err)
		}
	})
}

// TestPing joins two nodes in each way that the interop tests use.
func TestPing(t *testing.T) {
	each(t, func(t *testing.T, release Release) {
		epmd, port := release.StartEPMD(t), FreePort(t)
		for _, c := range []struct {
			how  string
			a, b Options
		}{
			{"epmd", Options{Name: "a@127.0.0.1", EPMD: epmd}, Options{Name: "b@127.0.0.1", EPMD: epmd}},
			{"no epmd", Options{Name: "a@127.0.0.1", Port: port}, Options{Name: "b@127.0.0.2", Port: port}},
			{"IPv6", Options{Name: "c@::1", EPMD: epmd}, Options{Name: "d@::1", EPMD: epmd}},
			{"short names", Options{Name: "e@localhost", EPMD: epmd, Short: true}, Options{Name: "f@localhost", EPMD: epmd, Short: true}},
			{"hidden", Options{EPMD: epmd, Hidden: true}, Options{EPMD: epmd}},
		} {
			t.Run(c.how, func(t *testing.T) {
				a, b := release.Start(t, c.a), release.Start(t, c.b)
				if got := a.MustEval(t, "net_adm:ping('"+b.Name+"')"); got != "pong" {
					t.Fatal(got)
				}
				kind := "visible"
				if c.a.Hidden || c.b.Hidden {
					kind = "hidden"
				}
				b.Await(t, "nodes("+kind+")", a.MustEval(t, "[node()]"))
			})
		}
	})
}

func TestKillIsSeen(t *testing.T) {
	each(t, func(t *testing.T, release Release) {
		port := FreePort(t)
		a := release.Start(t, Options{Name: "a@127.0.0.1", Port: port})
		b := release.Start(t, Options{Name: "b@127.0.0.2", Port: port})
		watcher := a.Spawn()
		watcher.MustEval(t, "true = net_kernel:connect_node('b@127.0.0.2'), monitor_node('b@127.0.0.2', true)")
		waiting := b.Go("receive after infinity -> ok end")
		b.Kill()
		if got := watcher.MustEval(t, "receive M -> M end"); got != "{nodedown,'b@127.0.0.2'}" {
			t.Error(got)
		}
		for what, err := range map[string]error{
			"an eval under way": second(waiting.Wait(t.Context())),
			"a new eval":        second(b.Eval(t.Context(), "1")),
		} {
			if err == nil || !strings.Contains(err.Error(), "signal: killed") {
				t.Errorf("%s: error %v does not say how the node ended", what, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestPauseAndStop(t *testing.T) {
	each(t, func(t *testing.T, release Release) {
		n := release.Start(t, Options{})
		n.Pause(t)
		value := n.Go("resumed")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := n.Eval(ctx, "1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a paused node answered: %v", err)
		}
		n.Resume(t)
		if got := value.MustWait(t); got != "resumed" {
			t.Error(got)
		}
		n.Stop(t)
		if err := n.status; err != nil {
			t.Errorf("init:stop() ended it with %v", err)
		}
	})
}

// A signal only begins to stop a program of many threads: one that was pausing
// could still answer.
func TestPausedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, release Release) {
		n := release.Start(t, Options{})
		for range 50 {
			pending := n.Go("[ok || _ <- lists:seq(1, 10000)], ok") // keeps its threads busy
			n.Pause(t)
			tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", n.cmd.Process.Pid))
			if err != nil || len(tasks) < 2 {
				t.Fatal(tasks, err)
			}
			for _, task := range tasks {
				stat, err := os.ReadFile(task)
				if err != nil {
					t.Fatal(err)
				}
				// The state follows the name, which is in parentheses (proc_pid_stat(5)).
				if _, fields, _ := strings.Cut(string(stat), ") "); fields[0] != 'T' {
					t.Errorf("%s: a thread is in state %c", task, fields[0])
				}
			}
			n.Resume(t)
			pending.MustWait(t)
		}
	})
}

func TestFailingStartSaysWhy(t *testing.T) {
	each(t, func(t *testing.T, release Release) {
		epmd := release.StartEPMD(t)
		release.Start(t, Options{Name: "taken@127.0.0.1", EPMD: epmd})
		_, err := release.TryStart(t, Options{Name: "taken@127.0.0.1", EPMD: epmd})
		if err == nil || !strings.Contains(err.Error(), "in use") {
			t.Errorf("error %v", err)
		}
	})
}
