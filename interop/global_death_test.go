package interop

import (
	_ "embed"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
)

//go:embed testdata/doomed.erl
var doomedModule string

// TestGlobalDeaths has a BEAM die, and a node of ours lost, in each state of joining a
// partition and of registering a name: when the other side's message of a kind has just
// arrived. A BEAM and a node of ours that were together before register and sync all the
// same. (Every state of ours, one by one: TestDeathAtEveryMessage in package global.)
func TestGlobalDeaths(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		epmd := release.StartEPMD(t)
		b := release.Start(t, beam.Options{Name: "m@127.0.0.1", EPMD: epmd})
		b.Load(t, doomedModule)
		m := startMember(t, epmd, "go@127.0.0.1")
		connect(t, m.Node, b.Name)
		joined(t, []member{m}, []*beam.Node{b})
		round := 0
		goOn := func(t *testing.T) {
			t.Helper()
			round++
			together := func() bool {
				return slices.Equal(m.Nodes(), []string{b.Name}) && b.MustEval(t, "nodes()") == atoms(m.Name())
			}
			// One that is lost and lives for a moment reports a loss too, by which the two
			// leave each other. That may be about to happen while they still seem to be
			// together, but not when both have dealt with what came before.
			eventually(t, "the two are together", func() bool {
				_ = m.Node.Connect(within(t), b.Name)
				return together() && b.MustEval(t, "global:sync()") == "ok" && m.Sync(within(t)) == nil && together()
			})
			if got := b.MustEval(t, fmt.Sprintf(registerIdle, fmt.Sprintf("{theirs, %d}", round))); got != "yes" {
				t.Fatalf("round %d: %s", round, got)
			}
			if err := m.RegisterName(within(t), etf.Tuple{etf.Atom("ours"), round}, idle(t, m.Node).PID()); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		kinds := []string{"init_connect", "init_connect_ack", "lock_set", "exchange", "resolved", "set_lock", "register", "del_lock"}
		for i, kind := range kinds {
			// The smallest name and the greatest: who resolves, and who is locked first.
			name := []string{"a@127.0.0.1", "z@127.0.0.1"}[i%2]
			t.Run("theirs/"+kind, func(t *testing.T) {
				victim := release.Start(t, beam.Options{Name: name, EPMD: epmd})
				victim.Load(t, doomedModule)
				victim.MustEval(t, fmt.Sprintf(registerIdle, "victims"))
				victim.MustEval(t, "doomed:halt_at("+kind+")")
				connect(t, m.Node, victim.Name)
				if kind == "register" { // which follows the join
					sees(t, m, "victims", name)
					if err := m.RegisterName(within(t), etf.Tuple{etf.Atom("late"), i}, idle(t, m.Node).PID()); err != nil {
						t.Fatal(err)
					}
				}
				<-victim.Exited()
				goOn(t)
			})
			t.Run("ours/"+kind, func(t *testing.T) {
				victim := startMember(t, epmd, fmt.Sprintf("%s%d@127.0.0.1", name[:1], i))
				if err := victim.RegisterName(within(t), etf.Atom("victims"), idle(t, victim.Node).PID()); err != nil {
					t.Fatal(err)
				}
				b.MustEval(t, "doomed:disconnect_at("+kind+", '"+victim.Name()+"')")
				next := events(t, victim.Node)
				connect(t, victim.Node, b.Name)
				// What a join does not need follows when there are other nodes to lock.
				registering, late := within(t), idle(t, victim.Node).PID()
				done := make(chan struct{})
				go func() {
					defer close(done)
					for victim.ReRegisterName(registering, etf.Atom("late"), late) == nil {
						time.Sleep(10 * time.Millisecond) // not to have the lock all the time
					}
				}()
				for next(b.Name).Up {
				}
				victim.Node.Close()
				<-done
				goOn(t)
			})
		}
	})
}
