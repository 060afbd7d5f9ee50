package region_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/region"
	"github.com/truss-beam/truss/trusstest"
)

// TestSetup: a node that dials while another one starts finds its region with the
// first question.
func TestSetup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, ra := in(t, c, "a", "ams")
		dialled := make(chan error, 1)
		b := c.Start("b", func(config *truss.Config) {
			config.Setup = func(b *truss.Node) error {
				go func() { dialled <- a.Connect(t.Context(), b.Name()) }()
				synctest.Wait() // it has dialled, and gets no further
				if nodes := b.Nodes(); len(nodes) != 0 {
					t.Errorf("connected before it is set up: %v", nodes)
				}
				r, err := region.Start(b, region.Config{Region: "syd"})
				if err == nil {
					t.Cleanup(r.Close)
				}
				return err
			}
		})
		if err := <-dialled; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if nodes := ra.Nodes("syd"); len(nodes) != 1 || nodes[0] != b.Name() {
			t.Errorf("in syd are %v", nodes)
		}
		// What fails in it fails the start.
		wrong := errors.New("wrong")
		if _, err := c.TryStart("c", func(config *truss.Config) {
			config.Setup = func(*truss.Node) error { return wrong }
		}); !errors.Is(err, wrong) {
			t.Error(err)
		}
	})
}
