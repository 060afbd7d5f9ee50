package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// TestRegions has one node in a region, one in none, and one that cannot be asked.
func TestRegions(t *testing.T) {
	epmd := serveEpmd(t)
	t.Setenv("TRUSS_COOKIE", cookie)
	t.Setenv("PRIMARY_REGION", "syd")
	node := []string{"node", "--listen", "127.0.0.1", "--epmd", epmd}
	a := begin(t, append(node, "--name", "a@127.0.0.1", "--region", "syd")...)
	a.line(t)
	b := begin(t, append(node, "--name", "b@127.0.0.1", "--dns", "a@demo.test", "--dns-server", serveDNS(t), "--dns-type", "a")...)
	b.linesWith(t, "ready ", "nodeup a@127.0.0.1")
	a.linesWith(t, "nodeup b@127.0.0.1")
	if got := command(t, "regions", "b@127.0.0.1", "--epmd", epmd).ok(t); got != "a@127.0.0.1 syd\nb@127.0.0.1 -\n" {
		t.Errorf("%q", got)
	}
	for _, tt := range []struct{ in, want string }{
		{"syd", "{'a@127.0.0.1',x}"}, {"primary", "{'a@127.0.0.1',x}"},
	} {
		request := fmt.Sprintf("{call, truss, call_region, [%s, truss, at, [x]], user}", tt.in)
		if got := command(t, "call", "a@127.0.0.1", "rex", request, "--epmd", epmd, "--timeout", "30s").ok(t); !strings.HasPrefix(got, tt.want) {
			t.Errorf("in %s: %q, want %s", tt.in, got, tt.want)
		}
	}
	known := command(t, "rpc", "a@127.0.0.1", "truss:regions", "--epmd", epmd).ok(t)
	if known != "#{<<\"syd\">> => ['a@127.0.0.1']}\n" {
		t.Errorf("it knows of %s", known)
	}
	const want = `{"node":"a@127.0.0.1","regions":[{"node":"a@127.0.0.1","region":"syd"},{"node":"b@127.0.0.1","region":null}]}` + "\n"
	if got := command(t, "regions", "a@127.0.0.1", "--epmd", epmd, "--json").ok(t); got != want {
		t.Errorf("%q, want %q", got, want)
	}

	mute, err := truss.Start(t.Context(), truss.Config{Name: "mute@127.0.0.1", Cookie: cookie, Listen: "127.0.0.1", Epmd: epmd, Logger: (&terminal{errors: t.Output()}).logger()})
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	if err := mute.Connect(t.Context(), "a@127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	a.linesWith(t, "nodeup mute@127.0.0.1")
	r := command(t, "regions", "a@127.0.0.1", "--epmd", epmd)
	if r.out != "a@127.0.0.1 syd\nb@127.0.0.1 -\n" {
		t.Errorf("%q", r.out)
	}
	r.out = ""
	r.fails(t, exitFailed, "cannot tell the regions of a@127.0.0.1 and its nodes: ", "mute@127.0.0.1: ")
}

// TestNoRegions has nodes that are nowhere, or say so strangely.
func TestNoRegions(t *testing.T) {
	node, epmd := startNode(t, "app@127.0.0.1")
	t.Setenv("TRUSS_COOKIE", cookie)
	args := []string{"regions", node.Name(), "--epmd", epmd}
	command(t, args...).fails(t, exitFailed, "none of them is in a region", "--region")
	if err := node.Export("Elixir.Fly.RPC", truss.Funcs{"my_region": func() etf.Atom { return "syd" }}); err != nil {
		t.Fatal(err)
	}
	command(t, args...).fails(t, exitFailed, "app@127.0.0.1: it says that it is in region syd")
}
