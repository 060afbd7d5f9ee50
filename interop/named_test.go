package interop

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/internal/beam"
)

// TestWeGiveNames: a BEAM started as -name undefined gets its name from us.
func TestWeGiveNames(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		epmd := release.StartEPMD(t)
		n := start(t, truss.Config{Name: "go@127.0.0.1", Epmd: fmt.Sprintf("127.0.0.1:%d", epmd)})
		peer := release.Start(t, beam.Options{Name: "undefined@127.0.0.1", EPMD: epmd})
		if got := peer.MustEval(t, "net_kernel:connect_node('go@127.0.0.1')"); got != "true" {
			t.Fatal("connect_node:", got)
		}
		eventually(t, "the BEAM is a hidden node", func() bool { return len(n.HiddenNodes()) == 1 })
		name := n.HiddenNodes()[0]
		if got := peer.MustEval(t, "node()"); got != "'"+name+"'" || !strings.HasSuffix(name, "@127.0.0.1") {
			t.Errorf("the BEAM is %s, to us %s", got, name)
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		if err := n.Ping(ctx, name); err != nil {
			t.Error(err)
		}
		if got := peer.MustEval(t, "net_adm:ping('go@127.0.0.1')"); got != "pong" {
			t.Error("its ping:", got)
		}
	})
}

// TestTheyGiveNames: a BEAM gives us ours.
func TestTheyGiveNames(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		epmd := release.StartEPMD(t)
		peer := release.Start(t, beam.Options{Name: "beam@127.0.0.1", EPMD: epmd})
		n := start(t, truss.Config{
			Name: "127.0.0.1", NameFrom: peer.Name, Epmd: fmt.Sprintf("127.0.0.1:%d", epmd),
		})
		peer.Await(t, "{nodes(), nodes(hidden)}", "{[],"+atoms(n.Name())+"}")
		if got := peer.MustEval(t, "net_adm:ping('"+n.Name()+"')"); got != "pong" {
			t.Errorf("its ping of %s: %s", n.Name(), got)
		}
	})
}
