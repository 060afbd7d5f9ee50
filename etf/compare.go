package etf

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"slices"
	"strings"
)

// Compare orders a and b as Erlang's < and == do: -1, 0 or +1. The order is
//
//	number < atom < reference < fun < port < pid < tuple < record < map < [] < list < bitstring
//
// (Erlang reference manual, "Term Comparisons"; records as of OTP 29). Numbers
// compare by value across types, exactly: 1 and 1.0 are 0 apart though not Equal,
// except in the keys of maps, where every integer comes before every float. Go
// values are ordered as what they encode to; those without an external form come
// last and are all alike.
//
// Terms that contain themselves must not be compared.
func Compare(a, b Term) int { return compare(canonical(a), canonical(b), false) }

// rank is the place of a canonical term's type in the order.
func rank(t Term) int {
	switch v := t.(type) {
	case int64, *big.Int, float64:
		return 0
	case Atom:
		return 1
	case Ref:
		return 2
	case Fun, Export:
		return 3
	case Port:
		return 4
	case Pid:
		return 5
	case Tuple:
		return 6
	case Record:
		return 7
	case Map:
		return 8
	case List:
		if len(v) == 0 {
			return 9
		}
		return 10
	case ImproperList:
		return 10
	case []byte, Bitstring:
		return 11
	default:
		return 12
	}
}

// compare compares canonical terms. Within the keys of maps it is exact: no
// integer is the same as a float.
func compare(a, b Term, exact bool) int {
	r := rank(a)
	if c := cmp.Compare(r, rank(b)); c != 0 {
		return c
	}
	switch r {
	case 0:
		return compareNumbers(a, b, exact)
	case 1:
		return strings.Compare(string(a.(Atom)), string(b.(Atom)))
	case 2:
		return compareRefs(a.(Ref), b.(Ref))
	case 3:
		return compareFuns(a, b, exact)
	case 4:
		return comparePorts(a.(Port), b.(Port))
	case 5:
		return comparePids(a.(Pid), b.(Pid))
	case 6:
		return compareTuples(a.(Tuple), b.(Tuple), exact)
	case 7:
		return compareRecords(a.(Record), b.(Record), exact)
	case 8:
		return compareMaps(a.(Map), b.(Map), exact)
	case 10:
		return compareLists(a, b, exact)
	case 11:
		return compareBits(a, b)
	default:
		return 0
	}
}

func compareNumbers(a, b Term, exact bool) int {
	x, floatA := a.(float64)
	y, floatB := b.(float64)
	switch {
	case floatA && floatB:
		if c := cmp.Compare(x, y); c != 0 || !exact {
			return c
		}
		return cmp.Compare(signOf(x), signOf(y)) // -0.0 before 0.0
	case exact && floatA:
		return 1
	case exact && floatB:
		return -1
	case floatA:
		return -compareIntFloat(b, x)
	case floatB:
		return compareIntFloat(a, y)
	}
	i, smallA := a.(int64)
	j, smallB := b.(int64)
	if smallA && smallB {
		return cmp.Compare(i, j)
	}
	return bigOf(a).Cmp(bigOf(b))
}

func signOf(f float64) int {
	if math.Signbit(f) {
		return -1
	}
	return 1
}

// compareIntFloat compares the exact values: above 2^53 converting the integer
// to a float would call different numbers equal.
func compareIntFloat(i Term, f float64) int {
	switch {
	case math.IsNaN(f):
		return 1 // as cmp.Compare has it: NaN before all numbers
	case math.IsInf(f, 0):
		return -signOf(f)
	}
	small, ok := i.(int64)
	if !ok || math.Abs(f) >= 1<<62 {
		return new(big.Float).SetInt(bigOf(i)).Cmp(big.NewFloat(f))
	}
	whole := math.Trunc(f)
	if c := cmp.Compare(small, int64(whole)); c != 0 {
		return c
	}
	return cmp.Compare(whole, f)
}

func bigOf(t Term) *big.Int {
	if i, ok := t.(int64); ok {
		return big.NewInt(i)
	}
	return t.(*big.Int)
}

func compareNodes(a, b Atom, creationA, creationB uint32) int {
	return cmp.Or(strings.Compare(string(a), string(b)), cmp.Compare(creationA, creationB))
}

// compareRefs starts from the last word: the words are one number, the least
// significant word first.
func compareRefs(a, b Ref) int {
	if c := compareNodes(a.Node, b.Node, a.Creation, b.Creation); c != 0 {
		return c
	}
	for i := len(a.Words) - 1; i >= 0; i-- {
		if c := cmp.Compare(a.Words[i], b.Words[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(a.Len, b.Len)
}

func comparePorts(a, b Port) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), compareNodes(a.Node, b.Node, a.Creation, b.Creation))
}

func comparePids(a, b Pid) int {
	return cmp.Or(
		cmp.Compare(a.Serial, b.Serial),
		cmp.Compare(a.ID, b.ID),
		compareNodes(a.Node, b.Node, a.Creation, b.Creation),
	)
}

// compareFuns puts the local before the external ones.
func compareFuns(a, b Term, exact bool) int {
	x, localA := a.(Fun)
	y, localB := b.(Fun)
	switch {
	case localA && !localB:
		return -1
	case localB && !localA:
		return 1
	case !localA:
		return compareExports(a.(Export), b.(Export))
	}
	c := cmp.Or(
		strings.Compare(string(x.Module), string(y.Module)),
		cmp.Compare(x.OldIndex, y.OldIndex),
		cmp.Compare(x.OldUniq, y.OldUniq),
		cmp.Compare(len(x.Free), len(y.Free)),
	)
	if c != 0 {
		return c
	}
	if c := compareAll(x.Free, y.Free, exact); c != 0 {
		return c
	}
	// Erlang would stop here; what follows only keeps apart what Equal does.
	return cmp.Or(cmp.Compare(x.Index, y.Index), cmp.Compare(x.Arity, y.Arity), bytes.Compare(x.Uniq[:], y.Uniq[:]))
}

func compareExports(a, b Export) int {
	return cmp.Or(
		strings.Compare(string(a.Module), string(b.Module)),
		strings.Compare(string(a.Function), string(b.Function)),
		cmp.Compare(a.Arity, b.Arity),
	)
}

func compareTuples(a, b Tuple, exact bool) int {
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return compareAll(a, b, exact)
}

// compareAll compares element by element as far as both go.
func compareAll(a, b []Term, exact bool) int {
	for i := range min(len(a), len(b)) {
		if c := compare(canonical(a[i]), canonical(b[i]), exact); c != 0 {
			return c
		}
	}
	return 0
}

// compareLists compares as lists are built: where one has an element and the
// other its tail, the rest of the one is compared with that tail.
func compareLists(a, b Term, exact bool) int {
	x, tailA := elements(a)
	y, tailB := elements(b)
	if c := compareAll(x, y, exact); c != 0 {
		return c
	}
	n := min(len(x), len(y))
	return compare(rest(x[n:], tailA), rest(y[n:], tailB), exact)
}

func elements(t Term) (List, Term) {
	if l, ok := t.(ImproperList); ok {
		return l.Elems, canonical(l.Tail)
	}
	return t.(List), List(nil)
}

// rest is what is left of a list behind some elements; never a list for both of
// compareLists, which therefore does not go round in circles.
func rest(elems List, tail Term) Term {
	if len(elems) == 0 {
		return tail
	}
	if l, ok := tail.(List); ok && len(l) == 0 {
		return elems
	}
	return ImproperList{Elems: elems, Tail: tail}
}

func compareRecords(a, b Record, exact bool) int {
	c := cmp.Or(
		strings.Compare(string(a.Module), string(b.Module)),
		strings.Compare(string(a.Name), string(b.Name)),
		compareBool(a.Exported, b.Exported),
		slices.Compare(a.Fields, b.Fields),
	)
	if c != 0 {
		return c
	}
	return compareAll(a.Values, b.Values, exact)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// compareMaps: first the sizes, then the keys in order, then the values in the
// order of their keys. (Erlang reference manual, "Maps are ordered by size".)
func compareMaps(a, b Map, exact bool) int {
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	x, y := byKey(a), byKey(b)
	for i := range x {
		if c := compare(canonical(x[i].Key), canonical(y[i].Key), true); c != 0 {
			return c
		}
	}
	for i := range x {
		if c := compare(canonical(x[i].Value), canonical(y[i].Value), exact); c != 0 {
			return c
		}
	}
	return 0
}

func byKey(m Map) Map {
	sorted := slices.Clone(m)
	slices.SortFunc(sorted, func(a, b MapEntry) int {
		return compare(canonical(a.Key), canonical(b.Key), true)
	})
	return sorted
}

// compareBits compares bit by bit; the shorter comes first if it is the start of
// the longer.
func compareBits(a, b Term) int {
	x, bitsA := bitsOf(a)
	y, bitsB := bitsOf(b)
	n := min(bitsA, bitsB)
	whole := n / 8
	if c := bytes.Compare(x[:whole], y[:whole]); c != 0 {
		return c
	}
	if last := n % 8; last > 0 {
		shift := 8 - last
		if c := cmp.Compare(x[whole]>>shift, y[whole]>>shift); c != 0 {
			return c
		}
	}
	return cmp.Compare(bitsA, bitsB)
}

func bitsOf(t Term) ([]byte, int) {
	if b, ok := t.(Bitstring); ok {
		return b.Bytes, 8*(len(b.Bytes)-1) + int(b.Bits)
	}
	data := t.([]byte)
	return data, 8 * len(data)
}
