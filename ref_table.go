package truss

import (
	"iter"

	"github.com/truss-beam/truss/etf"
)

// refTable is a map by reference that has its first entry in place: most processes
// monitor one other at a time, or are monitored by one, and a map's smallest table has
// room for eight, 0.7 to 0.9 KB.
type refTable[V any] struct {
	ref   etf.Ref
	value V
	taken bool // by ref and value
	more  map[etf.Ref]V
}

func (t *refTable[V]) len() int {
	if t.taken {
		return 1 + len(t.more)
	}
	return len(t.more)
}

func (t *refTable[V]) get(ref etf.Ref) (v V, ok bool) {
	if t.taken && t.ref == ref {
		return t.value, true
	}
	v, ok = t.more[ref]
	return v, ok
}

func (t *refTable[V]) set(ref etf.Ref, v V) {
	_, known := t.more[ref]
	switch {
	case !known && (!t.taken || t.ref == ref):
		t.ref, t.value, t.taken = ref, v, true
	case t.more == nil:
		t.more = map[etf.Ref]V{ref: v}
	default:
		t.more[ref] = v
	}
}

// remove returns what it has removed.
func (t *refTable[V]) remove(ref etf.Ref) (v V, ok bool) {
	if t.taken && t.ref == ref {
		v = t.value
		var none V
		t.value, t.taken = none, false
		return v, true
	}
	if v, ok = t.more[ref]; ok {
		delete(t.more, ref)
	}
	return v, ok
}

// all is every entry. What it has come by may be removed meanwhile.
func (t *refTable[V]) all() iter.Seq2[etf.Ref, V] {
	return func(yield func(etf.Ref, V) bool) {
		if t.taken && !yield(t.ref, t.value) {
			return
		}
		for ref, v := range t.more {
			if !yield(ref, v) {
				return
			}
		}
	}
}
