package region

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/trusstest"
)

// TestNearest: the nearest node is called, and the next if that is not to be had.
func TestNearest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, near, far := c.Start("a"), c.Start("near"), c.Start("far")
		regions := make(map[*truss.Node]*Regions)
		for n, name := range map[*truss.Node]string{a: "ams", near: "syd", far: "syd"} {
			r, err := Start(n, Config{Region: name})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			regions[n] = r
			if err := n.Export("where", truss.Funcs{"am": n.Name}); err != nil {
				t.Fatal(err)
			}
		}
		c.Connect(a, near, far)
		synctest.Wait()
		r := regions[a]
		r.change(func() {
			r.peers[near.Name()].rtt, r.peers[far.Name()].rtt = time.Millisecond, time.Second
		})
		called := func() string {
			got, err := Call[string](t.Context(), r, "syd", "where", "am")
			if err != nil {
				t.Error(err)
			}
			return got
		}
		if got := called(); got != near.Name() {
			t.Errorf("%s is not the nearest of %v", got, r.Nodes("syd"))
		}
		// One that was there a moment ago, nearer than all.
		r.change(func() {
			r.peers["ghost@10.0.0.99"] = &peer{region: "syd", asked: true, stop: func() {}}
		})
		if nodes := r.Nodes("syd"); !slices.Equal(nodes, []string{"ghost@10.0.0.99", near.Name(), far.Name()}) {
			t.Error(nodes)
		}
		if got := called(); got != near.Name() {
			t.Errorf("%s is not the next", got)
		}
		// The measures of a minute later say that both are as near.
		time.Sleep(time.Minute)
		r.mu.Lock()
		defer r.mu.Unlock()
		if rtt := r.peers[far.Name()].rtt; rtt > time.Millisecond {
			t.Errorf("far is still %v away", rtt)
		}
	})
}
