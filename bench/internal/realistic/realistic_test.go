package realistic_test

import (
	"reflect"
	"testing"

	"github.com/truss-beam/truss/bench/internal/realistic"
	"github.com/truss-beam/truss/etf"
)

func TestTheTermHas50KB(t *testing.T) {
	b, err := etf.Marshal(realistic.New())
	if err != nil {
		t.Fatal(err)
	}
	if len(b) < 48_000 || len(b) > 52_000 {
		t.Errorf("it has %d bytes", len(b))
	}
	var back realistic.Page
	if err := etf.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&back, realistic.New()) {
		t.Error("what is read back is not what was written")
	}
}

func TestHeld(t *testing.T) {
	type inner struct{ Name string }
	type outer struct {
		Role  etf.Atom
		Empty string
		List  []inner
		Tags  []string
		N     int
	}
	v := &outer{Role: "admin", List: []inner{{"a"}, {"b"}}, Tags: []string{"x"}}
	// itself, List, its two names, Tags, its one string
	if got := realistic.Held(v); got != 6 {
		t.Errorf("Held = %d, want 6", got)
	}
}
