package truss

import (
	"reflect"
	"strings"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// TestReasonTerm: a reason is the term that a process on another node would decode, also
// where it is not encoded for that.
func TestReasonTerm(t *testing.T) {
	pid, ref := etf.Pid{Node: "a@b", ID: 1, Creation: 2}, etf.Ref{Node: "a@b", Creation: 2, Len: 3}
	message, err := NewMessage(etf.Tuple{ref, 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range []etf.Term{
		etf.Atom("normal"), etf.Atom(""), 1, int64(-1), 1.5, "text", []byte("text"), pid, ref, message, nil, true, uint8(7),
		etf.Tuple{message, etf.Atom("return"), 3}, etf.Tuple{etf.Tuple{1, "x"}, etf.List{1, etf.Atom("")}, pid, nil},
		etf.List{1, 2}, struct{ A int }{1}, etf.Tuple{struct{ A int }{1}},
	} {
		m, err := NewMessage(reason)
		if err != nil {
			t.Fatal(err)
		}
		want, err := m.Term()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := reasonTerm(reason); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%#v becomes %#v, %v, and elsewhere %#v", reason, got, err, want)
		}
	}
	long := etf.Atom(strings.Repeat("x", 256))
	for _, reason := range []etf.Term{long, etf.Tuple{long}, etf.Tuple{1, make(chan int)}} {
		if got, err := reasonTerm(reason); err == nil {
			t.Errorf("%#v, which cannot be encoded, becomes %#v", reason, got)
		}
	}
}
