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
	var d Decoder // kept, as those of messages are
	b.Run("struct", func(b *testing.B) {
		var v reading
		b.ReportAllocs()
		for b.Loop() {
			d.Reset(wire, readingTable)
			if err := d.Unmarshal(&v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Term", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d.Reset(wire, readingTable)
			if _, err := d.Term(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// The message costs what it holds: nothing, its atoms being in the frame's header.
func TestReadingAllocations(t *testing.T) {
	e := Encoder{Cache: readingCache()}
	buf := make([]byte, 0, 64)
	var message any = reading{N: 1_000_000, State: "on"}
	var d Decoder
	var v reading
	if got := testing.AllocsPerRun(100, func() {
		wire, err := e.Append(buf, message)
		if err != nil {
			t.Fatal(err)
		}
		d.Reset(wire, readingTable)
		if err := d.Unmarshal(&v); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("there and back allocates %v times", got)
	}
}
