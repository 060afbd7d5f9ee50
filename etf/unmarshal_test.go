package etf

import (
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"
)

// external returns the external form of a term in Erlang's syntax.
func external(t testing.TB, text string) []byte {
	t.Helper()
	term, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Marshal(term)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func ptr[T any](v T) *T { return &v }

func TestUnmarshal(t *testing.T) {
	full := fullValue()
	for _, tt := range []struct {
		text string
		into any // a pointer to what is there before
		want any
	}{
		{fullText, &everything{}, full},
		{"true", new(bool), true},
		{"-5", new(int8), int8(-5)},
		{"18446744073709551615", new(uint64), uint64(math.MaxUint64)},
		{"5", new(float64), 5.0},
		{"9007199254740992", new(float64), 9007199254740992.0},
		{"1.5", new(float32), float32(1.5)},
		{"18446744073709551616", new(big.Int), *new(big.Int).Lsh(big.NewInt(1), 64)},
		{"18446744073709551616", new(*big.Int), new(big.Int).Lsh(big.NewInt(1), 64)},
		{"foo", new(Atom), Atom("foo")},
		{`<<"é"/utf8>>`, new(string), "é"},
		{`"é"`, new(string), "é"},
		{`[$a, <<"b">>, ["c", [8364] | <<"d">>]]`, new(string), "abc€d"},
		{`[]`, new(string), ""},
		{`"日本"`, new(Charlist), Charlist("日本")},
		{`<<1,2>>`, new([]byte), []byte{1, 2}},
		{`[1, <<2>>, [255] | <<3>>]`, new([]byte), []byte{1, 2, 255, 3}},
		{`[233]`, new([]byte), []byte{233}},
		{`[]`, new([]byte), []byte{}},
		{`nil`, &[]byte{1}, []byte(nil)},
		{`<<1,2>>`, new([2]byte), [2]byte{1, 2}},
		{"nil", ptr(ptr(5)), (*int)(nil)},
		{"undefined", ptr(ptr(5)), (*int)(nil)},
		{"6", ptr(ptr(5)), ptr(6)},
		{"6", new(**int), ptr(ptr(6))},
		{"nil", new(any), any(Atom("nil"))},
		{"{a,1}", new(any), any(Tuple{Atom("a"), int64(1)})},
		{"7", ptr(any(new(int))), any(ptr(7))},
		{"{a,1}", new(Tuple), Tuple{Atom("a"), int64(1)}},
		{"[1,300]", new([]int), []int{1, 300}},
		{"[1,2]", new([]int), []int{1, 2}},
		{"[1,2]", new([]uint8), []uint8{1, 2}},
		{"[1,2]", new([]float64), []float64{1, 2}},
		{"[1,2]", new([]*int), []*int{ptr(1), ptr(2)}},
		{"[1,2]", new([]any), []any{int64(1), int64(2)}},
		{"[a|[b]]", new([]Atom), []Atom{"a", "b"}},
		{"[]", new([]int), []int{}},
		{"nil", &[]int{1}, []int(nil)},
		{"[{point,1,2}]", &[]point{{X: 9, Y: 9}, {X: 8}}, []point{{X: 1, Y: 2}}},
		{"[1,2]", new([2]int), [2]int{1, 2}},
		{"#{a => 1, b => 2}", &map[Atom]int{"a": 7, "c": 3}, map[Atom]int{"a": 1, "b": 2, "c": 3}},
		{`#{<<"a">> => [x]}`, new(map[string][]Atom), map[string][]Atom{"a": {"x"}}},
		{`#{1 => a, b => 2}`, new(map[any]any), map[any]any{int64(1): Atom("a"), Atom("b"): int64(2)}},
		{"#{}", new(map[int]int), map[int]int{}},
		{"undefined", &map[int]int{1: 1}, map[int]int(nil)},
		{"{point,1,2}", new(point), point{X: 1, Y: 2}},
		{`{"x",nil}`, new(pair), pair{A: "x"}},
		{`#{name => "Zoë", age => 3, '__struct__' => 'Elixir.MyApp.User', extra => {1}, <<"age">> => 9, {} => #{}}`,
			&user{Age: 1, Email: ptr("old")}, user{Name: "Zoë", Age: 3, Email: ptr("old")}},
		{`[inet6, active, {mode, fast}, {raw, 1, 2}, {backlog, 5}, {backlog, 6}, <<"x">>, {}, {1, 2}]`,
			new(options), options{Active: true, Backup: 5, Mode: "fast"}},
		{"[1,2,3]", new(options), options{}},
		{"#{user_id => 1}", new(struct{ UserID int }), struct{ UserID int }{1}},
		{"#{next => #{next => nil}}", new(loop), loop{Next: &loop{}}},
		{"{celsius,1.5}", new(celsius), celsius(1.5)},
		{"[{celsius,1.5}]", new([]*celsius), []*celsius{ptr(celsius(1.5))}},
		{"5", new(time.Duration), 5 * time.Millisecond},
		{"{a,b}", new(interface{ String() string }), interface{ String() string }(Tuple{Atom("a"), Atom("b")})},
	} {
		if err := Unmarshal(external(t, tt.text), tt.into); err != nil {
			t.Errorf("%s into %T: %v", tt.text, tt.into, err)
			continue
		}
		if got := reflect.ValueOf(tt.into).Elem().Interface(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s into %T:\n got %#v\nwant %#v", tt.text, tt.into, got, tt.want)
		}
	}
}

func TestUnmarshalErrors(t *testing.T) {
	type member struct {
		Name int `etf:"name"`
	}
	type team struct {
		Users []member
		Boss  member `etf:",required"`
	}
	for _, tt := range []struct {
		text string
		into any
		err  error
		msg  string
	}{
		{"#{users => [#{name => 1},#{name => foo}]}", new(team), ErrKind, ".users[1].name: cannot put atom foo into int"},
		{"#{users => []}", new(team), ErrKind, ": cannot put a map into etf.team: the key boss is required"},
		{"#{users => [] , boss => 1}", new(team), ErrKind, ".boss: cannot put integer 1 into etf.member"},
		{"300", new(int8), ErrRange, ": cannot put integer 300 into int8: out of range"},
		{"[1,200]", new([]int8), ErrRange, "[1]: cannot put integer 200 into int8: out of range"},
		{"-1", new(uint), ErrRange, ": cannot put integer -1 into uint: out of range"},
		{"1.0", new(int), ErrKind, ": cannot put float 1.0 into int"},
		{"9007199254740993", new(float64), ErrRange, ": cannot put integer 9007199254740993 into float64: not exactly a float"},
		{"16777217", new(float32), ErrRange, ": cannot put integer 16777217 into float32: not exactly a float"},
		{"1.0e300", new(float32), ErrRange, ": cannot put float 1.0e300 into float32: out of range"},
		{"maybe", new(bool), ErrKind, ": cannot put atom 'maybe' into bool"},
		{"foo", new(string), ErrKind, ": cannot put atom foo into string"},
		{"nil", new(string), ErrKind, ": cannot put atom nil into string"},
		{"[a]", new(string), ErrKind, ": cannot put atom a into string: not text"},
		{"[1114112]", new(string), ErrRange, ": cannot put integer 1114112 into string: no character"},
		{"[256]", new([]byte), ErrRange, ": cannot put integer 256 into []uint8: no character"},
		{"<<1:1>>", new([]byte), ErrKind, ": cannot put a bitstring into []uint8"},
		{"<<1,2,3>>", new([2]byte), ErrKind, ": cannot put binary <<1,2,3>> into [2]uint8: 3 bytes"},
		{`<<"k">>`, new(Atom), ErrKind, `: cannot put binary <<"k">> into etf.Atom`},
		{"[a|b]", new([]Atom), ErrKind, "[…|tail]: cannot put atom b into []etf.Atom: the list is improper"},
		{"[1,2,3]", new([2]int), ErrKind, ": cannot put a list into [2]int: 3 elements"},
		{"{1,2}", new([]int), ErrKind, ": cannot put a tuple of 2 into []int"},
		{"{point,1,2,3}", new(point), ErrKind, ": cannot put a tuple of 4 into etf.point: want 3 elements"},
		{"{dot,1,2}", new(point), ErrKind, ".(tag): cannot put atom dot into etf.point: want point"},
		{"{point,1,a}", new(point), ErrKind, ".y: cannot put atom a into int"},
		{"#{name => a}", new(user), ErrKind, `.name: cannot put atom a into string`},
		{"#{age => 1}", new(user), ErrKind, ": cannot put a map into etf.user: it has no __struct__"},
		{"#{'__struct__' => 'Elixir.Foo'}", new(user), ErrKind, ".__struct__: cannot put atom 'Elixir.Foo' into etf.user: want 'Elixir.MyApp.User'"},
		{"[mode]", new(options), nil, ""}, // the atom alone is true, and mode takes an atom
		{"[backlog]", new(options), ErrKind, "[0].backlog: cannot put atom true into int"},
		{"#{{} => 1}", new(map[any]int), ErrKind, ": cannot put a tuple of 0 into interface {}: Go cannot use it as a key"},
		{"#{a => b}", new(map[Atom]int), ErrKind, "[a]: cannot put atom b into int"},
		{"#{b => b}", new(map[int]int), ErrKind, ".(key): cannot put atom b into int"},
		{"#{1 => a, 1.0 => b}", new(map[float64]Atom), ErrInvalid, ": cannot put a map into map[float64]etf.Atom: two keys are equal"},
		{"7", new(celsius), errNoTemperature, ": cannot decode into etf.celsius: no temperature"},
		{"7", new(chan int), ErrUnsupported, ": cannot decode into chan int: chan int stands for no term"},
		{"7", 7, ErrUnsupported, ": cannot decode into int: not a pointer to a value"},
		{"7", (*int)(nil), ErrUnsupported, ": cannot decode into *int: not a pointer to a value"},
		{"7", new(error), ErrKind, ": cannot put integer 7 into error: the term's own type lacks the interface's methods"},
		{"9223372036854775807", new(time.Duration), ErrRange, ": cannot put integer 9223372036854775807 into time.Duration: out of range"},
	} {
		err := Unmarshal(external(t, tt.text), tt.into)
		if tt.err == nil {
			if err != nil {
				t.Errorf("%s into %T: %v", tt.text, tt.into, err)
			}
			continue
		}
		var ue *UnmarshalError
		if !errors.Is(err, tt.err) || !errors.As(err, &ue) {
			t.Errorf("%s into %T: error %v, want %v", tt.text, tt.into, err, tt.err)
		} else if want := "etf: unmarshal" + strings.Replace(" "+tt.msg, " :", ":", 1); err.Error() != want {
			t.Errorf("%s into %T:\n got %v\nwant %v", tt.text, tt.into, err, want)
		}
	}
}

// What no Parse makes: the same key twice, and input that ends.
func TestUnmarshalMalformed(t *testing.T) {
	twice := "\x83\x74\x00\x00\x00\x02\x77\x02id\x61\x01\x77\x02id\x61\x02"
	var v struct{ ID int }
	if err := Unmarshal([]byte(twice), &v); !errors.Is(err, ErrInvalid) {
		t.Errorf("key twice: %v", err)
	}
	whole := external(t, fullText)
	for i := range whole {
		err := Unmarshal(whole[:i], &everything{})
		if !errors.Is(err, ErrTruncated) {
			t.Fatalf("%d of %d bytes: %v", i, len(whole), err)
		}
	}
	deep := append([]byte{version}, strings.Repeat("\x74\x00\x00\x00\x01\x77\x04next", 20_000)...)
	if err := Unmarshal(append(deep, extNil), new(loop)); !errors.Is(err, ErrLimit) {
		t.Errorf("deep: %v", err)
	}
}

// Keys of atoms come as references into the header of a frame, too.
func TestUnmarshalAtomTable(t *testing.T) {
	var d Decoder
	d.Reset([]byte("\x74\x00\x00\x00\x02\x52\x01\x52\x00\x52\x00\x61\x07"), []Term{Atom("id"), Atom("kind")})
	var v base
	if err := d.Unmarshal(&v); err != nil || v != (base{ID: 7, Kind: "id"}) {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestUnmarshalRest(t *testing.T) {
	var d Decoder
	d.Reset([]byte("\x6b\x00\x02ab\x61\x07"), nil)
	var l []int
	var n int
	if err := errors.Join(d.Unmarshal(&l), d.Unmarshal(&n)); err != nil || len(l) != 2 || n != 7 || len(d.Rest()) != 0 {
		t.Errorf("%v, %d, rest %x, %v", l, n, d.Rest(), err)
	}
}

type endless *endless

// Pointers that lead to themselves end in an error, both ways.
func TestPointerCycles(t *testing.T) {
	var self any
	self = &self
	if err := Unmarshal(external(t, "7"), &self); !errors.Is(err, ErrLimit) {
		t.Errorf("decoding into itself: %v", err)
	}
	if _, err := Marshal(self); !errors.Is(err, ErrLimit) {
		t.Errorf("encoding itself: %v", err)
	}
	var e endless
	if err := Unmarshal(external(t, "7"), &e); !errors.Is(err, ErrUnsupported) {
		t.Errorf("decoding into an endless type: %v", err)
	}
	e = endless(&e)
	if _, err := Marshal(e); !errors.Is(err, ErrUnsupported) {
		t.Errorf("encoding an endless type: %v", err)
	}
	var list *loop
	for range 9_000 {
		list = &loop{Next: list}
	}
	b, err := Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	if err := Unmarshal(b, &loop{}); err != nil {
		t.Errorf("a long list of structs: %v", err)
	}
}

// Plans may be made by many goroutines at once.
func TestUnmarshalConcurrently(t *testing.T) {
	type fresh struct {
		Next *fresh
		V    everything
	}
	b := external(t, "#{next => #{next => nil, v => "+fullText+"}}")
	done := make(chan error)
	for range 8 {
		go func() { done <- Unmarshal(b, &fresh{}) }()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
