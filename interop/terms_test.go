package interop

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
)

// serveEcho registers a process that answers {Pid, T} with T, decoded and
// encoded anew.
func serveEcho(t *testing.T, n *truss.Node) {
	t.Helper()
	_, err := n.Spawn(func(ctx context.Context, p *truss.Process) error {
		for {
			m, err := p.Receive(ctx)
			if err != nil {
				return err
			}
			term, err := m.Term()
			if err != nil {
				t.Errorf("a message from the BEAM cannot be decoded: %v", err)
				continue
			}
			request, ok := term.(etf.Tuple)
			if !ok || len(request) != 2 {
				t.Errorf("echo got %v", etf.Format(term))
				continue
			}
			if err := p.Send(ctx, request[0], request[1]); err != nil {
				t.Errorf("echo of %.200s: %v", etf.Format(request[1]), err)
				if err := p.Send(ctx, request[0], etf.Atom("not_sent")); err != nil {
					return err
				}
			}
		}
	}, truss.Registered("echo"))
	if err != nil {
		t.Fatal(err)
	}
}

// TestTermsOfTheBEAM sends some 2000 terms made by the BEAM to Go and back; the
// BEAM compares what comes back with =:=.
func TestTermsOfTheBEAM(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		p.beam.Load(t, termsModule)
		serveEcho(t, p.node)
		if got := p.beam.MustEval(t, "terms:echo({echo, '"+p.node.Name()+"'}, terms:all())"); got != "[]" {
			t.Errorf("came back changed: %.5000s", got)
		}
		if got := p.beam.MustEval(t, "nodes()"); got != atoms(p.node.Name()) {
			t.Errorf("the connection was lost on the way: nodes %s", got)
		}
	})
}

// goTerms are made by Go. Those of textual can be written down in Erlang.
func goTerms(n *truss.Node, release beam.Release) (textual, others []etf.Term) {
	pow := func(exp uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), exp) }
	long := etf.Atom(strings.Repeat("é", 255))
	textual = []etf.Term{
		int64(0), int64(-1), int64(255), int64(256), int64(math.MinInt32), int64(math.MaxInt32 + 1),
		int64(math.MinInt64), int64(math.MaxInt64), pow(63), pow(64), new(big.Int).Neg(pow(64)), pow(2040), pow(5000),
		0.0, math.Copysign(0, -1), 1.5, -0.1, math.MaxFloat64, math.SmallestNonzeroFloat64, 1e22, 123456789.0,
		etf.Atom(""), etf.Atom("ok"), etf.Atom("Hello World"), etf.Atom("it's"), etf.Atom("\\ \n"), etf.Atom("receive"),
		etf.Atom("maybe"), etf.Atom("else"), etf.Atom("å"), etf.Atom("日本"), etf.Atom("a@b.c"), etf.Atom("_x"), long,
		[]byte{}, []byte("hello"), []byte("日本 \"quoted\" \\ \x00\xff"), make([]byte, 70000),
		etf.Bitstring{Bytes: []byte{0x80}, Bits: 1}, etf.Bitstring{Bytes: []byte{1, 2, 0xa0}, Bits: 3},
		etf.Tuple{}, etf.Tuple{etf.Atom("a"), int64(1)}, make300(),
		etf.List{}, etf.List{int64(1)}, etf.List{int64(104), int64(105)}, etf.List{int64(0), int64(300)},
		etf.List{etf.List{etf.List{}}}, etf.ImproperList{Elems: etf.List{int64(1), int64(2)}, Tail: etf.Atom("t")},
		etf.Map{}, etf.Map{{Key: etf.Atom("a"), Value: int64(1)}, {Key: []byte("b"), Value: etf.List{}}},
		etf.Map{{Key: int64(1), Value: etf.Atom("integer")}, {Key: 1.0, Value: etf.Atom("float")}},
		etf.Map{{Key: etf.Map{{Key: etf.Tuple{}, Value: etf.List{}}}, Value: etf.Map{}}},
		etf.Export{Module: "lists", Function: "map", Arity: 2}, etf.Export{Module: "Elixir.Enum", Function: "any?", Arity: 1},
	}
	pid := etf.Pid{Node: etf.Atom(n.Name()), ID: 77, Serial: 3, Creation: 5}
	others = []etf.Term{
		pid, etf.Pid{Node: "x@y", ID: math.MaxUint32, Serial: math.MaxUint32, Creation: math.MaxUint32},
		n.NewRef(), etf.Ref{Node: "x@y", Creation: 9, Len: 1, Words: [5]uint32{7}},
		etf.Ref{Node: "x@y", Creation: 9, Len: 5, Words: [5]uint32{1, 2, 3, 4, 5}},
		etf.Port{Node: "x@y", ID: 5, Creation: 3}, etf.Port{Node: "x@y", ID: math.MaxUint64, Creation: 3},
		etf.Fun{Module: "m", Arity: 2, Uniq: [16]byte{1, 2, 3}, Index: 4, OldIndex: 5, OldUniq: 6, Pid: pid, Free: []etf.Term{int64(1), []byte("b")}},
	}
	if release.OTP >= "29" {
		others = append(others,
			etf.Record{Exported: true, Module: "shop", Name: "item", Fields: []etf.Atom{"b", "a"}, Values: []etf.Term{int64(1), []byte("x")}},
			etf.Record{Module: "shop", Name: "none"})
	}
	return textual, others
}

func make300() etf.Tuple {
	t := make(etf.Tuple, 300)
	for i := range t {
		t[i] = etf.Atom(fmt.Sprintf("element_%d", i))
	}
	return t
}

// TestTermsOfGo sends terms made by Go to the BEAM and back, and has the BEAM
// compare each with what its own parser makes of the text that etf.Format
// prints.
func TestTermsOfGo(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		p.beam.MustEval(t, "interop_peer:start_judge()")
		textual, others := goTerms(p.node, release)
		done := make(chan error, 1)
		_, err := p.node.Spawn(func(ctx context.Context, self *truss.Process) error {
			done <- firstError(
				echoEach(ctx, self, p.beam.Name, append(textual, others...)),
				judgeEach(ctx, self, p.beam.Name, append(textual, etf.List(textual))))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

// firstError is the first error.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func echoEach(ctx context.Context, self *truss.Process, peer string, terms []etf.Term) error {
	for _, term := range append(terms, etf.List(terms), etf.Tuple{etf.List(terms), int64(1)}) {
		back, err := exchange(ctx, self, truss.Name{Name: "echo", Node: peer}, etf.Tuple{self.PID(), term})
		if err != nil {
			return fmt.Errorf("echo of %.200s: %w", etf.Format(term), err)
		}
		if !etf.Equal(back, term) {
			return fmt.Errorf("%.500s came back as %.500s", etf.Format(term), etf.Format(back))
		}
	}
	return nil
}

func judgeEach(ctx context.Context, self *truss.Process, peer string, terms []etf.Term) error {
	for _, term := range terms {
		text := etf.Format(term)
		verdict, err := exchange(ctx, self, truss.Name{Name: "judge", Node: peer}, etf.Tuple{self.PID(), text, term})
		if err != nil {
			return fmt.Errorf("judging %.200s: %w", text, err)
		}
		if verdict != etf.Term(etf.Atom("ok")) {
			return fmt.Errorf("the text %.500s: %.500s", text, etf.Format(verdict))
		}
	}
	return nil
}

// exchange sends a message and returns the next one that arrives.
func exchange(ctx context.Context, self *truss.Process, to truss.Name, message etf.Term) (etf.Term, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := self.Send(ctx, to, message); err != nil {
		return nil, err
	}
	m, err := self.Receive(ctx)
	if err != nil {
		return nil, err
	}
	return m.Term()
}
