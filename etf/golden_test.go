package etf

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// goldens are what real OTPs said; testdata/golden/README.md has the format.
type golden struct {
	release string
	lines   [][]string
}

func goldens(t testing.TB) []golden {
	var all []golden
	for _, release := range []string{"25", "27", "29"} {
		text, err := os.ReadFile(filepath.Join("testdata", "golden", "otp"+release+".tsv"))
		if err != nil {
			t.Fatal(err)
		}
		g := golden{release: release}
		for line := range strings.Lines(string(text)) {
			g.lines = append(g.lines, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		}
		all = append(all, g)
	}
	return all
}

// of returns the lines of one sort.
func (g golden) of(sort string) (lines [][]string) {
	for _, l := range g.lines {
		if l[0] == sort {
			lines = append(lines, l[1:])
		}
	}
	return lines
}

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestGoldenTerms decodes what OTP wrote, checks that Skip goes as far, and
// encodes it again to the same bytes.
func TestGoldenTerms(t *testing.T) {
	for _, g := range goldens(t) {
		seen := 0
		for _, line := range g.of("T") {
			name, expect, wire := line[0], line[1], unhex(t, line[2])
			if strings.HasPrefix(name, "head ") {
				continue
			}
			seen++
			t.Run(g.release+"/"+name, func(t *testing.T) {
				term, err := Decode(wire)
				if err != nil {
					t.Fatalf("Decode(%x): %v", wire, err)
				}
				if want, ok := expected(t, name, expect); ok && !Equal(term, want) {
					t.Errorf("Decode(%x) = %v, want %v", wire, term, want)
				}
				checkSkip(t, wire)
				back := mustEncode(t, term)
				if g.release != "25" && strings.HasPrefix(name, "port small") {
					// OTP 26 and later use the wide form always; the narrow one is
					// what every release reads.
					if again, err := Decode(back); err != nil || !Equal(again, term) || len(back) != len(wire)-4 {
						t.Errorf("port: %x, %v", back, err)
					}
					return
				}
				if !bytes.Equal(back, wire) {
					t.Errorf("encoded again: %x\nwant           %x", back, wire)
				}
			})
		}
		if seen < 180 {
			t.Errorf("OTP %s: only %d terms", g.release, seen)
		}
	}
}

func mustEncode(t testing.TB, v any) []byte {
	t.Helper()
	e := Encoder{Records: true}
	b, err := e.Append([]byte{version}, v)
	if err != nil {
		t.Fatalf("Append(%v): %v", v, err)
	}
	return b
}

func checkSkip(t testing.TB, wire []byte) {
	t.Helper()
	var d Decoder
	d.Reset(wire[1:], nil)
	if err := d.Skip(); err != nil || len(d.Rest()) > 0 {
		t.Errorf("Skip: %v, %d bytes left", err, len(d.Rest()))
	}
}

// expected is the value that a golden's name and second column promise.
func expected(t *testing.T, name, expect string) (Term, bool) {
	switch name {
	case "int":
		i, ok := new(big.Int).SetString(expect, 10)
		return i, ok
	case "float":
		return math.Float64frombits(new(big.Int).SetBytes(unhex(t, expect)).Uint64()), true
	case "atom":
		return Atom(unhex(t, expect)), true
	case "binary":
		return unhex(t, expect), true
	}
	want, ok := namedGoldens()[name]
	return want, ok
}

func namedGoldens() map[string]Term {
	node := Atom("a@b.c")
	ref := func(n uint8) Ref {
		return Ref{Node: node, Creation: 7, Len: n, Words: [5]uint32(append([]uint32{1, 2, 3, 4, 5}[:n:n], make([]uint32, 5-n)...))}
	}
	all := map[string]Term{
		"list []":         List{},
		"list bytes":      List{1, 2, 255},
		"list 256":        List{1, 256},
		"list hello":      Charlist("hello"),
		"list mixed":      List{1, Atom("a"), 2.0, "b", List{}, Tuple{}},
		"list nested":     List{List{List{}}, List{List{1}, 2}, Charlist("x")},
		"improper":        ImproperList{List{Atom("a")}, Atom("b")},
		"improper 2":      ImproperList{List{1, 2}, 3},
		"improper nested": ImproperList{List{ImproperList{List{1}, 2}, List{3}}, Tuple{4}},
		"alias tag":       ImproperList{List{Atom("alias")}, ref(5)},
		"tuple 0":         Tuple{},
		"tuple 1":         Tuple{1},
		"map 0":           Map{},
		"map 1":           Map{{Atom("a"), 1}},
		"map keys": Map{{Map{{Atom("b"), 1}}, 7}, {Tuple{Atom("a")}, 6}, {1.0, 5}, {1, 4}, {Charlist("a"), 3},
			{"a", 2}, {Atom("a"), 1}},
		"map nested": Map{{Atom("a"), Map{{Atom("b"), Map{{Atom("c"), List{Map{}}}}}}}},
		"pid":        Pid{node, 1, 2, 3},
		"pid max":    Pid{node, 0xfffffff, 0xffffffff, 0xffffffff},
		"ref 1":      ref(1), "ref 2": ref(2), "ref 3": ref(3), "ref 4": ref(4), "ref 5": ref(5),
		"port small":      Port{node, 5, 7},
		"port large":      Port{node, 1 << 40, 7},
		"export":          Export{"lists", "map", 2},
		"export 255":      Export{"m", "f", 255},
		"record 0":        Record{Module: "m", Name: "r"},
		"record 1":        Record{Module: "m", Name: "r", Fields: []Atom{"a"}, Values: []Term{1}},
		"record exported": Record{Exported: true, Module: "m", Name: "r", Fields: []Atom{"a"}, Values: []Term{1}},
		"record order":    Record{Module: "m", Name: "r", Fields: []Atom{"b", "a"}, Values: []Term{1, List{Atom("x")}}},
		"record nested": Record{Exported: true, Module: "m", Name: "r", Fields: []Atom{"a"},
			Values: []Term{Record{Module: "m", Name: "q", Fields: []Atom{"a"}, Values: []Term{1.5}}}},
	}
	for _, n := range []int{32, 33} {
		var m Map
		for i := n; i > 0; i-- {
			m = append(m, MapEntry{i, i * i})
		}
		all[fmt.Sprintf("map %d", n)] = m
	}
	for _, n := range []int{255, 256} {
		tuple := make(Tuple, n)
		for i := range tuple {
			tuple[i] = i + 1
		}
		all[fmt.Sprintf("tuple %d", n)] = tuple
	}
	for n, b := range map[int]Bitstring{ // <<16#b5b5:N>> keeps the low N bits
		1: {[]byte{0x80}, 1}, 2: {[]byte{0x40}, 2}, 3: {[]byte{0xa0}, 3}, 4: {[]byte{0x50}, 4}, 5: {[]byte{0xa8}, 5},
		6: {[]byte{0xd4}, 6}, 7: {[]byte{0x6a}, 7}, 9: {[]byte{0xda, 0x80}, 1}, 15: {[]byte{0x6b, 0x6a}, 7},
	} {
		all[fmt.Sprintf("bits %d", n)] = b
	}
	all["deep list"], all["deep tuple"], all["deep improper"] = Atom("bottom"), Atom("bottom"), Atom("bottom")
	for range 2000 {
		all["deep list"] = List{all["deep list"]}
		all["deep tuple"] = Tuple{all["deep tuple"]}
		all["deep improper"] = ImproperList{List{all["deep improper"]}, Atom("x")}
	}
	return all
}

// TestGoldenHeads checks where OTP stops writing lists of bytes as strings.
func TestGoldenHeads(t *testing.T) {
	for _, g := range goldens(t) {
		for _, line := range g.of("T") {
			var n int
			if _, err := fmt.Sscanf(line[0], "head list %d", &n); err != nil {
				continue
			}
			l := make(List, n)
			for i := range l {
				l[i] = 7
			}
			if got, want := mustEncode(t, l)[:12], unhex(t, line[2]); !bytes.Equal(got, want) {
				t.Errorf("list of %d: %x, OTP %s has %x", n, got, g.release, want)
			}
		}
	}
}

// TestGoldenBytes reads what OTP would not write: accepted if OTP accepts it, as
// the same term, and refused if OTP refuses it, by Decode as by Skip.
func TestGoldenBytes(t *testing.T) {
	// Where releases differ the newest is followed.
	older := map[string]string{
		"25/bits empty 0": "badarg",
		"25/map zeros":    "accept",
	}
	for _, g := range goldens(t) {
		for _, line := range g.of("B") {
			name, wire, verdict := line[0], unhex(t, line[1]), line[2]
			t.Run(g.release+"/"+name, func(t *testing.T) {
				term, err := Decode(wire)
				if len(wire) > 1 && wire[0] == version && wire[1] != extCompressed {
					var d Decoder
					d.Reset(wire[1:], nil)
					if skipped := d.Skip(); (skipped == nil) != (err == nil) {
						t.Errorf("Skip: %v, but Decode: %v", skipped, err)
					}
				}
				want, differs := older[g.release+"/"+name]
				switch {
				case !differs && verdict == "badarg" || want == "badarg":
					if err == nil {
						t.Errorf("Decode(%x) = %v, want an error", wire, term)
					}
				case err != nil:
					t.Errorf("Decode(%x): %v, want %s", wire, err, verdict)
				case !differs && !Equal(term, mustDecode(t, unhex(t, verdict))):
					t.Errorf("Decode(%x) = %v, OTP reads %s", wire, term, verdict)
				}
			})
		}
	}
}

func mustDecode(t testing.TB, wire []byte) Term {
	t.Helper()
	term, err := Decode(wire)
	if err != nil {
		t.Fatalf("Decode(%x): %v", wire, err)
	}
	return term
}

// TestGoldenOrder compares every term of a pool with every other.
func TestGoldenOrder(t *testing.T) {
	for _, g := range goldens(t) {
		lines := g.of("C")
		terms := make([]Term, len(lines))
		for i, l := range lines {
			terms[i] = mustDecode(t, unhex(t, l[0]))
		}
		wrong := 0
		for i, l := range lines {
			for j := range terms {
				if g.release == "25" && zero(terms[i]) && zero(terms[j]) {
					continue // 0.0 and -0.0 differ since OTP 27 only
				}
				if got, want := "<=>"[Compare(terms[i], terms[j])+1], l[1][j]; got != want {
					t.Errorf("OTP %s: %v %c %v, got %c", g.release, terms[i], want, terms[j], got)
					wrong++
				}
				same := "01"[b2i(Equal(terms[i], terms[j]))]
				if same != l[2][j] {
					t.Errorf("OTP %s: %v =:= %v is %c, got %c", g.release, terms[i], terms[j], l[2][j], same)
					wrong++
				}
				if same == '1' && hashTerm(terms[i]) != hashTerm(terms[j]) {
					t.Errorf("%v and %v are equal but hash differently", terms[i], terms[j])
				}
				if wrong > 20 {
					t.FailNow()
				}
			}
		}
	}
}

// zero reports whether t is 0.0, -0.0, or a map with one of them as its key.
func zero(t Term) bool {
	if m, ok := t.(Map); ok && len(m) == 1 {
		t = m[0].Key
	}
	f, ok := t.(float64)
	return ok && f == 0
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
