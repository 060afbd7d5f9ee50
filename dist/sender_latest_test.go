package dist

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// Messages begin as those before them, whatever those were: of others, with other atoms,
// new ones, failures, signals between.
func TestOpenings(t *testing.T) {
	for name, flags := range modes {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			atom := func(n int) etf.Atom { return etf.Atom(fmt.Sprint("atom", random.IntN(n))) }
			controls := []*Control{
				{Op: OpSendSender, From: pidA, To: pidB},
				{Op: OpSendSender, From: pidB, To: pidA},
				{Op: OpRegSend, From: pidA, ToName: "name"},
			}
			w := newWire(t, flags)
			for i := range 5000 {
				c := controls[random.IntN(len(controls))]
				if random.IntN(4) > 0 {
					c = controls[0]
				}
				var payload etf.Term = etf.Tuple{atom(4), int64(i)}
				switch random.IntN(40) {
				case 0:
					payload = etf.List{atom(1000), make([]byte, spliceMin+random.IntN(100)), atom(3)}
				case 1:
					many := etf.List{}
					for range 100 {
						many = append(many, atom(1000))
					}
					payload = many
				case 2:
					if st, err := w.s.Append(&w.b, c, etf.Tuple{atom(1000), atom(4), math.NaN()}); err == nil || st != nil {
						t.Fatal("NaN is sent")
					}
				case 3:
					w.send(&Control{Op: OpLink, From: pidA, To: pidB}, nil)
					w.carry()
				case 4:
					raw, err := new(etf.Encoder).Append(nil, payload)
					if err != nil {
						t.Fatal(err)
					}
					if st, err := w.s.AppendRaw(&w.b, c, raw); err != nil || st != nil {
						t.Fatal(st, err)
					}
					if got := w.carry(); !reflect.DeepEqual(got[0].payload, payload) {
						t.Fatalf("%d: %s arrives as %s", i, etf.Format(payload), etf.Format(got[0].payload))
					}
					continue
				case 5:
					large := etf.List{atom(1000)}
					for range fragmentSize/spliceMin + 2 {
						large = append(large, make([]byte, spliceMin-1))
					}
					payload = large
				}
				if st := w.send(c, payload); st != nil {
					for st.Next(&w.b) {
					}
				}
				got := w.carry()
				if len(got) != 1 || !reflect.DeepEqual(got[0].payload, payload) || got[0].c.To != c.To || got[0].c.ToName != c.ToName {
					t.Fatalf("%d: %.200s arrives as %.200v", i, etf.Format(payload), got)
				}
			}
		})
	}
}

// What a header lists for an earlier message only is listed no longer than some messages.
func TestOpeningsForget(t *testing.T) {
	w := newWire(t, flagsOTP25)
	c := &Control{Op: OpSendSender, From: pidA, To: pidB}
	length := func(payload etf.Term) int {
		w.send(c, payload)
		n := w.b.Len()
		w.carry()
		return n
	}
	length(etf.Atom("a"))
	least := length(etf.Atom("a"))
	for range 2 { // new, and then listed
		for i := range 5 {
			length(etf.Atom(fmt.Sprint("other", i)))
		}
	}
	longest := 0
	for range openingUses + 1 {
		longest = max(longest, length(etf.Atom("a")))
	}
	if longest > least+2*openingAtoms {
		t.Errorf("%d bytes after others, before %d", longest, least)
	}
	if again := length(etf.Atom("a")); again != least {
		t.Errorf("still %d bytes instead of %d", again, least)
	}
}
