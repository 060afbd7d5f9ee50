package etf

import (
	"errors"
	"math"
	"math/big"
	"testing"
	"time"
)

type point struct {
	_    struct{} `etf:"point,tuple"`
	X, Y int
}

type pair struct {
	_ struct{} `etf:",tuple"`
	A string
	B *int
}

type user struct {
	_     struct{} `etf:"Elixir.MyApp.User,struct"`
	Name  string
	Age   int
	Email *string
}

type options struct {
	_      struct{} `etf:",proplist"`
	Active bool
	Backup int    `etf:"backlog,omitempty"`
	Mode   string `etf:",atom"`
}

type base struct {
	ID   int64
	Kind string `etf:",atom"`
}

type everything struct {
	base
	Pair      *pair
	UserIDs   []int
	Tags      []string            `etf:"tags,atom"`
	Title     string              `etf:"title,charlist"`
	JSONish   string              `etf:"jsonish,binary"`
	Empty     string              `etf:"empty,omitempty"`
	Skipped   int                 `etf:"-"`
	Counts    map[string]int      `etf:",atom"`
	Dyn       any                 `etf:"dyn"`
	Pid       Pid                 `etf:"pid"`
	Ref       Ref                 `etf:"ref"`
	Port      Port                `etf:"port"`
	Export    Export              `etf:"export"`
	Tuple     Tuple               `etf:"tuple"`
	Key       [3]byte             `etf:"key"`
	Raw       []byte              `etf:"raw"`
	Big       *big.Int            `etf:"big"`
	Big2      big.Int             `etf:"big2"`
	F32       float32             `etf:"f32"`
	U8        uint8               `etf:"u8"`
	Points    map[Atom]point      `etf:"points"`
	Timeout   time.Duration       `etf:"timeout"`
	At        time.Time           `etf:"at,unix_ms"`
	Opts      options             `etf:"opts"`
	Temp      celsius             `etf:"temp"`
	TempPtr   *celsius            `etf:"temp_ptr"`
	Grid      [2][]int            `etf:"grid"`
	Improper  ImproperList        `etf:"improper"`
	ByPid     map[Pid]bool        `etf:"by_pid"`
	unseen    int                 //lint:ignore U1000 that it is left alone is the point
	CharTitle Charlist            `etf:"char_title"`
	Next      *everything         `etf:"next"`
	Nested    map[string][]string `etf:"nested"`
}

// celsius is written as {celsius, N} by methods on the pointer.
type celsius float64

func (c *celsius) MarshalTerm() (Term, error) {
	if *c < -273.15 {
		return nil, errTooCold
	}
	return Tuple{Atom("celsius"), float64(*c)}, nil
}

func (c *celsius) UnmarshalTerm(t Term) error {
	tuple, ok := t.(Tuple)
	if !ok || len(tuple) != 2 || tuple[0] != Atom("celsius") {
		return errNoTemperature
	}
	f, ok := tuple[1].(float64)
	if !ok {
		return errNoTemperature
	}
	*c = celsius(f)
	return nil
}

var (
	errTooCold       = errors.New("below absolute zero")
	errNoTemperature = errors.New("no temperature")
)

func fullValue() everything {
	n, warm := 7, celsius(36.5)
	huge := new(big.Int).Lsh(big.NewInt(1), 100)
	return everything{
		base: base{ID: 1, Kind: "admin"}, Pair: &pair{A: "a", B: &n},
		UserIDs: []int{1, 2, 300}, Tags: []string{"x", "Y"}, Title: "Zoë", JSONish: "j",
		Counts: map[string]int{"one": 1}, Dyn: Tuple{Atom("a"), int64(1)},
		Pid: Pid{"a@h", 1, 2, 3}, Ref: Ref{"a@h", 3, 2, [5]uint32{1, 2}}, Port: Port{"a@h", 5, 3}, Export: Export{"m", "f", 2},
		Tuple: Tuple{Atom("t")}, Key: [3]byte{1, 2, 3}, Raw: []byte{9}, Big: huge, Big2: *big.NewInt(-5), F32: 1.5, U8: 255,
		Points: map[Atom]point{"home": {X: 1, Y: -2}}, Timeout: 1500 * time.Millisecond,
		At: time.Date(2024, 2, 29, 12, 30, 45, 678e6, time.UTC), Opts: options{Active: true, Mode: "fast"},
		Temp: 20, TempPtr: &warm, Grid: [2][]int{{1}, {}}, Improper: ImproperList{List{int64(1)}, Atom("b")},
		ByPid: map[Pid]bool{{"b@h", 1, 2, 3}: true}, CharTitle: "日", Nested: map[string][]string{"k": {"v"}},
	}
}

const fullText = `#{id => 1,kind => admin,pair => {<<"a">>,7},user_ids => [1,2,300],tags => [x,'Y'],title => [90,111,235],` +
	`<<"jsonish">> => <<"j">>,counts => #{one => 1},dyn => {a,1},pid => #Pid<a@h/3.1.2>,ref => #Ref<a@h/3.2.1>,` +
	`port => #Port<a@h/3.5>,export => fun m:f/2,tuple => {t},key => <<1,2,3>>,raw => <<9>>,` +
	`big => 1267650600228229401496703205376,big2 => -5,f32 => 1.5,u8 => 255,points => #{home => {point,1,-2}},` +
	`timeout => 1500,at => 1709209845678,opts => [{active,true},{mode,fast}],temp => {celsius,20.0},` +
	`temp_ptr => {celsius,36.5},grid => [[1],[]],improper => [1|b],by_pid => #{#Pid<b@h/3.1.2> => true},` +
	`char_title => [26085],next => nil,nested => #{<<"k">> => [<<"v">>]}}`

func TestMarshal(t *testing.T) {
	seven := 7
	mail := "z@h"
	full := fullValue()
	for _, tt := range []struct {
		value any
		want  string
	}{
		{full, fullText},
		{&full, fullText},
		{point{X: 1, Y: 2}, "{point,1,2}"},
		{pair{A: "x"}, `{<<"x">>,nil}`},
		{pair{A: "x", B: &seven}, `{<<"x">>,7}`},
		{user{Name: "Zoë", Age: 3, Email: &mail}, `#{'__struct__' => 'Elixir.MyApp.User',name => <<"Zoë"/utf8>>,age => 3,email => <<"z@h">>}`},
		{options{Backup: 5, Mode: "x"}, "[{active,false},{backlog,5},{mode,x}]"},
		{struct {
			_ struct{} `etf:",proplist"`
			A int      `etf:",omitempty"`
		}{}, "[]"},
		{[]any{nil, true, "b", 1.5, []byte{}, (*int)(nil)}, "[nil,true,<<\"b\">>,1.5,<<>>,nil]"},
		{[]int(nil), "[]"},
		{map[string]int(nil), "#{}"},
		{map[any]any{Atom("a"): 1}, "#{a => 1}"},
		{[2]bool{true, false}, "[true,false]"},
		{new(celsius), "{celsius,0.0}"},
		{celsius(1), "{celsius,1.0}"},
		{(*celsius)(nil), "nil"},
		{struct{ HTTPServer, APIKeyV2, X509 int }{1, 2, 3}, "#{http_server => 1,api_key_v2 => 2,x509 => 3}"},
	} {
		b, err := Marshal(tt.value)
		if err != nil {
			t.Errorf("Marshal(%T): %v", tt.value, err)
			continue
		}
		got, err := Decode(b)
		if err != nil {
			t.Errorf("Marshal(%T) gives %v", tt.value, err)
			continue
		}
		want, err := Parse(tt.want)
		if err != nil {
			t.Fatal(err)
		}
		if !Equal(got, want) {
			t.Errorf("Marshal(%T):\n got %s\nwant %s", tt.value, Format(got), tt.want)
		}
	}
}

// Fields go out in the order of the Go type, whatever the run.
func TestMarshalOrder(t *testing.T) {
	b, err := Marshal(struct{ B, A, C int }{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	if want := "\x83\x74\x00\x00\x00\x03\x77\x01b\x61\x01\x77\x01a\x61\x02\x77\x01c\x61\x03"; string(b) != want {
		t.Errorf("got %q, want %q", b, want)
	}
}

type left struct{ Name, Same string }
type right struct {
	Same  string
	Other string `etf:"other"`
}
type deeper struct{ right }

func TestMarshalEmbedded(t *testing.T) {
	for _, tt := range []struct {
		value any
		want  string
	}{
		{struct{ left }{left{"n", "s"}}, `#{name => <<"n">>,same => <<"s">>}`},
		{struct {
			left
			right
		}{left{"n", "s"}, right{"s2", "o"}}, `#{name => <<"n">>,other => <<"o">>}`}, // same is ambiguous
		{struct {
			left
			deeper
		}{left{"n", "s"}, deeper{right{"s2", "o"}}}, `#{name => <<"n">>,other => <<"o">>,same => <<"s">>}`},
		{struct {
			*left
			Name int
		}{nil, 5}, `#{name => 5}`},
		{struct {
			left `etf:"left"`
		}{left{"n", "s"}}, `#{}`}, // named, it is a field, and not exported
		{struct {
			point
			Pid
		}{}, `#{pid => #Pid<''/0.0.0>}`},
	} {
		if got := Format(tt.value); got != tt.want {
			t.Errorf("%T: got %s, want %s", tt.value, got, tt.want)
		}
	}
}

type loop struct{ Next *loop }

func TestMarshalErrors(t *testing.T) {
	cyclic := &loop{}
	cyclic.Next = cyclic
	one, uno := 1, 1
	for _, tt := range []struct {
		name  string
		value any
		want  error
	}{
		{"chan", make(chan int), ErrUnsupported},
		{"func field", struct{ F func() }{}, ErrUnsupported},
		{"unknown option", struct {
			A int `etf:"a,omitmepty"`
		}{}, ErrUnsupported},
		{"option of another type", struct {
			A int `etf:"a,charlist"`
		}{}, ErrUnsupported},
		{"unknown shape", struct {
			_ struct{} `etf:",tupel"`
		}{}, ErrUnsupported},
		{"struct without module", struct {
			_ struct{} `etf:",struct"`
		}{}, ErrUnsupported},
		{"required in a tuple", struct {
			_ struct{} `etf:",tuple"`
			A int      `etf:",required"`
		}{}, ErrUnsupported},
		{"NaN", struct{ F float64 }{math.NaN()}, ErrInvalid},
		{"atom too long", struct {
			A string `etf:",atom"`
		}{string(make([]byte, 256))}, ErrInvalid},
		{"cycle", cyclic, ErrLimit},
		{"equal keys", map[*int]string{&one: "a", &uno: "b"}, ErrInvalid},
		{"equal keys of interfaces", map[any]int{1: 1, int64(1): 2}, ErrInvalid},
		{"year", time.Date(12024, 1, 1, 0, 0, 0, 0, time.UTC), ErrRange},
		{"nanoseconds", struct {
			T time.Time `etf:",unix_ns"`
		}{time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)}, ErrRange},
		{"own error", celsius(-300), errTooCold},
	} {
		if b, err := Marshal(tt.value); !errors.Is(err, tt.want) {
			t.Errorf("%s: Marshal = %x, %v, want %v", tt.name, b, err, tt.want)
		}
	}
}
