package dist

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// Many senders at once, with small signals and fragments of large ones in any
// interleaving, atoms coming and going by the thousand: what each sends comes
// out unchanged and in its order.
func TestInterleavings(t *testing.T) {
	for name, flags := range modes {
		t.Run(name, func(t *testing.T) {
			for range 3 {
				seed := rand.Uint64()
				interleave(t, flags, seed)
				if t.Failed() {
					t.Fatalf("with seed %d", seed)
				}
			}
		})
	}
}

func interleave(t *testing.T, flags Flags, seed uint64) {
	const senders, signals = 8, 400
	rnd := rand.New(rand.NewPCG(seed, 0))
	w := newWire(t, flags)
	sent := make([][]etf.Term, senders)
	streams := make([]*Stream, senders)
	got := make([][]etf.Term, senders)
	for left := signals; left > 0 || active(streams); {
		who := rnd.IntN(senders)
		switch {
		case streams[who] != nil:
			if !streams[who].Next(&w.b) {
				streams[who] = nil
			}
		case left > 0:
			left--
			payload := randomTerm(rnd, rnd.IntN(12) == 0)
			sent[who] = append(sent[who], payload)
			from := etf.Pid{Node: "a@h", ID: uint32(who), Creation: 1}
			streams[who] = w.send(&Control{Op: OpSendSender, From: from, To: pidB}, payload)
		}
		for _, r := range w.carry() {
			who := r.c.From.ID
			got[who] = append(got[who], r.payload)
		}
	}
	for who := range sent {
		if !reflect.DeepEqual(got[who], sent[who]) {
			t.Errorf("sender %d: %d signals sent, %d came, or others", who, len(sent[who]), len(got[who]))
		}
	}
}

func active(streams []*Stream) bool {
	for _, st := range streams {
		if st != nil {
			return true
		}
	}
	return false
}

// randomTerm makes lists of atoms out of 5000, more than the cache holds, and if
// large, binaries that take several fragments.
func randomTerm(rnd *rand.Rand, large bool) etf.Term {
	list := etf.List{etf.Tuple{int64(rnd.Uint32()), pidA, refA}}
	for range rnd.IntN(40) {
		n := rnd.IntN(5000)
		list = append(list, etf.Atom(strings.Repeat("ä", n%7*20)+fmt.Sprint(n)))
	}
	if large {
		list = append(list, make([]byte, rnd.IntN(5*fragmentSize)), etf.Atom("between"), make([]byte, rnd.IntN(2*fragmentSize)))
	}
	return list
}
