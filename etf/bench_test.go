package etf

import (
	"bytes"
	"fmt"
	"testing"
)

// realistic is about 50 KB of what applications exchange: a list of maps with
// binaries, atoms, integers, floats and nested tuples.
func realistic() Term {
	var l List
	for i := range 160 {
		n := int64(i)
		l = append(l, Map{
			{Atom("__struct__"), Atom("Elixir.Shop.Order")},
			{Atom("id"), 1_000_000 + n*7919},
			{Atom("customer"), []byte(fmt.Sprintf("customer-%08d@example.com", i))},
			{Atom("total"), 19.99 * float64(i)},
			{Atom("status"), []Term{Atom("paid"), Atom("open"), Atom("shipped")}[i%3]},
			{Atom("note"), bytes.Repeat([]byte("lorem ipsum "), i%4)},
			{Atom("tags"), List{Atom("new"), []byte("gift"), n % 256}},
			{Atom("position"), Tuple{Atom("point"), 48.2 + float64(i)/100, 16.3, Tuple{Atom("alt"), n}}},
			{Atom("lines"), List{
				Tuple{Atom("line"), n, []byte("SKU-1001"), int64(2)},
				Tuple{Atom("line"), n * 1000, []byte("SKU-2002"), int64(1)},
			}},
			{Atom("inserted_at"), Tuple{Tuple{int64(2026), int64(11), int64(i%28 + 1)}, Tuple{int64(12), int64(30), int64(i % 60)}}},
		})
	}
	return Tuple{Atom("ok"), l}
}

func smallTuple() Term {
	return Tuple{Atom("$gen_call"), Tuple{Pid{"a@b", 120, 0, 1700000000}, Ref{Node: "a@b", Creation: 1700000000, Len: 3, Words: [5]uint32{1, 2, 3}}},
		Tuple{Atom("add"), int64(1), int64(2)}}
}

func BenchmarkEncode(b *testing.B) {
	for name, term := range map[string]Term{"50KB": realistic(), "call": smallTuple()} {
		b.Run(name, func(b *testing.B) {
			var e Encoder
			buf, err := e.Append(nil, term)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				if buf, err = e.Append(buf[:0], term); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMarshal(b *testing.B) {
	term := realistic()
	b.ReportAllocs()
	for b.Loop() {
		out, err := Marshal(term)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(out)))
	}
}

func BenchmarkDecode(b *testing.B) {
	table := []Term{Atom("$gen_call"), Atom("a@b"), Atom("add")}
	cached := Encoder{Cache: tableCache{"$gen_call": 0, "a@b": 1, "add": 2}}
	call, err := cached.Append(nil, smallTuple())
	if err != nil {
		b.Fatal(err)
	}
	for name, wire := range map[string][]byte{"50KB": mustEncode(b, realistic())[1:], "call": call} {
		b.Run(name+"/Term", func(b *testing.B) {
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				var d Decoder
				d.Reset(wire, table)
				if _, err := d.Term(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/Skip", func(b *testing.B) {
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				var d Decoder
				d.Reset(wire, table)
				if err := d.Skip(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
