package etf

import (
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

// TestBoxes holds what box.go makes against what Go makes of the same values,
// before and after a garbage collection that has to find the slabs through them.
func TestBoxes(t *testing.T) {
	var s slabs
	var got, want []Term
	add := func(boxed, plain Term) { got, want = append(got, boxed), append(want, plain) }
	for i := range 300 {
		text := fmt.Sprint("text", i)
		add(s.int(int64(i)<<20-5, 1000), int64(i)<<20-5)
		add(s.float(float64(i)/3, 1000), float64(i)/3)
		add(s.tuple(Tuple{text}, 1000), Tuple{text})
		add(s.list(List{text, i}, 1000), List{text, i})
		add(s.assoc(Map{{text, i}}, 1000), Map{{text, i}})
		add(s.binary([]byte(text), 1000), []byte(text))
	}
	s = slabs{}
	for range 3 {
		runtime.GC()
		if !reflect.DeepEqual(got, want) {
			t.Fatal("a boxed value is not what was boxed")
		}
	}
}

// TestAllocations guards the paths that every message takes.
func TestAllocations(t *testing.T) {
	table := []Term{Atom("a@b"), Atom("name"), Atom("")}
	cache := tableCache{"a@b": 0, "name": 1, "": 2}
	pid, ref := Pid{"a@b", 1, 2, 3}, Ref{Node: "a@b", Creation: 3, Len: 3, Words: [5]uint32{1, 2, 3}}
	e := Encoder{Cache: cache}
	control, err := e.Append(nil, Tuple{int64(6), pid, Atom(""), Atom("name"), ref, int64(70_000), uint64(1 << 63)})
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 0, 1<<17)
	terms := map[string]Term{"call": smallTuple(), "50KB": realistic()}
	for _, line := range goldens(t)[2].of("T") {
		if name := line[0]; name != "int" && len(line[2]) < 1000 && !strings.HasPrefix(name, "head ") {
			terms[name] = mustDecode(t, unhex(t, line[2]))
		}
	}
	records := Encoder{Records: true}
	for name, term := range terms {
		check(t, "Append "+name, 0, func() {
			if _, err := records.Append(buf, term); err != nil {
				t.Fatal(err)
			}
		})
	}
	check(t, "header methods", 0, func() {
		var d Decoder
		d.Reset(control, table)
		n, _ := d.Tuple()
		op, _ := d.Int()
		from, _ := d.Pid()
		_, _ = d.Atom()
		name, _ := d.Atom()
		to, _ := d.Ref()
		big, _ := d.Int()
		huge, err := d.Uint()
		if n != 7 || op != 6 || from != pid || name != "name" || to != ref || big != 70_000 || huge != 1<<63 || err != nil {
			t.Fatal("misread")
		}
	})
	check(t, "Skip control", 0, func() {
		var d Decoder
		d.Reset(control, table)
		if d.Skip() != nil {
			t.Fatal("Skip failed")
		}
	})
	large := mustEncode(t, terms["50KB"])
	check(t, "Skip 50KB", 0, func() {
		var d Decoder
		d.Reset(large[1:], nil)
		if d.Skip() != nil {
			t.Fatal("Skip failed")
		}
	})
	check(t, "Decode 50KB", 160, func() { mustDecode(t, large) })
	short := mustEncode(t, Atom("short"))
	check(t, "50KB after short terms", 160+2*tableAtoms, func() {
		var d Decoder
		for range tableAtoms {
			d.Reset(short[1:], nil)
			if _, err := d.Term(); err != nil {
				t.Fatal(err)
			}
		}
		d.Reset(large[1:], nil)
		if _, err := d.Term(); err != nil {
			t.Fatal(err)
		}
	})
}

func check(t *testing.T, what string, most float64, f func()) {
	t.Helper()
	if got := testing.AllocsPerRun(50, f); got > most {
		t.Errorf("%s: %v allocations, want at most %v", what, got, most)
	}
}

// TestArrays: slices of a term lie in memory they share, and are as if they did not, also
// for the garbage collector.
func TestArrays(t *testing.T) {
	type point struct {
		X    int64
		Name *string
	}
	type shape struct {
		Points []point
		Names  []string
		Counts []int64
	}
	var want []shape
	for i := range 500 {
		name := fmt.Sprint("name", i)
		s := shape{Points: make([]point, 4), Names: make([]string, i%arrayMost), Counts: make([]int64, i%(arrayMost+3))}
		for k := range s.Points {
			s.Points[k] = point{int64(k), &name}
		}
		for k := range s.Names {
			s.Names[k] = fmt.Sprint(name, k)
		}
		for k := range s.Counts {
			s.Counts[k] = int64(1000*i + k)
		}
		want = append(want, s)
	}
	wire, err := Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got []shape
	defer debug.SetGCPercent(debug.SetGCPercent(1)) // it looks at what a decoder has in its hands, too
	for range 20 {
		got = nil
		if err := Unmarshal(wire, &got); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range got {
		if len(s.Names) != cap(s.Names) || len(s.Points) != cap(s.Points) {
			t.Fatalf("what is appended to one slice would be in another: %d of %d, %d of %d", len(s.Names), cap(s.Names), len(s.Points), cap(s.Points))
		}
	}
	for i := range got { // all but a few slices are garbage
		if i%20 != 0 {
			got[i], want[i] = shape{}, shape{}
		}
	}
	for range 3 {
		runtime.GC()
		for range 1000 {
			_ = make([]point, 40) // of the size of what is shared
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatal("what was decoded has changed")
		}
	}
}
