package truss_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/trusstest"
)

// printed is a writer that several goroutines may use.
type printed struct {
	mu   sync.Mutex
	text bytes.Buffer
	err  error
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return 0, p.err
	}
	return p.text.Write(b)
}

// take returns what was written since the last time.
func (p *printed) take() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.text.Reset()
	return p.text.String()
}

func (p *printed) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

func stdoutTo(out *printed) func(*truss.Config) {
	return func(c *truss.Config) { c.Stdout = out }
}

// TestIORequests: every request gets a reply, and its characters are written as
// UTF-8.
func TestIORequests(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		var out printed
		a, b := c.Start("a", stdoutTo(&out)), c.Start("b")
		// What io_lib is on a BEAM.
		if err := b.Export("io_lib", truss.Funcs{
			"format": func(format, arg string) string { return strings.ReplaceAll(format, "~ts", arg) },
		}); err != nil {
			t.Fatal(err)
		}
		if err := b.Export("erpc", truss.Funcs{"execute_call": func(ctx context.Context, p *truss.Process, ref etf.Ref, m, f etf.Atom, args truss.Message) error {
			value, err := p.Apply(ctx, string(m), string(f), args)
			if err != nil {
				return err
			}
			return &truss.ExitError{Reason: etf.Tuple{ref, etf.Atom("return"), value}}
		}}); err != nil {
			t.Fatal(err)
		}
		tuple := func(name string, args ...etf.Term) etf.Tuple { return append(etf.Tuple{etf.Atom(name)}, args...) }
		atom := func(name string) etf.Term { return etf.Atom(name) }
		asProcess(t, ctx, b, func(ctx context.Context, p *truss.Process) {
			for i, test := range []struct {
				request       any
				result, wrote string
			}{
				{tuple("put_chars", atom("unicode"), "süß\n"), "ok", "süß\n"},
				{tuple("put_chars", atom("latin1"), []byte("s\xfc\xdf")), "ok", "süß"},
				{tuple("put_chars", []byte("\xfc")), "ok", "ü"},
				{tuple("put_chars", atom("unicode"), etf.Charlist("süß→")), "ok", "süß→"},
				{tuple("put_chars", atom("unicode"), etf.List{}), "ok", ""},
				// A character that begins in one binary and ends in another; an improper list.
				{tuple("put_chars", atom("unicode"), etf.List{int64('a'), etf.List{[]byte("\xe2\x86")}, []byte("\x92"), etf.ImproperList{Elems: etf.List{int64('b')}, Tail: []byte("c")}}), "ok", "a→bc"},
				{tuple("put_chars", atom("unicode"), []byte("\xff")), "{error,put_chars}", ""},
				{tuple("put_chars", atom("unicode"), etf.List{int64(0xD800)}), "{error,put_chars}", ""},
				{tuple("put_chars", atom("unicode"), etf.List{int64(-1)}), "{error,put_chars}", ""},
				{tuple("put_chars", atom("unicode"), etf.List{int64(1) << 40}), "{error,put_chars}", ""},
				{tuple("put_chars", atom("unicode"), atom("text")), "{error,put_chars}", ""},
				{tuple("put_chars", atom("unicode"), etf.ImproperList{Elems: etf.List{int64('b')}, Tail: int64('c')}), "{error,put_chars}", ""},
				{tuple("put_chars", atom("ebcdic"), "x"), "{error,request}", ""},
				{tuple("put_chars", atom("unicode"), atom("io_lib"), atom("format"), etf.List{"<~ts>", "it"}), "ok", "<it>"},
				{tuple("put_chars", atom("unicode"), atom("os"), atom("cmd"), etf.List{"true"}), "{error,request}", ""},
				{tuple("put_chars", atom("io_lib"), atom("format"), etf.List{"<~ts>", "it"}), "ok", "<it>"},
				{tuple("requests", etf.List{tuple("put_chars", atom("unicode"), "a"), tuple("put_chars", atom("unicode"), atom("io_lib"), atom("format"), etf.List{"b", ""}), tuple("put_chars", atom("unicode"), "c")}), "ok", "abc"},
				{tuple("requests", etf.List{tuple("put_chars", atom("unicode"), "a"), atom("x"), tuple("put_chars", atom("unicode"), "c")}), "{error,request}", "a"},
				{tuple("requests", etf.List{}), "ok", ""},
				{tuple("get_line", atom("unicode"), "> "), "{error,enotsup}", ""},
				{tuple("get_chars", atom("unicode"), "> ", int64(3)), "{error,enotsup}", ""},
				{tuple("get_until", atom("unicode"), "> ", atom("m"), atom("f"), etf.List{}), "{error,enotsup}", ""},
				{tuple("get_geometry", atom("columns")), "{error,enotsup}", ""},
				{atom("getopts"), "{error,enotsup}", ""},
				{tuple("setopts", etf.List{}), "{error,enotsup}", ""},
				{atom("what"), "{error,request}", ""},
				{tuple("put_chars"), "{error,request}", ""},
				{etf.Tuple{}, "{error,request}", ""},
				{etf.List{}, "{error,request}", ""},
			} {
				msg := etf.Tuple{etf.Atom("io_request"), p.PID(), i, test.request}
				if err := p.Send(ctx, truss.Name{Name: "user", Node: a.Name()}, msg); err != nil {
					t.Error(err)
				}
				want := fmt.Sprintf("{io_reply,%d,%s}", i, test.result)
				if got := etf.Format(next(t, ctx, p)); got != want {
					t.Errorf("%v: %s, want %s", test.request, got, want)
				}
				if got := out.take(); got != test.wrote {
					t.Errorf("%v writes %q, want %q", test.request, got, test.wrote)
				}
			}
			// A function that is not there, and a writer that fails.
			ask := func(request any) string {
				if err := p.Send(ctx, truss.Name{Name: "user", Node: a.Name()}, etf.Tuple{etf.Atom("io_request"), p.PID(), 0, request}); err != nil {
					t.Error(err)
				}
				return etf.Format(next(t, ctx, p))
			}
			if got := ask(tuple("put_chars", atom("unicode"), atom("io_lib"), atom("fwrite"), etf.List{})); !strings.HasPrefix(got, "{io_reply,0,{error,{io_lib,fwrite,") {
				t.Error(got)
			}
			out.fail(errors.New("disk full"))
			if got := ask(tuple("put_chars", atom("unicode"), "x")); got != "{io_reply,0,{error,terminated}}" {
				t.Error(got)
			}
		})
	})
}

// TestStdout: a Go process prints to its group leader, wherever that is.
func TestStdout(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		var outA, outB printed
		a, b := c.Start("a", stdoutTo(&outA)), c.Start("b", stdoutTo(&outB))
		errs := make(chan error, 1)
		say := func(_ context.Context, p *truss.Process, text string) {
			_, err := fmt.Fprintln(p.Stdout(), text)
			errs <- err
		}
		if err := b.Export("jobs", truss.Funcs{"say": say}); err != nil {
			t.Fatal(err)
		}
		asProcess(t, ctx, a, func(ctx context.Context, p *truss.Process) {
			if _, err := fmt.Fprintln(p.Stdout(), "at home"); err != nil || outA.take() != "at home\n" {
				t.Error("a process of our own:", err)
			}
			for _, test := range []struct{ text, want string }{{"süß", "süß\n"}, {"\xff", "\uFFFD\n"}} {
				spawnSay(t, ctx, p, b, test.text)
				if err := await(t, ctx, errs); err != nil {
					t.Error(err)
				}
				if got := outA.take(); got != test.want || outB.take() != "" {
					t.Errorf("%q is printed as %q", test.text, got)
				}
			}
			outA.fail(errors.New("disk full"))
			spawnSay(t, ctx, p, b, "x")
			if err := await(t, ctx, errs); err == nil || !strings.Contains(err.Error(), "terminated") {
				t.Error("a group leader that cannot write:", err)
			}
			// Without a user there is no group leader.
			if err := a.Stop(ctx, "user", etf.Atom("normal")); err != nil {
				t.Error(err)
			}
			spawnSay(t, ctx, p, b, "x")
			var exit *truss.ExitError
			if err := await(t, ctx, errs); !errors.As(err, &exit) {
				t.Error("no group leader:", err)
			}
		})
	})
}

// spawnSay starts jobs:say(text) on a node that may not read a string of Go's: a
// binary that is no text.
func spawnSay(t *testing.T, ctx context.Context, p *truss.Process, on *truss.Node, text string) {
	t.Helper()
	if _, err := p.SpawnRemote(ctx, truss.SpawnRequest{Node: on.Name(), Module: "jobs", Function: "say", Args: []any{[]byte(text)}}); err != nil {
		t.Error(err)
	}
}

// TestLoggerProxy: what a BEAM logs for a process of ours, in both forms, where its
// node cannot be asked to format it.
func TestLoggerProxy(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		var out printed
		handler := slog.NewTextHandler(&out, &slog.HandlerOptions{
			Level: slog.LevelInfo,
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey || a.Key == "pid" || a.Key == "node" {
					return slog.Attr{}
				}
				return a
			},
		})
		a := c.Start("a", func(config *truss.Config) { config.Logger = slog.New(handler) })
		out.take()
		meta := etf.Map{{Key: etf.Atom("pid"), Value: etf.Pid{Node: "x@10.0.0.9", ID: 1, Creation: 5}}}
		log := func(level string, rest ...etf.Term) etf.Tuple {
			return append(etf.Tuple{etf.Atom("log"), etf.Atom(level)}, rest...)
		}
		for _, test := range []struct {
			event etf.Term
			want  string
		}{
			{log("error", etf.Charlist("broken: ~p"), etf.List{etf.Atom("why")}, meta), `level=ERROR msg="{\"broken: ~p\",[why]}" origin=x@10.0.0.9`},
			{log("warning", "a text", meta), `level=WARN msg="a text" origin=x@10.0.0.9`},
			{log("notice", etf.Charlist("süß\n"), meta), `level=INFO msg=süß origin=x@10.0.0.9`},
			{log("critical", etf.Map{{Key: etf.Atom("label"), Value: etf.Atom("crash")}}, meta), `level=ERROR msg="#{label => crash}" origin=x@10.0.0.9`},
			{log("debug", "too low", meta), ""},
			{log("info", "no metadata", etf.Map{}), `level=INFO msg="no metadata" origin=""`},
			{log("info"), ""},
			{etf.Atom("log"), ""},
		} {
			if err := a.Send(ctx, "logger_proxy", test.event); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := strings.TrimSpace(out.take()); got != test.want {
				t.Errorf("%v is logged as\n%s, want\n%s", test.event, got, test.want)
			}
		}
	})
}
