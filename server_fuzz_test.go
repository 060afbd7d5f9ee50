package truss

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// patient is a server with every part, which nothing ends.
type patient struct{}

func (patient) HandleCall(context.Context, From, Message) (any, error) { return etf.Atom("ok"), nil }
func (patient) HandleEvent(context.Context, Message) error             { return nil }
func (patient) State() any                                             { return nil }
func (patient) Add(a, b int) int                                       { return a + b }

// FuzzServers gives any message to the servers that every node has, and to ones of
// users: none panics, and nothing but sys:terminate ends one.
func FuzzServers(f *testing.F) {
	n, err := Start(f.Context(), Config{
		Name: "fuzz@127.0.0.1", Cookie: "secret", NoListen: true, Hidden: true,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Stdout: io.Discard,
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = n.Close() })
	atom := func(s string) etf.Term { return etf.Atom(s) }
	tuple := func(elements ...etf.Term) etf.Tuple { return elements }
	pid := n.caller.pid
	from := tuple(pid, etf.ImproperList{Elems: etf.List{etf.ImproperList{Elems: etf.List{atom("alias")}, Tail: n.NewRef()}}, Tail: n.NewRef()})
	for _, seed := range []etf.Term{
		tuple(atom("$gen_call"), from, tuple(atom("add"), 1, 2)),
		tuple(atom("$gen_cast"), tuple(atom("add"), 1, 2)),
		tuple(atom("system"), from, atom("get_state")),
		tuple(atom("system"), from, atom("get_status")),
		tuple(atom("system"), from, tuple(atom("debug"), tuple(atom("trace"), atom("true")))),
		tuple(atom("system"), tuple(pid, tuple(n.NewRef(), atom(n.name))), atom("suspend")),
		tuple(atom("notify"), atom("rain")),
		tuple(pid, from, tuple(atom("sync_notify"), atom("rain"))),
		tuple(pid, from, tuple(atom("call"), atom("m"), 1)),
		tuple(pid, from, atom("which_handlers")),
		tuple(atom("io_request"), pid, 1, tuple(atom("put_chars"), atom("unicode"), etf.List{int64('a'), []byte("b")})),
		tuple(atom("io_request"), pid, 1, tuple(atom("put_chars"), atom("unicode"), atom("io_lib"), atom("format"), etf.List{"~p", etf.List{1}})),
		tuple(atom("io_request"), pid, 1, tuple(atom("requests"), etf.List{tuple(atom("get_line"), atom("unicode"), ">")})),
		tuple(atom("log"), atom("error"), etf.Charlist("~p"), etf.List{1}, etf.Map{{Key: atom("pid"), Value: pid}}),
		tuple(atom("log"), atom("error"), etf.Map{}, etf.Map{{Key: atom("report_cb"), Value: etf.Export{Module: "m", Function: "format_log", Arity: 2}}}),
	} {
		raw, err := encoded(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	servers := []Server{netKernel{}, &user{node: n, slots: make(chan struct{})}, &loggerProxy{node: n}, patient{}, Methods(patient{})}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, server := range servers {
			s := serving{p: n.caller, server: server, parts: server}
			if m, ok := server.(*methods); ok {
				s.parts = m.value
			}
			m := Message{raw: raw}
			if err := s.dispatch(t.Context(), m); err != nil && m.Tag() != "system" {
				t.Errorf("%T ends: %v", server, err)
			}
			for { // the replies
				if _, _, ok := n.caller.mailbox.take(position{}, nil); !ok {
					break
				}
			}
		}
	})
}
