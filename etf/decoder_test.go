package etf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"runtime"
	"strings"
	"testing"
)

func reader(b string, atoms ...Term) *Decoder {
	var d Decoder
	d.Reset([]byte(b), atoms)
	return &d
}

// TestNarrow reads one term after the other, each by its own method. Asking for
// the wrong kind first must not consume anything.
func TestNarrow(t *testing.T) {
	ref := Ref{Node: "n@h", Creation: 9, Len: 2, Words: [5]uint32{1, 2}}
	parts := []any{int64(-5), uint64(math.MaxUint64), 1.5, Atom("hello"), []byte("bin"), Pid{"n@h", 1, 2, 3}, Port{"n@h", 4, 5}, ref,
		new(big.Int).Lsh(big.NewInt(1), 100), big.NewInt(7)}
	var e Encoder
	wire := e.AppendTuple(nil, len(parts))
	for _, p := range parts {
		var err error
		if wire, err = e.Append(wire, p); err != nil {
			t.Fatal(err)
		}
	}
	d := reader(string(wire))
	if n, err := d.Tuple(); n != len(parts) || err != nil {
		t.Fatal(n, err)
	}
	for i, p := range parts {
		before := len(d.Rest())
		if _, err := d.Tuple(); !errors.Is(err, ErrKind) || len(d.Rest()) != before {
			t.Errorf("part %d: Tuple: %v, consumed %d", i, err, before-len(d.Rest()))
		}
		var got any
		var err error
		switch p.(type) {
		case int64:
			got, err = d.Int()
		case uint64:
			if _, err := d.Int(); !errors.Is(err, ErrRange) || len(d.Rest()) != before {
				t.Errorf("Int of 2^64-1: %v", err)
			}
			got, err = d.Uint()
		case float64:
			got, err = d.Float()
		case Atom:
			got, err = d.Atom()
		case []byte:
			got, err = d.Binary()
		case Pid:
			got, err = d.Pid()
		case Port:
			got, err = d.Port()
		case Ref:
			got, err = d.Ref()
		case *big.Int:
			got, err = d.BigInt()
		}
		if err != nil || !Equal(got, p) {
			t.Errorf("part %d: %v, %v; want %v", i, got, err, p)
		}
	}
	if len(d.Rest()) != 0 || d.owed != 0 {
		t.Errorf("left: %q, owed %d", d.Rest(), d.owed)
	}
	if _, err := d.Int(); !errors.Is(err, ErrTruncated) {
		t.Errorf("at the end: %v", err)
	}
}

func TestUintRefusesNegative(t *testing.T) {
	for _, wire := range []string{"b\xff\xff\xff\xff", "n\x01\x01\x05", "n\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"} {
		if u, err := reader(wire).Uint(); !errors.Is(err, ErrRange) {
			t.Errorf("%q: %d, %v", wire, u, err)
		}
	}
}

func TestKind(t *testing.T) {
	for wire, want := range map[string]Kind{
		"": KindInvalid, "\x01": KindInvalid, "P": KindInvalid, "a\x01": KindInt, "M\x00\x00\x00\x01\x08\xff": KindBinary,
		"M\x00\x00\x00\x01\x07\xff": KindBitstring, "l\x00\x00\x00\x00j": KindList, "l\x00\x00\x00\x00a\x01": KindInt,
		"k\x00\x00": KindList, "q": KindFun, "p": KindFun, "C": KindRecord, "R\x00": KindAtom, "t": KindMap,
	} {
		if got := reader(wire).Kind(); got != want {
			t.Errorf("Kind(%q) = %v, want %v", wire, got, want)
		}
	}
	if KindMap.String() != "map" || Kind(200).String() != "invalid" {
		t.Error("names of kinds")
	}
}

func TestAtomTable(t *testing.T) {
	table := []Term{Atom("zero"), Atom("one"), "no atom"}
	for wire, want := range map[string]Term{"R\x00": table[0], "h\x01R\x01": Tuple{table[1]}} {
		if got, err := reader(wire, table...).Term(); err != nil || !Equal(got, want) {
			t.Errorf("%q: %v, %v", wire, got, err)
		}
	}
	for _, wire := range []string{"R\x02", "R\x03", "R\xff", "XR\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"} {
		if got, err := reader(wire, table...).Term(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v, %v", wire, got, err)
		}
		if err := reader(wire, table...).Skip(); !errors.Is(err, ErrInvalid) {
			t.Errorf("Skip %q: %v", wire, err)
		}
	}
	if _, err := reader("R", table...).Atom(); !errors.Is(err, ErrTruncated) {
		t.Error(err)
	}
}

// TestTruncated cuts every golden at every byte.
func TestTruncated(t *testing.T) {
	for _, line := range goldens(t)[2].of("T") {
		wire := unhex(t, line[2])[1:]
		if len(wire) > 400 {
			continue
		}
		for i := range wire {
			d := reader(string(wire[:i]))
			if got, err := d.Term(); !errors.Is(err, ErrTruncated) {
				t.Fatalf("%s, %d of %d bytes: %v, %v", line[0], i, len(wire), got, err)
			}
			if err := reader(string(wire[:i])).Skip(); !errors.Is(err, ErrTruncated) {
				t.Fatalf("%s, %d of %d bytes: Skip: %v", line[0], i, len(wire), err)
			}
		}
	}
}

func u32(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

// TestPromises: what a header claims is checked against what is there before
// anything is allocated for it, nested ones all together.
func TestPromises(t *testing.T) {
	filler := strings.Repeat("j", 100_000)
	nested := strings.Repeat("i"+u32(99_000), 9_000) + filler
	for name, wire := range map[string]string{
		"tuple":  "i" + u32(math.MaxUint32) + "a\x01",
		"list":   "l" + u32(math.MaxUint32) + "a\x01",
		"map":    "t" + u32(math.MaxUint32) + "a\x01",
		"binary": "m" + u32(math.MaxUint32) + "a\x01",
		"bits":   "M" + u32(math.MaxUint32) + "\x01a\x01",
		"big":    "o" + u32(math.MaxUint32) + "\x00\x01",
		"record": "C" + u32(math.MaxUint32) + "\x00w\x01mw\x01ra\x01",
		"nested": nested,
		"lists":  strings.Repeat("l"+u32(99_000), 9_000) + filler,
		"maps":   strings.Repeat("t"+u32(49_000), 9_000) + filler,
		"tails":  strings.Repeat("l"+u32(1)+"j", 9_000) + "l" + u32(100_000_000) + filler,
	} {
		for _, op := range []func(d *Decoder) error{func(d *Decoder) error { _, err := d.Term(); return err }, (*Decoder).Skip} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := op(reader(wire)); !errors.Is(err, ErrTruncated) {
				t.Errorf("%s: %v", name, err)
			}
			runtime.ReadMemStats(&after)
			if got, most := after.TotalAlloc-before.TotalAlloc, uint64(64*len(wire)+64<<10); got > most {
				t.Errorf("%s: %d bytes allocated for %d", name, got, len(wire))
			}
		}
	}
}

func TestLimits(t *testing.T) {
	deep := func(n int, head string) string { return strings.Repeat(head, n) + "j" }
	tail := strings.Repeat("l"+u32(1)+"a\x01", 50_000) + "j"
	cases := []struct {
		name   string
		limits Limits
		wire   string
		ok     bool
	}{
		{"depth", Limits{}, deep(10_000, "h\x01"), true},
		{"too deep", Limits{}, deep(10_001, "h\x01"), false},
		{"far too deep", Limits{}, deep(5_000_000, "h\x01"), false},
		{"depth of lists", Limits{Depth: 5}, strings.Repeat("l"+u32(1), 5) + "j" + strings.Repeat("j", 5), true},
		{"too deep lists", Limits{Depth: 4}, strings.Repeat("l"+u32(1), 5) + "j" + strings.Repeat("j", 5), false},
		{"deep maps", Limits{Depth: 2}, "t" + u32(1) + "jt" + u32(1) + "jt" + u32(0), false},
		{"long tails are not deep", Limits{Depth: 1}, tail, true},
		{"elements", Limits{Elements: 3}, "h\x01h\x02jj", true},
		{"too many elements", Limits{Elements: 2}, "h\x01h\x02jj", false},
		{"elements of a string", Limits{Elements: 2}, "k\x00\x03abc", false},
		{"bytes of a big", Limits{Bytes: 9}, "n\x0a\x00" + strings.Repeat("\x01", 10), false},
		{"keys in keys", Limits{}, strings.Repeat("t"+u32(2), 33) + strings.Repeat("jjh\x00j", 33), false},
		{"keys in keys allowed", Limits{}, strings.Repeat("t"+u32(2), 31) + "j" + strings.Repeat("jh\x00j", 31), true},
	}
	for _, c := range cases {
		for _, op := range []func(d *Decoder) error{func(d *Decoder) error { _, err := d.Term(); return err }, (*Decoder).Skip} {
			d := reader(c.wire)
			d.Limits = c.limits
			if err := op(d); c.ok != (err == nil) || !c.ok && !errors.Is(err, ErrLimit) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
	d := reader("h\x03w\x02x1w\x02x2w\x02x3")
	d.Limits.Atoms = 2
	if _, err := d.Term(); !errors.Is(err, ErrLimit) {
		t.Errorf("atoms: %v", err)
	}
}

func TestDecodeErrors(t *testing.T) {
	_, err := Decode([]byte{131, extSmallTuple, 2, 97, 1, 250})
	var e *DecodeError
	if !errors.As(err, &e) || e.Offset != 5 || e.Tag != 250 || e.Err != ErrInvalid {
		t.Errorf("%#v", err)
	}
	if !strings.Contains(err.Error(), "byte 5 (tag 250)") {
		t.Error(err)
	}
	if _, err := Decode([]byte{131, 97, 1, 0}); !errors.Is(err, ErrInvalid) {
		t.Errorf("bytes behind: %v", err)
	}
	if _, err := Decode(nil); !errors.Is(err, ErrTruncated) {
		t.Errorf("nothing: %v", err)
	}
}

// TestAliases states the memory contract: binaries are the input itself, and
// appending to one does not write into it.
func TestAliases(t *testing.T) {
	wire := []byte("\x83h\x03m\x00\x00\x00\x03abcw\x01zk\x00\x01q")
	term := mustDecode(t, wire).(Tuple)
	b := term[0].([]byte)
	_ = append(b, "XYZ"...)
	wire[8] = 'A'
	wire[13], wire[17] = 'Y', 'Q'
	if !bytes.Equal(b, []byte("Abc")) || term[1] != Atom("z") || !Equal(term[2], Charlist("q")) {
		t.Errorf("%v", term)
	}
}

// TestReuse: neither slabs nor tables of one term show in the next.
func TestReuse(t *testing.T) {
	var d Decoder
	for range 3 {
		for _, line := range goldens(t)[2].of("T") {
			if strings.HasPrefix(line[0], "head ") {
				continue
			}
			wire := unhex(t, line[2])
			d.Reset(wire[1:], nil)
			got, err := d.Term()
			if err != nil || !Equal(got, mustDecode(t, wire)) {
				t.Fatalf("%s: %v, %v", line[0], got, err)
			}
		}
	}
}

func TestCompressed(t *testing.T) {
	var bomb []byte
	for _, line := range goldens(t)[1].of("B") {
		if line[0] == "compressed" {
			bomb = unhex(t, line[1])
		}
	}
	var d Decoder
	d.Limits.Bytes = 100
	if err := d.resetVersioned(bomb); !errors.Is(err, ErrLimit) {
		t.Errorf("beyond Limits.Bytes: %v", err)
	}
	binary.BigEndian.PutUint32(bomb[2:], 60<<20)
	if _, err := Decode(bomb); !errors.Is(err, ErrTruncated) {
		t.Errorf("a size that cannot be: %v", err)
	}
	if _, err := reader(string(bomb[1:])).Term(); !errors.Is(err, ErrInvalid) {
		t.Errorf("without version: %v", err)
	}
	if err := Unmarshal(bomb[:4], new(Term)); !errors.Is(err, ErrTruncated) {
		t.Errorf("cut: %v", err)
	}
}
