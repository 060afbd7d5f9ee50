package etf

import "testing"

// reading is the small message of the benchmarks against other systems.
type reading struct {
	_     struct{} `etf:"reading,tuple"`
	N     uint64
	State Atom
}

var readingTable = []Term{Atom("reading"), Atom("on")}

func readingCache() AtomCache { return cacheOf{"reading", "on"} }

func BenchmarkEncodeReading(b *testing.B) {
	e := Encoder{Cache: readingCache()}
	buf := make([]byte, 0, 64)
	for name, v := range map[string]any{
		"struct":  reading{N: 1_000_000, State: "on"},
		"pointer": &reading{N: 1_000_000, State: "on"},
		"tuple":   Tuple{Atom("reading"), uint64(1_000_000), Atom("on")},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Append(buf, v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodeReading(b *testing.B) {
	e := Encoder{Cache: readingCache()}
	wire, err := e.Append(nil, reading{N: 1_000_000, State: "on"})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("struct", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var d Decoder
			d.Reset(wire, readingTable)
			var v reading
			if err := d.Unmarshal(&v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Term", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var d Decoder
			d.Reset(wire, readingTable)
			if _, err := d.Term(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
