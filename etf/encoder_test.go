package etf

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
)

// TestRefused: what would make the receiver drop the connection is not written,
// and dst comes back as it was.
func TestRefused(t *testing.T) {
	var cyclic List
	cyclic = append(cyclic, nil)
	cyclic[0] = cyclic
	cyclicMap := Map{{1, 1}, {2, 2}}
	cyclicMap[0].Key = cyclicMap
	deep := Term(Atom("x"))
	for range defaultDepth + 1 {
		deep = Tuple{deep}
	}
	keys := Term(Atom("x"))
	for range maxKeyNesting + 1 {
		keys = Map{{keys, 1}, {2, 2}}
	}
	large := make(Map, 1000)
	for i := range large {
		large[i] = MapEntry{i, i}
	}
	large[999].Key = big.NewInt(500)
	rec := func(fields []Atom, values ...Term) Record {
		return Record{Module: "m", Name: "r", Fields: fields, Values: values}
	}
	cases := []struct {
		name string
		v    any
		err  error
	}{
		{"NaN", math.NaN(), ErrInvalid},
		{"Inf", math.Inf(-1), ErrInvalid},
		{"float32 Inf", float32(math.Inf(1)), ErrInvalid},
		{"long atom", Atom(strings.Repeat("a", 256)), ErrInvalid},
		{"long wide atom", Atom(strings.Repeat("é", 256)), ErrInvalid},
		{"atom not UTF-8", Atom("\xff"), ErrInvalid},
		{"atom with surrogate", Atom("\xed\xa0\x80"), ErrInvalid},
		{"node not UTF-8", Pid{Node: "a@\xff"}, ErrInvalid},
		{"charlist not UTF-8", Charlist("\xff"), ErrInvalid},
		{"equal keys", Map{{1, 1}, {1, 2}}, ErrInvalid},
		{"equal keys of two Go types", Map{{"a", 1}, {[]byte("a"), 2}}, ErrInvalid},
		{"equal keys true", Map{{true, 1}, {Atom("true"), 2}}, ErrInvalid},
		{"equal keys deep", Map{{Tuple{Map{{1, 2}, {3, 4}}}, 1}, {Tuple{Map{{3, 4}, {1, 2}}}, 2}}, ErrInvalid},
		{"equal keys of many", large, ErrInvalid},
		{"ref of 6 words", Ref{Node: "a@b", Len: 6}, ErrInvalid},
		{"bits 0", Bitstring{Bytes: []byte{1}}, ErrInvalid},
		{"bits 8", Bitstring{Bytes: []byte{1}, Bits: 8}, ErrInvalid},
		{"bits of nothing", Bitstring{Bits: 3}, ErrInvalid},
		{"improper without elements", ImproperList{Tail: 1}, ErrInvalid},
		{"fun with 256 variables", Fun{Module: "m", Free: make([]Term, 256)}, ErrInvalid},
		{"record of unequal length", rec([]Atom{"a", "b"}, 1), ErrInvalid},
		{"record with a field twice", rec([]Atom{"a", "a"}, 1, 2), ErrInvalid},
		{"cyclic list", cyclic, ErrLimit},
		{"cyclic key", cyclicMap, ErrLimit},
		{"too deep", deep, ErrLimit},
		{"keys in keys", keys, ErrLimit},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, v := range []any{c.v, Tuple{[]byte("before"), List{c.v}, 1}, Fun{Module: "m", Free: []Term{c.v}}} {
				e := Encoder{Records: true, SpliceMin: 1}
				if _, err := e.Append(nil, []byte("first")); err != nil {
					t.Fatal(err)
				}
				dst := []byte("kept")
				out, err := e.Append(dst, v)
				var detail *EncodeError
				if !errors.Is(err, c.err) || !errors.As(err, &detail) {
					t.Fatalf("error %v, want %v", err, c.err)
				}
				if string(out) != "kept" || len(e.Splices) != 1 {
					t.Errorf("left %q and %d splices behind", out, len(e.Splices))
				}
				if out, err := e.Append(nil, Tuple{1}); err != nil || !bytes.Equal(out, []byte{extSmallTuple, 1, 97, 1}) {
					t.Errorf("after the error: %x, %v", out, err)
				}
			}
		})
	}
}

func TestRecordsMustBeAllowed(t *testing.T) {
	r := Record{Module: "m", Name: "r"}
	if b, err := Marshal(List{r}); !errors.Is(err, ErrUnsupported) || b != nil {
		t.Errorf("Marshal = %x, %v; want ErrUnsupported", b, err)
	}
	e := Encoder{Records: true}
	if _, err := e.Append(nil, r); err != nil {
		t.Error(err)
	}
}

func TestGoKinds(t *testing.T) {
	cases := []struct {
		v    any
		want Term
	}{
		{nil, Atom("nil")}, {true, Atom("true")}, {false, Atom("false")}, {"text", []byte("text")},
		{int(-1), int64(-1)}, {int8(-128), int64(-128)}, {int16(-300), int64(-300)}, {int32(math.MinInt32), int64(math.MinInt32)},
		{uint8(255), int64(255)}, {uint16(65535), int64(65535)}, {uint32(math.MaxUint32), int64(math.MaxUint32)},
		{uint(7), int64(7)}, {uintptr(8), int64(8)}, {uint64(math.MaxUint64), new(big.Int).SetUint64(math.MaxUint64)},
		{big.NewInt(5), int64(5)}, {(*big.Int)(nil), Atom("nil")}, {float32(1.5), 1.5},
		{Charlist(""), List(nil)}, {Charlist("hé"), List{int64('h'), int64('é')}}, {Charlist("ж"), List{int64('ж')}},
		{ImproperList{List{1}, List{2}}, List{int64(1), int64(2)}},
		{ImproperList{List{1}, ImproperList{List{300}, Charlist("a")}}, List{int64(1), int64(300), int64('a')}},
		{ImproperList{List{1}, ImproperList{List{2}, Atom("x")}}, ImproperList{List{int64(1), int64(2)}, Atom("x")}},
		{Bitstring{[]byte{0xff}, 3}, Bitstring{[]byte{0xe0}, 3}},
		{List{uint8(1), int16(2), big.NewInt(3)}, Charlist("\x01\x02\x03")},
	}
	for _, c := range cases {
		got := mustDecode(t, mustEncode(t, c.v))
		if !Equal(got, c.want) || !Equal(c.v, got) || !Equal(got, c.v) {
			t.Errorf("%T %v reads back as %T %v, want %T %v", c.v, c.v, got, got, c.want, c.want)
		}
		if Compare(c.v, got) != 0 || hashTerm(c.v) != hashTerm(got) {
			t.Errorf("%T %v and %T %v: Compare %d, hashes differ: %v", c.v, c.v, got, got, Compare(c.v, got), hashTerm(c.v) != hashTerm(got))
		}
	}
}

type tableCache map[Atom]uint8

func (c tableCache) Ref(a Atom) (uint8, bool) { i, ok := c[a]; return i, ok }

// TestFunSize: the size of a fun counts what is on the wire, cached atoms and
// spliced binaries included.
func TestFunSize(t *testing.T) {
	f := Fun{Module: "mod", Pid: Pid{Node: "a@b"}, Free: []Term{Atom("mod"), bytes.Repeat([]byte("x"), 100), Fun{Module: "mod", Pid: Pid{Node: "a@b"}}}}
	table := []Term{Atom("mod"), Atom("a@b")}
	for _, cache := range []AtomCache{nil, tableCache{"mod": 0, "a@b": 1}} {
		for _, splice := range []int{0, 50} {
			e := Encoder{Cache: cache, SpliceMin: splice}
			out, err := e.Append(nil, f)
			if err != nil {
				t.Fatal(err)
			}
			whole := splice0(out, e.Splices)
			if size := int(whole[1])<<24 | int(whole[2])<<16 | int(whole[3])<<8 | int(whole[4]); size != len(whole)-1 {
				t.Errorf("cache %v, splices %d: size %d, fun has %d bytes", cache != nil, len(e.Splices), size, len(whole)-1)
			}
			var d Decoder
			d.Reset(whole, table)
			if back, err := d.Term(); err != nil || !Equal(back, f) {
				t.Errorf("reads back as %v, %v", back, err)
			}
		}
	}
}

// splice0 puts the pieces together as a writer would.
func splice0(out []byte, splices []Splice) (whole []byte) {
	from := 0
	for _, s := range splices {
		whole = append(append(whole, out[from:s.Offset]...), s.Data...)
		from = s.Offset
	}
	return append(whole, out[from:]...)
}

func TestSplices(t *testing.T) {
	large := bytes.Repeat([]byte("x"), 10)
	v := Tuple{large, []byte("small"), List{large}, string(large), large}
	e := Encoder{SpliceMin: 10}
	out, err := e.Append([]byte("head"), v)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Splices) != 3 || &e.Splices[0].Data[0] != &large[0] {
		t.Fatalf("splices: %v", e.Splices)
	}
	want, _ := new(Encoder).Append([]byte("head"), v)
	if got := splice0(out, e.Splices); !bytes.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAppendTupleHeader(t *testing.T) {
	var e Encoder
	for n, want := range map[int]string{0: "h\x00", 255: "h\xff", 256: "i\x00\x00\x01\x00"} {
		if got := e.AppendTuple(nil, n); string(got) != want {
			t.Errorf("arity %d: %q, want %q", n, got, want)
		}
	}
	if got := e.AppendUint(nil, 1<<63); !bytes.Equal(got, []byte{extSmallBig, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0x80}) {
		t.Errorf("2^63: %x", got)
	}
}
