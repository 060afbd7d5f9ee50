package dist

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// An encoder asks for the keys of a list of structs, or of maps that are alike, but
// once. So no atom of a frame may lose its slot to another of the same frame, however
// many there are: more than a header lists, and many more than there are slots at
// first, of which each frame takes some from those before.
func TestKeysHoldForTheFrame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	shapes := make([]keyedShape, 60)
	for i := range shapes {
		shapes[i] = newKeyedShape(i, 3+i%20) // some have more keys than are remembered
	}
	w := newWire(t, flagsOTP25)
	c := &Control{Op: OpSendSender, From: pidA, To: pidB}
	evicted, full := false, false
	for range 200 {
		var sent []any
		var want etf.List
		for range 1 + r.IntN(20) {
			// Those inside come between the first and the second time of the same keys.
			outer, inner := shapes[r.IntN(len(shapes))], shapes[r.IntN(len(shapes))]
			inside, insideTerm := inner.list(3, func() (any, etf.Term) { return int64(1), int64(1) })
			typed, term := outer.list(3, func() (any, etf.Term) { return inside, insideTerm })
			if r.IntN(2) == 0 {
				typed = term
			}
			sent, want = append(sent, typed), append(want, term)
		}
		w.send(c, sent)
		evicted = evicted || w.s.cache.taken > 0
		full = full || len(w.s.cache.refs) == headerMax
		if got := w.carry(); len(got) != 1 || !reflect.DeepEqual(got[0].payload, etf.Term(want)) {
			t.Fatalf("%.2000s\narrives as\n%.2000s", etf.Format(want), etf.Format(got[0].payload))
		}
	}
	if !evicted || !full {
		t.Errorf("atoms were evicted: %v, a header was full: %v; want both", evicted, full)
	}
}

// keyedShape is a struct type whose keys no other has.
type keyedShape struct {
	typ  reflect.Type
	keys []etf.Atom
}

func newKeyedShape(number, fields int) (s keyedShape) {
	var list []reflect.StructField
	for i := range fields {
		key := fmt.Sprintf("key_%d_%d", number, i)
		s.keys = append(s.keys, etf.Atom(key))
		list = append(list, reflect.StructField{
			Name: fmt.Sprint("F", i), Type: reflect.TypeFor[any](), Tag: reflect.StructTag(fmt.Sprintf(`etf:"%s"`, key)),
		})
	}
	s.typ = reflect.StructOf(list)
	return s
}

// list returns n structs, each with a value in its second field and numbers in the
// others, and the term that they are.
func (s keyedShape) list(n int, second func() (any, etf.Term)) (structs any, term etf.Term) {
	values := reflect.MakeSlice(reflect.SliceOf(s.typ), n, n)
	var maps etf.List
	for i := range n {
		var m etf.Map
		for j, key := range s.keys {
			value, same := any(int64(j)), etf.Term(int64(j))
			if j == 1 {
				value, same = second()
			}
			values.Index(i).Field(j).Set(reflect.ValueOf(value))
			m = append(m, etf.MapEntry{Key: key, Value: same})
		}
		maps = append(maps, m)
	}
	return values.Interface(), maps
}
