package etf_test

import (
	"errors"
	"fmt"

	"github.com/truss-beam/truss/etf"
)

// A struct is a map with atom keys, as Elixir code expects one.
func ExampleMarshal() {
	type User struct {
		Name   string
		Emails []string
		Role   string `etf:"role,atom"`
		Phone  *string
		Notes  string `etf:",omitempty"`
	}
	b, err := etf.Marshal(User{Name: "Zoë", Emails: []string{"z@example.org"}, Role: "admin"})
	if err != nil {
		panic(err)
	}
	t, _ := etf.Decode(b)
	fmt.Println(etf.FormatElixir(t))

	var back User
	err = etf.Unmarshal(b, &back)
	fmt.Println(back.Name, back.Emails, back.Role, back.Phone, err)
	// Output:
	// %{emails: ["z@example.org"], name: "Zoë", phone: nil, role: :admin}
	// Zoë [z@example.org] admin <nil> <nil>
}

// A tagged tuple, or Erlang record: its first element is written, and checked when
// reading.
func ExampleUnmarshal_tuple() {
	type Point struct {
		_    struct{} `etf:"point,tuple"`
		X, Y float64
	}
	fmt.Println(etf.Format(Point{X: 1, Y: 2.5}))

	b, _ := etf.Marshal(etf.Tuple{etf.Atom("circle"), 1.0, 2.0})
	var p Point
	err := etf.Unmarshal(b, &p)
	fmt.Println(errors.Is(err, etf.ErrKind), err)
	// Output:
	// {point,1.0,2.5}
	// true etf: unmarshal .(tag): cannot put atom circle into etf_test.Point: want point
}

// An Elixir struct carries its module.
func ExampleMarshal_elixirStruct() {
	type User struct {
		_    struct{} `etf:"Elixir.MyApp.User,struct"`
		Name string
		Age  int
	}
	fmt.Println(etf.FormatElixir(User{Name: "Ann", Age: 3}))
	fmt.Println(etf.Format(User{Name: "Ann", Age: 3}))
	// Output:
	// %MyApp.User{age: 3, name: "Ann"}
	// #{'__struct__' => 'Elixir.MyApp.User',age => 3,name => <<"Ann">>}
}

// A keyword list, as functions take their options.
func ExampleMarshal_keywordList() {
	type Options struct {
		_       struct{} `etf:",proplist"`
		Timeout int
		Mode    string `etf:",atom"`
	}
	fmt.Println(etf.FormatElixir(Options{Timeout: 5000, Mode: "fast"}))
	// Output: [timeout: 5000, mode: :fast]
}

func ExampleParse() {
	t, err := etf.Parse(`{hello, [1, 2], #{a => <<"b">>}}`)
	fmt.Println(t, err)
	fmt.Println(etf.FormatElixir(t))
	_, err = etf.Parse("{hello, World}")
	fmt.Println(err)
	// Output:
	// {hello,[1,2],#{a => <<"b">>}} <nil>
	// {:hello, [1, 2], %{a: "b"}}
	// etf: line 1, column 9: World is a variable; as an atom it is written 'World'
}

// celsius is {celsius, Degrees} in Erlang.
type celsius float64

func (c celsius) MarshalTerm() (etf.Term, error) {
	return etf.Tuple{etf.Atom("celsius"), float64(c)}, nil
}

func (c *celsius) UnmarshalTerm(t etf.Term) error {
	if tuple, ok := t.(etf.Tuple); ok && len(tuple) == 2 && tuple[0] == etf.Atom("celsius") {
		if f, ok := tuple[1].(float64); ok {
			*c = celsius(f)
			return nil
		}
	}
	return fmt.Errorf("%s is no temperature", etf.Format(t))
}

func ExampleTermUnmarshaler() {
	b, _ := etf.Marshal(map[string]celsius{"oven": 220})
	var got map[string]celsius
	err := etf.Unmarshal(b, &got)
	fmt.Println(got, err)
	// Output: map[oven:220] <nil>
}
