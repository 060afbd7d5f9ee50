package truss_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/trusstest"
)

func TestElements(t *testing.T) {
	m, err := truss.NewMessage(etf.Tuple{etf.Atom("a"), etf.Tuple{1, "two"}, etf.List{3}})
	if err != nil {
		t.Fatal(err)
	}
	elements, err := m.Elements()
	if err != nil || len(elements) != 3 {
		t.Fatalf("%v, %v", elements, err)
	}
	for i, want := range []string{"a", `{1,<<"two">>}`, "[3]"} {
		if got := elements[i].String(); got != want {
			t.Errorf("element %d is %s, want %s", i, got, want)
		}
	}
	if inner, err := elements[1].Elements(); err != nil || len(inner) != 2 || inner[1].String() != `<<"two">>` {
		t.Errorf("elements of an element: %v, %v", inner, err)
	}
	if _, err := elements[2].Elements(); !errors.Is(err, etf.ErrKind) {
		t.Errorf("elements of a list: %v, want ErrKind", err)
	}
	if _, err := truss.NewMessage(make(chan int)); !errors.Is(err, etf.ErrUnsupported) {
		t.Errorf("a channel as message: %v, want ErrUnsupported", err)
	}
}

func TestNoConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, b := c.Start("a"), c.Start("b")
		ctx := truss.NoConnect(t.Context())
		to := truss.Name{Name: "nobody", Node: b.Name()}
		if err := a.Send(ctx, to, etf.Atom("x")); !errors.Is(err, truss.ErrNoConnection) {
			t.Errorf("send to a node not connected: %v, want ErrNoConnection", err)
		}
		if err := a.Call(ctx, to, etf.Atom("x"), nil); !errors.Is(err, truss.ErrNoConnection) {
			t.Errorf("call: %v, want ErrNoConnection", err)
		}
		if nodes := a.Nodes(); len(nodes) != 0 {
			t.Errorf("connected to %v", nodes)
		}
		c.Connect(a, b)
		if err := a.Send(ctx, to, etf.Atom("x")); err != nil {
			t.Errorf("send to a connected node: %v", err)
		}
	})
}
