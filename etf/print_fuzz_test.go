package etf

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// readable tells whether Parse can read back what Format makes of t.
func readable(t Term) bool {
	all := func(terms []Term) bool {
		for _, t := range terms {
			if !readable(t) {
				return false
			}
		}
		return true
	}
	switch t := t.(type) {
	case Fun:
		return false
	case Record:
		return t.Exported && all(t.Values)
	case Tuple:
		return all(t)
	case List:
		return all(t)
	case ImproperList:
		return all(t.Elems) && readable(t.Tail)
	case Map:
		for _, e := range t {
			if !readable(e.Key) || !readable(e.Value) {
				return false
			}
		}
	}
	return true
}

// FuzzFormat: what prints must read back as the same term.
func FuzzFormat(f *testing.F) {
	for _, g := range goldenLines(f) {
		b, err := (&Encoder{Records: true}).Append([]byte{version}, g.term)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(external(f, fullText))
	f.Fuzz(func(t *testing.T, b []byte) {
		term, err := Decode(b)
		if err != nil {
			return
		}
		FormatElixir(term)
		text := Format(term)
		if !readable(term) || len(b) > parseMaxDepth { // too short to be too deep
			return
		}
		back, err := Parse(text)
		if err != nil {
			t.Fatalf("%x prints as %s: %v", b, text, err)
		}
		if !Equal(back, term) {
			t.Fatalf("%x prints as %s, which is another term", b, text)
		}
	})
}

// randomTerm makes a term of at most that depth.
func randomTerm(r *rand.Rand, depth int) Term {
	if depth == 0 {
		return randomScalar(r)
	}
	terms := func() []Term {
		s := make([]Term, r.IntN(5))
		for i := range s {
			s[i] = randomTerm(r, depth-1)
		}
		return s
	}
	switch r.IntN(7) {
	case 0:
		return Tuple(terms())
	case 1:
		return List(terms())
	case 2:
		return ImproperList{append(terms(), Atom("last")), randomScalar(r)}
	case 3:
		m := Map{}
		for _, t := range terms() {
			if _, there := m.Get(t); !there {
				m = append(m, MapEntry{t, randomTerm(r, depth-1)})
			}
		}
		return m
	case 4:
		return Record{true, randomAtom(r), randomAtom(r), []Atom{"a", "B c"}, []Term{randomTerm(r, depth-1), randomScalar(r)}}
	}
	return randomScalar(r)
}

func randomScalar(r *rand.Rand) Term {
	switch r.IntN(11) {
	case 0:
		return int64(r.Uint64() >> r.IntN(64))
	case 1:
		return new(big.Int).Lsh(big.NewInt(-1-r.Int64()), 70)
	case 2:
		return math.Float64frombits(r.Uint64() &^ (1 << 62)) // never NaN or infinite
	case 3:
		return randomAtom(r)
	case 4:
		return []byte(randomText(r))
	case 5:
		return []byte{byte(r.Uint32()), byte(r.Uint32())}
	case 6:
		return Bitstring{[]byte{byte(r.Uint32()), 0xa0}, 3}
	case 7:
		return codePoints(Charlist(randomText(r)))
	case 8:
		return Pid{randomAtom(r), r.Uint32(), r.Uint32(), r.Uint32()}
	case 9:
		return Ref{randomAtom(r), r.Uint32(), 2, [5]uint32{r.Uint32(), r.Uint32()}}
	}
	return Export{randomAtom(r), randomAtom(r), uint8(r.Uint32())}
}

func randomAtom(r *rand.Rand) Atom { return Atom(randomText(r)) }

// randomText is made of what needs care: quotes, escapes, all sorts of letters.
func randomText(r *rand.Rand) string {
	alphabet := []rune("abzAZ09_@ .'\"\\#{}~%$\n\t\x1b\x00\x7f\u0080\u00a0éß÷λ日\u200b\ufeff😀\U0010ffff")
	text := make([]rune, r.IntN(6))
	for i := range text {
		text[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(text)
}

func TestFormatRoundTrip(t *testing.T) {
	for seed := range uint64(3000) {
		term := randomTerm(rand.New(rand.NewPCG(seed, 0)), 4)
		text := Format(term)
		back, err := Parse(text)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, text, err)
		}
		if !Equal(back, term) {
			t.Fatalf("seed %d: %s reads back as %s", seed, text, Format(back))
		}
		FormatElixir(term)
	}
}
