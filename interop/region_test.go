package interop

import (
	_ "embed"
	"slices"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/internal/beam"
	"github.com/truss-beam/truss/region"
)

//go:embed testdata/fly_rpc.erl
var flyModule string

// TestRegions: a BEAM with what is Fly.RPC on the wire, and a Truss node, find each
// other's region and call there.
func TestRegions(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, beam.Options{Elixir: true, Env: []string{"FLY_REGION=ams", "PRIMARY_REGION=ams"}}, truss.Config{})
		regions, err := region.Start(p.node, region.Config{Region: "syd", PrimaryRegion: "ams"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(regions.Close)
		exportGo(t, p.node)
		p.beam.Load(t, flyModule)
		p.beam.MustEval(t, "'Elixir.Fly.RPC':start()")
		connect(t, p.node, p.beam.Name)

		// Called at once: the BEAM has not been asked yet.
		ctx := within(t)
		for _, name := range []string{region.Primary, "ams"} {
			if got, err := region.Call[string](ctx, regions, name, "Elixir.String", "upcase", "fly"); got != "FLY" || err != nil {
				t.Error(name, got, err)
			}
		}
		if got := regions.Nodes(region.Primary); !slices.Equal(got, []string{p.beam.Name}) {
			t.Error(got)
		}
		if got, err := region.Call[string](ctx, regions, "syd", "Elixir.Fly.RPC", "my_region"); got != "syd" || err != nil {
			t.Error(got, err)
		}
		p.beam.Await(t, "'Elixir.Fly.RPC':region_nodes(<<\"syd\">>)", "['go@127.0.0.1']")
		for _, c := range []struct{ expr, want string }{
			{`'Elixir.Fly.RPC':rpc_region(<<"syd">>, {'Elixir.Fly.RPC', my_region, []})`, `<<"syd">>`},
			{`'Elixir.Fly.RPC':rpc_region(primary, {'Elixir.Fly.RPC', my_region, []})`, `<<"ams">>`},
			{`try 'Elixir.Fly.RPC':rpc_region(<<"syd">>, {go, fail, [<<"no luck">>]}) catch error:R -> R end`, `{exception,<<"no luck">>,[{go,fail,1,[]}]}`},
			{`try 'Elixir.Fly.RPC':rpc_region(<<"gru">>, {go, wait, []}) catch error:R -> R end`, "badarg"},
		} {
			if got := p.beam.MustEval(t, c.expr); got != c.want {
				t.Errorf("%s gives %s, want %s", c.expr, got, c.want)
			}
		}
		if err := p.node.Disconnect(ctx, p.beam.Name); err != nil {
			t.Error(err)
		}
		p.beam.Await(t, "'Elixir.Fly.RPC':region_nodes(<<\"syd\">>)", "[]")
		eventually(t, "the region is empty", func() bool { return len(regions.Nodes("ams")) == 0 })
	})
}
