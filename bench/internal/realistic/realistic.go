// Package realistic makes the term that codecs are measured with: a page of
// search results, about 50 KB encoded, with the mixture of atoms, integers,
// floats, short and long binaries, lists, maps and tuples that services send.
package realistic

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/truss-beam/truss/etf"
)

// Page is the term as structs.
type Page struct {
	RequestID string
	Total     int
	TookMS    float64
	Users     []User
}

// User is one result, a map with atoms for keys.
type User struct {
	ID       int64
	Name     string
	Email    string
	Active   bool
	Balance  float64
	Role     etf.Atom
	Position Position
	Tags     []string
	Orders   []Order
	Bio      string
}

// Position is {position, Latitude, Longitude}.
type Position struct {
	_                   struct{} `etf:"position,tuple"`
	Latitude, Longitude float64
}

// Order is a map inside a list inside a map.
type Order struct {
	Number   int64
	Quantity int
	Price    float64
	State    etf.Atom
}

// users makes the term 50 KB.
const users = 92

// New returns the same page each time.
func New() *Page {
	p := &Page{RequestID: "5f0d3c1e-8a52-4a8e-9f43-3d7c1b0a6e21", Total: 1843, TookMS: 12.75}
	for i := range users {
		p.Users = append(p.Users, user(i))
	}
	return p
}

func user(i int) User {
	u := User{
		ID:       int64(i)*7_919_000_003 + 17,
		Name:     fmt.Sprintf("Zoë Example-%d", i),
		Email:    fmt.Sprintf("zoe.example.%d@mail.example.com", i),
		Active:   i%3 != 0,
		Balance:  float64(i)*13.37 - 100,
		Role:     []etf.Atom{"admin", "editor", "viewer"}[i%3],
		Position: Position{Latitude: 48.2 + float64(i)/1000, Longitude: 16.37 - float64(i)/1000},
		Tags:     []string{"alpha", fmt.Sprintf("team-%d", i%7), "newsletter"},
		Bio:      strings.Repeat("Writes Erlang by day and Go by night. ", 3),
	}
	for n := range 3 {
		u.Orders = append(u.Orders, Order{
			Number: int64(i*1000 + n), Quantity: n + 1, Price: 9.99 * float64(n+1),
			State: []etf.Atom{"paid", "shipped", "returned"}[n],
		})
	}
	return u
}

// Held is the least number of allocations that can hold what v points at: one
// for itself and one for each string, slice and pointer with something in it.
// Atoms are not counted, as well-known ones need none.
func Held(v any) int { return held(reflect.ValueOf(v)) }

func held(v reflect.Value) int {
	n := 0
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			n = 1 + held(v.Elem())
		}
	case reflect.String:
		if v.Len() > 0 && v.Type() != reflect.TypeFor[etf.Atom]() {
			n = 1
		}
	case reflect.Slice:
		if v.Len() > 0 {
			n = 1
		}
		for i := range v.Len() {
			n += held(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			n += held(v.Field(i))
		}
	}
	return n
}
