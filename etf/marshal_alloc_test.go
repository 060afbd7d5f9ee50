package etf

import (
	"fmt"
	"testing"
)

// order is a plain message, as a service would get by the thousand.
type order struct {
	ID       int64
	Customer string
	Status   string `etf:",atom"`
	Total    float64
	Paid     bool
	Reply    Pid
	Tag      Ref
	Lines    []orderLine
}

type orderLine struct {
	_        struct{} `etf:"line,tuple"`
	SKU      []byte
	Quantity int
	Price    float64
}

func orders(n int) []order {
	list := make([]order, n)
	for i := range list {
		list[i] = order{
			ID: int64(i) * 1000, Customer: fmt.Sprintf("customer %d", i), Status: "open", Total: 12.5, Paid: i%2 == 0,
			Reply: Pid{"shop@10.0.0.1", 100, 0, 1712345678}, Tag: Ref{"shop@10.0.0.1", 1712345678, 3, [5]uint32{1, 2, 3}},
			Lines: []orderLine{{SKU: []byte("sku-1"), Quantity: i, Price: 1.5}, {SKU: []byte("sku-22"), Quantity: 2, Price: 2.25}},
		}
	}
	return list
}

func TestMarshalAllocations(t *testing.T) {
	list := orders(10)
	var byValue any = list[0] // boxed once, as a caller's argument is
	var e Encoder
	buf := make([]byte, 0, 1<<16)
	for name, v := range map[string]any{"pointer": &list[0], "slice": &list, "value": byValue} {
		if got := testing.AllocsPerRun(100, func() {
			if _, err := e.Append(buf, v); err != nil {
				t.Fatal(err)
			}
		}); got != 0 {
			t.Errorf("%s: encoding allocates %v times", name, got)
		}
	}
}

func TestUnmarshalAllocations(t *testing.T) {
	list := orders(1)
	b, err := Marshal(list[0])
	if err != nil {
		t.Fatal(err)
	}
	var d Decoder
	var v order
	allocations := func() float64 {
		return testing.AllocsPerRun(100, func() {
			v = order{}
			d.Reset(b[1:], nil)
			if err := d.Unmarshal(&v); err != nil {
				t.Fatal(err)
			}
		})
	}
	// Customer and Lines; and two for each of the three atoms, whose text is made
	// and boxed anew, as a term this short has no table of recent atoms.
	if got := testing.AllocsPerRun(100, func() {
		v, d = order{}, Decoder{}
		d.Reset(b[1:], nil)
		if err := d.Unmarshal(&v); err != nil {
			t.Fatal(err)
		}
	}); got != 8 {
		t.Errorf("decoding allocates %v times, want 8", got)
	}
	// A decoder that has met atoms in many such terms gets one.
	allocations()
	if got := allocations(); got != 2 {
		t.Errorf("decoding again and again allocates %v times, want 2", got)
	}
	// With the atoms in the frame's header, exactly what the struct holds.
	var e Encoder
	e.Cache = cacheOf(atomsOf(list[0]))
	frame, err := e.Append(nil, list[0])
	if err != nil {
		t.Fatal(err)
	}
	var table []Term
	for _, a := range atomsOf(list[0]) {
		table = append(table, a)
	}
	if got := testing.AllocsPerRun(100, func() {
		v = order{}
		d.Reset(frame, table)
		if err := d.Unmarshal(&v); err != nil {
			t.Fatal(err)
		}
	}); got != 2 { // Customer and Lines
		t.Errorf("decoding with a header allocates %v times, want 2", got)
	}
}

// An atom that the struct holds already is not made again.
func TestHeldAtoms(t *testing.T) {
	b, err := Marshal(reading{N: 1, State: "unheard_of"})
	if err != nil {
		t.Fatal(err)
	}
	var v reading
	var d Decoder
	if got := testing.AllocsPerRun(100, func() {
		d = Decoder{} // that remembers nothing
		d.Reset(b[1:], nil)
		if err := d.Unmarshal(&v); err != nil || v.State != "unheard_of" {
			t.Fatal(v, err)
		}
	}); got != 0 {
		t.Errorf("decoding allocates %v times", got)
	}
}

func atomsOf(o order) []Atom {
	return []Atom{"id", "customer", "status", "total", "paid", "reply", "tag", "lines", "line", "true", "false", Atom(o.Status), o.Reply.Node}
}

type cacheOf []Atom

func (c cacheOf) Ref(a Atom) (uint8, bool) {
	for i := range c {
		if c[i] == a {
			return uint8(i), true
		}
	}
	return 0, false
}

// About 50 KB.
func BenchmarkMarshalOrders(b *testing.B) {
	list := orders(180)
	var e Encoder
	buf, err := e.Append(nil, &list)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = e.Append(buf[:0], &list)
	}
}

func BenchmarkUnmarshalOrders(b *testing.B) {
	list := orders(180)
	var e Encoder
	buf, err := e.Append(nil, &list)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	var d Decoder
	for b.Loop() {
		var got []order
		d.Reset(buf, nil)
		if err := d.Unmarshal(&got); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(fullText)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(fullText); err != nil {
			b.Fatal(err)
		}
	}
}
