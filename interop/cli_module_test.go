package interop

import (
	"strconv"
	"testing"

	"github.com/truss-beam/truss/internal/beam"
)

// TestCLIModule has a BEAM spawn the functions that truss node exports. Those that
// fail are left out, for the command logs them: TestModule of internal/cli has them.
func TestCLIModule(t *testing.T) {
	built := buildTool(t)
	each(t, func(t *testing.T, release beam.Release) {
		port := release.StartEPMD(t)
		peer := release.Start(t, beam.Options{Name: "beam@127.0.0.1", EPMD: port})
		node := built.at(port).begin(t, "node", "--name", "go@127.0.0.1", "--listen", "127.0.0.1", "--epmd", strconv.Itoa(port))
		if got := node(); got != "ready go@127.0.0.1" {
			t.Fatalf("truss node prints %q", got)
		}
		for _, c := range []struct{ expr, want string }{
			{"Pid = spawn_link(Go, truss, loop, []), Pid ! noise, Pid ! {self(), {a, 1}}, T = receive {a, 1} -> same after 10000 -> nothing end, Ref = monitor(process, Pid), Pid ! stop, {T, receive {'DOWN', Ref, _, _, R} -> R end}", "{same,normal}"},
			{"{_, Ref} = spawn_monitor(Go, 'Elixir.Truss', exit, [bye]), receive {'DOWN', Ref, _, _, R} -> R end", "bye"},
			{"{_, Ref} = spawn_monitor(Go, fun truss:nodes/0), receive {'DOWN', Ref, _, _, R} -> R end", "normal"},
			{"{Time, normal} = timer:tc(fun() -> {_, Ref} = spawn_monitor(Go, truss, sleep, [30]), receive {'DOWN', Ref, _, _, R} -> R end end), Time >= 30000", "true"},
		} {
			if got := peer.MustEval(t, "Go = 'go@127.0.0.1', "+c.expr); got != c.want {
				t.Errorf("%s gives %s, want %s", c.expr, got, c.want)
			}
		}
	})
}
