package interop

import (
	"strings"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/internal/beam"
)

// TestElixirTasks: Tasks is a Task.Supervisor to Elixir 1.14, 1.18 and 1.20.
func TestElixirTasks(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{Elixir: true}, truss.Config{})
		exportGo(t, p.node)
		if err := p.node.Export("Elixir.Calc", truss.Funcs{"add": func(a, b int) int { return a + b }}); err != nil {
			t.Fatal(err)
		}
		if _, err := p.node.Serve("Elixir.Tasks", truss.Tasks()); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ code, want string }{
			{`Task.Supervisor.async(sup, Calc, :add, [1, 2]) |> Task.await()`, "3"},
			{`Task.Supervisor.async_nolink(sup, Calc, :add, [1, 2]) |> Task.await()`, "3"},
			{`Task.Supervisor.async_stream(sup, 1..20, Calc, :add, [1]) |> Enum.map(fn {:ok, n} -> n end) |> Enum.sum()`, "230"},
			{`{:ok, pid} = Task.Supervisor.start_child(sup, Go, :tell, [self(), :hello]); receive do {^pid, what} -> what after 10_000 -> nil end`, ":hello"},
			{`Process.flag(:trap_exit, true); catch_exit = fn f -> try do f.() catch :exit, {reason, _} -> reason end end; catch_exit.(fn -> Task.Supervisor.async(sup, Go, :leave, [:bye]) |> Task.await() end)`, ":bye"},
			{`task = Task.Supervisor.async_nolink(sup, Go, :raise, ["wrong"]); {:exit, {e, _}} = Task.yield(task, 10_000); Exception.message(e)`, `"wrong"`},
			{`task = Task.Supervisor.async_nolink(sup, Go, :wait, []); {task.pid in Task.Supervisor.children(sup), Task.shutdown(task, :brutal_kill)}`, "{true, nil}"},
			{`task = Task.Supervisor.async_nolink(sup, Go, :wait, []); :ok = Task.Supervisor.terminate_child(sup, task.pid); Task.yield(task, 10_000)`, "{:exit, :shutdown}"},
			{`task = Task.Supervisor.async_nolink(sup, fn -> 1 end); {:exit, {{:badfun, f}, []}} = Task.yield(task, 10_000); is_function(f, 0)`, "true"},
		} {
			if got := p.beam.MustEvalElixir(t, "sup = {Tasks, :\"go@127.0.0.1\"}; "+c.code); !strings.Contains(got, c.want) {
				t.Errorf("%s gives %s, want %s", c.code, got, c.want)
			}
		}
	})
}
