package etf

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// page is the 50 KB term that the comparison in ../bench measures codecs with: a
// page of search results.
type page struct {
	RequestID string
	Total     int
	TookMS    float64
	Users     []pageUser
}

type pageUser struct {
	ID       int64
	Name     string
	Email    string
	Active   bool
	Balance  float64
	Role     Atom
	Position pagePosition
	Tags     []string
	Orders   []pageOrder
	Bio      string
}

type pagePosition struct {
	_                   struct{} `etf:"position,tuple"`
	Latitude, Longitude float64
}

type pageOrder struct {
	Number   int64
	Quantity int
	Price    float64
	State    Atom
}

func newPage() *page {
	p := &page{RequestID: "5f0d3c1e-8a52-4a8e-9f43-3d7c1b0a6e21", Total: 1843, TookMS: 12.75}
	for i := range 92 {
		u := pageUser{
			ID:       int64(i)*7_919_000_003 + 17,
			Name:     fmt.Sprintf("Zoë Example-%d", i),
			Email:    fmt.Sprintf("zoe.example.%d@mail.example.com", i),
			Active:   i%3 != 0,
			Balance:  float64(i)*13.37 - 100,
			Role:     []Atom{"admin", "editor", "viewer"}[i%3],
			Position: pagePosition{Latitude: 48.2 + float64(i)/1000, Longitude: 16.37 - float64(i)/1000},
			Tags:     []string{"alpha", fmt.Sprintf("team-%d", i%7), "newsletter"},
			Bio:      strings.Repeat("Writes Erlang by day and Go by night. ", 3),
		}
		for n := range 3 {
			u.Orders = append(u.Orders, pageOrder{
				Number: int64(i*1000 + n), Quantity: n + 1, Price: 9.99 * float64(n+1),
				State: []Atom{"paid", "shipped", "returned"}[n],
			})
		}
		p.Users = append(p.Users, u)
	}
	return p
}

// cacheOfPage has every atom of a page, as after the first message of a connection.
func cacheOfPage() AtomCache {
	c := tableCache{"true": 0, "false": 1, "position": 2}
	for _, v := range []any{page{}, pageUser{}, pageOrder{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			c[Atom(snakeCase(f.Name))] = uint8(len(c))
		}
	}
	for _, a := range []Atom{"admin", "editor", "viewer", "paid", "shipped", "returned"} {
		c[a] = uint8(len(c))
	}
	return c
}

func BenchmarkEncodePage(b *testing.B) {
	dynamic, err := Decode(mustEncode(b, newPage()))
	if err != nil {
		b.Fatal(err)
	}
	for _, with := range []struct {
		name  string
		cache AtomCache
		value any
	}{
		{"typed", nil, newPage()},
		{"typed/cache", cacheOfPage(), newPage()},
		{"dynamic", nil, dynamic},
		{"dynamic/cache", cacheOfPage(), dynamic},
	} {
		b.Run(with.name, func(b *testing.B) {
			e := Encoder{Cache: with.cache}
			buf, err := e.Append(nil, with.value)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				if buf, err = e.Append(buf[:0], with.value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodePage(b *testing.B) {
	wire := mustEncode(b, newPage())
	b.Run("typed", func(b *testing.B) {
		b.SetBytes(int64(len(wire)))
		b.ReportAllocs()
		for b.Loop() {
			var p page
			if err := Unmarshal(wire, &p); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("dynamic", func(b *testing.B) {
		b.SetBytes(int64(len(wire)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Decode(wire); err != nil {
				b.Fatal(err)
			}
		}
	})
}
