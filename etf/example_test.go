package etf_test

import (
	"fmt"

	"github.com/truss-beam/truss/etf"
)

func ExampleDecode() {
	// What term_to_binary({hello, [1, 2, 3], #{<<"k">> => 1.5}}) wrote:
	wire := []byte("\x83h\x03w\x05hellok\x00\x03\x01\x02\x03t\x00\x00\x00\x01m\x00\x00\x00\x01kF\x3f\xf8\x00\x00\x00\x00\x00\x00")

	term, err := etf.Decode(wire)
	if err != nil {
		fmt.Println(err)
		return
	}
	tuple := term.(etf.Tuple)
	value, _ := tuple[2].(etf.Map).Get("k")
	fmt.Printf("%s %d %g\n", string(tuple[0].(etf.Atom)), tuple[1].(etf.List)[2], value)
	// Output: hello 3 1.5
}

func ExampleMarshal_dynamic() {
	b, err := etf.Marshal(etf.Tuple{etf.Atom("ok"), 300, "text", nil})
	fmt.Printf("%q %v\n", b, err)
	// Output: "\x83h\x04w\x02okb\x00\x00\x01,m\x00\x00\x00\x04textw\x03nil" <nil>
}

// Code that knows what comes reads headers, and allocates nothing.
func ExampleDecoder_Tuple() {
	var d etf.Decoder
	d.Reset([]byte("h\x02w\x03adda\x05"), nil)

	arity, _ := d.Tuple()
	name, _ := d.Atom()
	n, err := d.Int()
	fmt.Println(arity, name == "add", n, err)
	// Output: 2 true 5 <nil>
}

// A list comes in pieces: see Decoder.List.
func ExampleDecoder_List() {
	var d etf.Decoder
	d.Reset([]byte("l\x00\x00\x00\x02a\x07b\x00\x00\x01\x00k\x00\x02\x08\x09"), nil)

	sum := int64(0)
	for {
		n, str, err := d.List()
		if err != nil {
			fmt.Println("improper:", err)
			return
		}
		for _, c := range str {
			sum += int64(c)
		}
		if n == 0 || str != nil {
			break
		}
		for range n {
			i, _ := d.Int()
			sum += i
		}
	}
	fmt.Println(sum)
	// Output: 280
}

// A large binary need not be copied into the output: write the pieces around it.
func ExampleEncoder_splices() {
	e := etf.Encoder{SpliceMin: 4}
	out, _ := e.Append(nil, etf.Tuple{[]byte("large"), []byte("sml")})

	from := 0
	for _, s := range e.Splices {
		fmt.Printf("%q then %q\n", out[from:s.Offset], s.Data)
		from = s.Offset
	}
	fmt.Printf("%q\n", out[from:])
	// Output:
	// "h\x02m\x00\x00\x00\x05" then "large"
	// "m\x00\x00\x00\x03sml"
}

func ExampleCompare() {
	fmt.Println(etf.Compare(1, 1.0), etf.Equal(1, 1.0))
	fmt.Println(etf.Compare(etf.Atom("a"), 9_000))
	fmt.Println(etf.Compare(etf.List{1, 2}, etf.ImproperList{Elems: etf.List{1}, Tail: 2}))
	// Output:
	// 0 false
	// 1
	// 1
}
