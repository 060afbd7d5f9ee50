package etf

import (
	"bytes"
	"runtime"
	"testing"
)

// FuzzDecode: no input makes decoding panic or allocate much; Skip agrees with
// Term; and what was read can be written and is read again as the same term, in
// the same bytes from then on.
func FuzzDecode(f *testing.F) {
	for _, g := range goldens(f) {
		for _, line := range g.lines {
			switch wire := line[len(line)-1]; line[0] {
			case "T":
				if len(wire) < 2000 {
					f.Add(unhex(f, wire)[1:])
				}
			case "B":
				if b := unhex(f, line[2]); len(b) > 0 {
					f.Add(b[1:])
				}
			case "C":
				f.Add(unhex(f, line[1])[1:])
			}
		}
	}
	table := []Term{Atom("zero"), Atom("one")}
	f.Fuzz(func(t *testing.T, wire []byte) {
		var d Decoder
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		d.Reset(wire, table)
		term, err := d.Term()
		runtime.ReadMemStats(&after)
		// The runtime's own allocations in other goroutines count too; hence the slack.
		if got := after.TotalAlloc - before.TotalAlloc; got > uint64(200*len(wire)+1<<20) {
			t.Errorf("%d bytes allocated for %d", got, len(wire))
		}
		read := len(wire) - len(d.Rest())
		d.Reset(wire, table)
		if skipped := d.Skip(); (skipped == nil) != (err == nil) {
			t.Fatalf("Term: %v, Skip: %v", err, skipped)
		} else if err == nil && len(wire)-len(d.Rest()) != read {
			t.Fatalf("Term read %d bytes, Skip %d", read, len(wire)-len(d.Rest()))
		}
		if err != nil {
			return
		}
		first := mustEncode(t, term)
		again := mustDecode(t, first)
		if !Equal(term, again) || !Equal(again, term) || Compare(term, again) != 0 || hashTerm(term) != hashTerm(again) {
			t.Fatalf("%v reads back as %v", term, again)
		}
		if second := mustEncode(t, again); !bytes.Equal(first, second) {
			t.Fatalf("%x then %x", first, second)
		}
	})
}
