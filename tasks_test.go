package truss_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/trusstest"
)

// startTask has a Task.Supervisor start a task, and monitors it.
func startTask(t *testing.T, ctx context.Context, p *truss.Process, sup truss.Name, more ...any) (pid etf.Pid, down etf.Ref) {
	t.Helper()
	owner := etf.Tuple{p.PID().Node, p.PID(), p.PID()}
	request := etf.Tuple{etf.Atom("start_task"), append(etf.List{owner}, more...), etf.Atom("temporary"), etf.Atom("nil")}
	term, err := truss.Call[etf.Tuple](ctx, p, sup, request)
	if err != nil || len(term) != 2 {
		t.Errorf("start_task: %v, %v", term, err)
		return pid, down
	}
	pid, ok := term[1].(etf.Pid)
	if !ok {
		t.Errorf("start_task: %v", etf.Format(term))
	}
	if down, err = p.Monitor(ctx, pid); err != nil {
		t.Error(err)
	}
	return pid, down
}

// TestTasks asks in the words of Task.Supervisor.
func TestTasks(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		exportJobs(t, b)
		if _, err := b.Serve("tasks", truss.Tasks()); err != nil {
			t.Fatal(err)
		}
		sup := truss.Name{Name: "tasks", Node: b.Name()}
		monitor, jobs := etf.Atom("monitor"), etf.Atom("jobs")
		asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
			order := func(function string, args ...any) etf.Tuple {
				return etf.Tuple{p.PID(), etf.Atom("ref"), p.PID(), etf.List{p.PID()}, etf.Tuple{jobs, etf.Atom(function), etf.List(args)}}
			}
			ends := func(what string, ref etf.Ref, want string) {
				t.Helper()
				if down, _ := next(t, ctx, p).(truss.Down); down.Ref != ref || etf.Format(down.Reason) != want {
					t.Errorf("%s ends with %s, want %s", what, etf.Format(down.Reason), want)
				}
			}

			// async, which answers and ends; others' messages are not its owner's.
			task, ref := startTask(t, ctx, p, sup, monitor)
			for _, message := range []any{etf.Atom("noise"), etf.Tuple{sup.Name, 1, 2, 3, 4}, order("add", 1, 2)} {
				if err := p.Send(ctx, task, message); err != nil {
					t.Error(err)
				}
			}
			if got := etf.Format(next(t, ctx, p)); got != "{ref,3}" {
				t.Errorf("the answer is %s", got)
			}
			ends("async", ref, "normal")

			task, ref = startTask(t, ctx, p, sup, monitor)
			_ = p.Send(ctx, task, order("fail", "why"))
			ends("a function that fails", ref, `{<<"why">>,[{jobs,fail,1,[]}]}`)

			task, ref = startTask(t, ctx, p, sup, monitor)
			_ = p.Send(ctx, task, order("nothing"))
			ends("a function that is not there", ref, `{undef,[{jobs,nothing,[],[]}]}`)

			began := time.Now()
			_, ref = startTask(t, ctx, p, sup, monitor)
			ends("a task that is told nothing", ref, "timeout")
			if waited := time.Since(began); waited != 5*time.Second {
				t.Errorf("it waits %v", waited)
			}

			// start_child of Elixir 1.14.
			_, _ = startTask(t, ctx, p, sup, etf.List{}, etf.Tuple{jobs, etf.Atom("tell"), etf.List{p.PID(), etf.Atom("hello")}})
			told, down := next(t, ctx, p), next(t, ctx, p)
			if _, ok := down.(truss.Down); !ok || told != etf.Term(etf.Atom("hello")) {
				t.Errorf("start_child: %v, %v", told, down)
			}

			// The children are those that run; each can be ended alone. That the last has
			// ended, we know before the supervisor does.
			synctest.Wait()
			task, ref = startTask(t, ctx, p, sup, monitor)
			_ = p.Send(ctx, task, order("wait"))
			children, err := truss.Call[etf.List](ctx, p, sup, etf.Atom("which_children"))
			if err != nil || len(children) != 1 || children[0].(etf.Tuple)[1] != etf.Term(task) {
				t.Errorf("children: %v, %v", children, err)
			}
			for _, want := range []string{"ok", "{error,not_found}"} {
				got, err := truss.Call[etf.Term](ctx, p, sup, etf.Tuple{etf.Atom("terminate_child"), task})
				if err != nil || etf.Format(got) != want {
					t.Errorf("terminate_child: %v, %v, want %s", got, err, want)
				}
				if want == "ok" {
					ends("a task that is terminated", ref, "shutdown")
				}
			}

			// What is nothing of all this is answered, and harms nothing.
			for _, request := range []any{
				etf.Atom("what"), etf.Tuple{etf.Atom("start_task"), 1, 2, 3}, etf.Tuple{etf.Atom("start_task"), etf.List{}, 2, 3},
				etf.Tuple{etf.Atom("start_task"), etf.List{1, 2, 3}, 2, 3}, etf.Tuple{etf.Atom("terminate_child"), 1},
			} {
				if got, err := truss.Call[etf.Tuple](ctx, p, sup, request); err != nil || got[0] != etf.Term(etf.Atom("error")) {
					t.Errorf("%v: %v, %v", request, got, err)
				}
			}

			// The end of the server is that of its tasks, and nobody is left.
			_, ref = startTask(t, ctx, p, sup, monitor)
			if err := p.Exit(ctx, b.Whereis("tasks").PID(), etf.Atom("over")); err != nil {
				t.Error(err)
			}
			ends("a task whose server ends", ref, "over")
		})
	})
}

// TestTasksOwner: a task whose owner is gone does not wait for it.
func TestTasksOwner(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		if _, err := b.Serve("tasks", truss.Tasks()); err != nil {
			t.Fatal(err)
		}
		pids := make(chan etf.Pid, 1)
		asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
			pid, _ := startTask(t, ctx, p, truss.Name{Name: "tasks", Node: b.Name()}, etf.Atom("monitor"))
			pids <- pid
		})
		pid := await(t, ctx, pids)
		asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
			began := time.Now()
			if _, err := p.Monitor(ctx, pid); err != nil {
				t.Error(err)
			}
			if _, ok := next(t, ctx, p).(truss.Down); !ok || time.Since(began) != 0 {
				t.Errorf("the task outlives its owner by %v", time.Since(began))
			}
		})
	})
}
