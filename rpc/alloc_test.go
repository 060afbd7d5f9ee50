package rpc_test

import (
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/rpc"
)

const maxCallAllocs = 70 // 50 without the race detector, with which a sync.Pool forgets some

// TestCallAllocates guards what a call costs on both nodes together.
func TestCallAllocates(t *testing.T) {
	x, y := twoNodes(t)
	err := x.Visit(func(p *truss.Process) error {
		allocs := testing.AllocsPerRun(500, func() {
			if _, err := rpc.Call[int](t.Context(), p, y.Name(), "calc", "add", 1, 2); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > maxCallAllocs {
			t.Errorf("%v allocations, want at most %d", allocs, maxCallAllocs)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
