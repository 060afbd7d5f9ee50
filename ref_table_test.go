package truss

import (
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// TestRefTable has a refTable and a map do the same.
func TestRefTable(t *testing.T) {
	var table refTable[int]
	model := make(map[etf.Ref]int)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 10_000 {
		ref := etf.Ref{Node: "a@b", Len: 1, Words: [5]uint32{random.Uint32N(4)}}
		want, known := model[ref]
		if got, ok := table.get(ref); got != want || ok != known {
			t.Fatalf("step %d: %v is %d, %t, not %d, %t", i, ref, got, ok, want, known)
		}
		if random.IntN(2) == 0 {
			table.set(ref, i)
			model[ref] = i
		} else {
			if got, ok := table.remove(ref); got != want || ok != known {
				t.Fatalf("step %d: removed %d, %t, not %d, %t", i, got, ok, want, known)
			}
			delete(model, ref)
		}
		if all := maps.Collect(table.all()); !maps.Equal(all, model) || table.len() != len(model) {
			t.Fatalf("step %d: %v (%d), not %v", i, all, table.len(), model)
		}
	}
}
