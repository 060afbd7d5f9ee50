package etf

import (
	"math/big"
	"testing"
)

// TestHashesDiffer: terms that differ in one place only, wherever it is, have
// different hashes. Otherwise a map of them as keys would take quadratic time.
func TestHashesDiffer(t *testing.T) {
	const n = 2000
	families := map[string]func(i int) Term{
		"int":         func(i int) Term { return i },
		"int high":    func(i int) Term { return int64(i) << 40 },
		"float":       func(i int) Term { return float64(i) },
		"atom":        func(i int) Term { return Atom(rune('a' + i)) },
		"binary":      func(i int) Term { return string(rune(i)) },
		"bits":        func(i int) Term { return Bitstring{[]byte{byte(i), byte(i >> 8), 0}, 3} },
		"tuple":       func(i int) Term { return Tuple{i, 1} },
		"nested":      func(i int) Term { return Tuple{List{Tuple{i}}, 1} },
		"list":        func(i int) Term { return List{1, i} },
		"tail":        func(i int) Term { return ImproperList{List{1}, i} },
		"map key":     func(i int) Term { return Map{{i, 1}, {-1, 2}} },
		"map value":   func(i int) Term { return Map{{1, i}} },
		"swapped":     func(i int) Term { return Map{{1, i}, {2, -i - 1}} },
		"pid id":      func(i int) Term { return Pid{"a", uint32(i), 1, 1} },
		"pid serial":  func(i int) Term { return Pid{"a", 1, uint32(i), 1} },
		"pid cr":      func(i int) Term { return Pid{"a", 1, 1, uint32(i)} },
		"port":        func(i int) Term { return Port{"a", uint64(i), 1} },
		"ref":         func(i int) Term { return Ref{Node: "a", Len: 5, Words: [5]uint32{4: uint32(i)}} },
		"export":      func(i int) Term { return Export{"m", Atom(rune('a' + i)), 1} },
		"fun index":   func(i int) Term { return Fun{Module: "m", Index: uint32(i)} },
		"fun old":     func(i int) Term { return Fun{Module: "m", OldUniq: uint32(i)} },
		"fun uniq":    func(i int) Term { return Fun{Module: "m", Uniq: [16]byte{byte(i), byte(i >> 8)}} },
		"fun free":    func(i int) Term { return Fun{Module: "m", Free: []Term{i}} },
		"record name": func(i int) Term { return Record{Module: "m", Name: Atom(rune('a' + i))} },
		"record field": func(i int) Term {
			return Record{Module: "m", Name: "r", Fields: []Atom{Atom(rune('a' + i))}, Values: []Term{1}}
		},
		"record value": func(i int) Term { return Record{Module: "m", Name: "r", Fields: []Atom{"f"}, Values: []Term{i}} },
		"big":          func(i int) Term { return new(big.Int).Lsh(big.NewInt(int64(i+1)), 100) },
		"big low": func(i int) Term { // with the constant that many hashes multiply by on top
			low, _ := new(big.Int).SetString("9e3779b97f4a7c150000000000000000", 16)
			return low.Add(low, big.NewInt(int64(i)))
		},
	}
	for name, make := range families {
		seen := map[uint64]Term{}
		for i := range n {
			term := make(i)
			h := hashTerm(term)
			if other, ok := seen[h]; ok {
				t.Errorf("%s: %v and %v have one hash", name, other, term)
				break
			}
			seen[h] = term
		}
	}
}

// TestSearch finds one pair of equal terms among many, wherever it is, and none
// where there is none, also if all hashes are the same.
func TestSearch(t *testing.T) {
	var s duplicates
	for _, n := range []int{2, fewTerms, fewTerms + 1, 100, 1000} {
		for _, collide := range []bool{false, true} {
			keys, hashes := make([]int, n), make([]uint64, n)
			for i := range keys {
				keys[i] = i
			}
			find := func() int {
				for i, k := range keys {
					if hashes[i] = hashInt(int64(k)); collide {
						hashes[i] = 7
					}
				}
				equal := func(i, j int) bool { return keys[i] == keys[j] }
				if got := pairwise(hashes, equal); got != s.search(hashes, equal) {
					t.Errorf("%d terms: pairwise %d, search %d", n, got, s.search(hashes, equal))
				}
				return s.search(hashes, equal)
			}
			if got := find(); got != -1 {
				t.Errorf("%d different terms: found %d", n, got)
			}
			keys[n-1] = keys[n/2-1]
			if got := find(); got != n-1 {
				t.Errorf("%d terms, the last equals another: found %d", n, got)
			}
		}
	}
}
