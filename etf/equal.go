package etf

import (
	"bytes"
	"math"
	"math/big"
	"reflect"
	"slices"
)

// Equal is Erlang's =:= as of OTP 27, where 0.0 and -0.0 differ: the same type
// and the same value all the way down. Go values are compared as the terms they
// encode to, so that 1 equals int64(1) and *big.Int 1, "a" equals []byte("a"),
// and true equals Atom("true"); no integer equals a float. Values without an
// external form equal nothing but themselves.
//
// Terms that contain themselves must not be compared.
func Equal(a, b Term) bool {
	switch x := canonical(a).(type) {
	case Atom:
		y, ok := canonical(b).(Atom)
		return ok && x == y
	case int64:
		y, ok := canonical(b).(int64)
		return ok && x == y
	case []byte:
		y, ok := canonical(b).([]byte)
		return ok && bytes.Equal(x, y)
	case Tuple:
		y, ok := canonical(b).(Tuple)
		return ok && equalAll(x, y)
	case List:
		y, ok := canonical(b).(List)
		return ok && equalAll(x, y)
	case Map:
		y, ok := canonical(b).(Map)
		return ok && equalMaps(x, y)
	case float64:
		y, ok := canonical(b).(float64)
		return ok && math.Float64bits(x) == math.Float64bits(y)
	default:
		return equalRare(x, canonical(b))
	}
}

func equalRare(a, b Term) bool {
	switch x := a.(type) {
	case Pid:
		y, ok := b.(Pid)
		return ok && x == y
	case Ref:
		y, ok := b.(Ref)
		return ok && x == y
	case Port:
		y, ok := b.(Port)
		return ok && x == y
	case Export:
		y, ok := b.(Export)
		return ok && x == y
	case *big.Int:
		y, ok := b.(*big.Int)
		return ok && x.Cmp(y) == 0
	case Bitstring:
		y, ok := b.(Bitstring)
		return ok && x.Bits == y.Bits && bytes.Equal(x.Bytes, y.Bytes)
	case ImproperList:
		y, ok := b.(ImproperList)
		return ok && equalAll(x.Elems, y.Elems) && Equal(x.Tail, y.Tail)
	case Fun:
		y, ok := b.(Fun)
		return ok && sameFun(x, y) && equalAll(x.Free, y.Free)
	case Record:
		y, ok := b.(Record)
		return ok && x.Exported == y.Exported && x.Module == y.Module && x.Name == y.Name &&
			slices.Equal(x.Fields, y.Fields) && equalAll(x.Values, y.Values)
	default:
		x2, ok := a.(opaque)
		y, ok2 := b.(opaque)
		return ok && ok2 && reflect.DeepEqual(x2.value, y.value)
	}
}

// sameFun reports whether two funs come from the same code. Which process made
// them does not matter, to Erlang neither.
func sameFun(a, b Fun) bool {
	return a.Module == b.Module && a.Arity == b.Arity && a.Uniq == b.Uniq && a.Index == b.Index &&
		a.OldIndex == b.OldIndex && a.OldUniq == b.OldUniq
}

func equalAll(a, b []Term) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// equalMaps relies on the keys of each map being different.
func equalMaps(a, b Map) bool {
	if len(a) != len(b) {
		return false
	}
	if len(a) > fewTerms {
		return equalLargeMaps(a, b)
	}
	for i := range a {
		// Most maps of one origin have their keys in one order.
		if Equal(a[i].Key, b[i].Key) {
			if !Equal(a[i].Value, b[i].Value) {
				return false
			}
			continue
		}
		if !contains(b, a[i]) {
			return false
		}
	}
	return true
}

func contains(m Map, entry MapEntry) bool {
	for i := range m {
		if Equal(m[i].Key, entry.Key) {
			return Equal(m[i].Value, entry.Value)
		}
	}
	return false
}

func equalLargeMaps(a, b Map) bool {
	byHash := make(map[uint64][]int, len(b))
	for i := range b {
		h := hashTerm(b[i].Key)
		byHash[h] = append(byHash[h], i)
	}
	for i := range a {
		found := slices.ContainsFunc(byHash[hashTerm(a[i].Key)], func(j int) bool {
			return Equal(a[i].Key, b[j].Key) && Equal(a[i].Value, b[j].Value)
		})
		if !found {
			return false
		}
	}
	return true
}
