package cli

import (
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/global"
	"github.com/truss-beam/truss/pg"
	"github.com/truss-beam/truss/pubsub"
	"github.com/truss-beam/truss/region"
	"github.com/truss-beam/truss/trusstest"
)

// TestFirstMoment: a node that dials while a truss node starts, and is connected as
// soon as it lets others in, finds all that the flags say without asking twice.
func TestFirstMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := trusstest.New(t)
		a := cluster.Start("a")
		names, err := global.Start(a, global.Config{})
		if err != nil {
			t.Fatal(err)
		}
		regions, err := region.Start(a, region.Config{Region: "ams"})
		if err != nil {
			t.Fatal(err)
		}
		defer regions.Close()
		groups, err := pg.Start(a, "jobs")
		if err != nil {
			t.Fatal(err)
		}
		ps, err := pubsub.Start(a, pubsub.Config{Name: "MyApp.PubSub"})
		if err != nil {
			t.Fatal(err)
		}
		flags := citizenFlags{name: "calc", groups: []string{"jobs/workers"}, topics: []string{"MyApp.PubSub/orders"}, region: "syd"}
		c := &citizen{heard: newInbox(slog.New(slog.NewTextHandler(io.Discard, nil)))}
		dialled := make(chan error, 1)
		b := cluster.Start("b", func(config *truss.Config) {
			config.Setup = func(b *truss.Node) error {
				go func() { dialled <- a.Connect(t.Context(), b.Name()) }()
				synctest.Wait() // it has dialled, and waits
				return c.start(t.Context(), b, &flags)
			}
		})
		if err := <-dialled; err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // and no time passes
		if nodes := regions.Nodes("syd"); len(nodes) != 1 {
			t.Errorf("in syd are %v", nodes)
		}
		if members := groups.Members(etf.Atom("workers")); len(members) != 1 {
			t.Errorf("workers are %v", members)
		}
		if nodes := ps.Nodes(); len(nodes) != 1 {
			t.Errorf("a broadcast would go to %v", nodes)
		}
		if event := <-c.events; event.Node != a.Name() || !event.Up {
			t.Errorf("the first event is %v", event)
		}
		time.Sleep(time.Minute) // global locks before it tells names
		if pid, ok := names.WhereisName(etf.Atom("calc")); !ok || string(pid.Node) != b.Name() {
			t.Errorf("calc is %v, %v", pid, ok)
		}
		if err := c.leave(); err != nil {
			t.Error(err)
		}
	})
}
