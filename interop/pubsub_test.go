package interop

import (
	_ "embed"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
	"github.com/truss-beam/truss/pubsub"
)

//go:embed testdata/pubsub_peer.erl
var pubsubModule string

const adapter = "'Elixir.MyApp.PubSub.Adapter'"

// startPubSub starts a PubSub on both nodes, the BEAM's with a pool.
func startPubSub(t *testing.T, p pair, pool int, config pubsub.Config) *pubsub.PubSub {
	t.Helper()
	p.beam.Load(t, pubsubModule)
	p.beam.MustEval(t, fmt.Sprintf("pubsub_peer:start(%s, %d)", adapter, pool))
	config.Name = "MyApp.PubSub"
	ps, err := pubsub.Start(p.node, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ps.Close() })
	return ps
}

// awaitPeers waits until the PubSub knows whom to send to.
func awaitPeers(t *testing.T, ps *pubsub.PubSub, nodes ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("broadcasts go to %v", nodes), func() bool { return slices.Equal(ps.Nodes(), nodes) })
}

func receiveNext(t *testing.T, c pubsub.Chan) string {
	t.Helper()
	select {
	case m := <-c:
		return m.Topic + " " + m.String()
	case <-time.After(limit):
		t.Fatal("nothing arrives")
		return ""
	}
}

// TestPubSub broadcasts both ways, by every dispatcher.
func TestPubSub(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		admins := func(all iter.Seq[*pubsub.Subscription], _ *pubsub.Subscription, m pubsub.Message) {
			for s := range all {
				if s.Metadata() == "admin" {
					s.Deliver(m)
				}
			}
		}
		ps := startPubSub(t, p, 1, pubsub.Config{Dispatchers: map[string]pubsub.Dispatcher{"pubsub_peer": admins}})
		p.beam.MustEval(t, `pubsub_peer:subscribe(s, <<"t">>, nil), pubsub_peer:subscribe(a, <<"t">>, admin)`)
		awaitPeers(t, ps, p.beam.Name)
		for i := range 3 {
			if err := ps.Broadcast(t.Context(), "t", etf.Tuple{etf.Atom("n"), i}); err != nil {
				t.Fatal(err)
			}
		}
		for _, err := range []error{
			ps.Broadcast(t.Context(), "t", map[string]int{"x": 1}, pubsub.Via("pubsub_peer")),
			ps.Broadcast(t.Context(), "t", pubsub.Broadcast{Event: "new", Payload: map[string]any{"text": "Zoë"}}),
			ps.Broadcast(t.Context(), "nobody", 1),
			ps.DirectBroadcast(t.Context(), p.beam.Name, "t", etf.Atom("direct")),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		const event = `{fastlane,#{'__struct__' => 'Elixir.Phoenix.Socket.Broadcast', topic => <<"t">>, event => <<"new">>, payload => #{<<"text">> => <<"Zoë"/utf8>>}}}`
		for _, c := range []struct{ subscriber, want string }{
			{"s", "[{n, 0}, {n, 1}, {n, 2}, " + event + ", direct]"},
			{"a", `[{n, 0}, {n, 1}, {n, 2}, {admin, #{<<"x">> => 1}}, ` + event + ", direct]"},
		} {
			want, err := etf.Parse(c.want)
			if err != nil {
				t.Fatal(err)
			}
			text := p.beam.MustEval(t, fmt.Sprintf("pubsub_peer:collect(%s, %d)", c.subscriber, len(want.(etf.List))))
			got, err := etf.Parse(text)
			if err != nil || !etf.Equal(got, want) {
				t.Errorf("%s got %s, want %s", c.subscriber, text, c.want)
			}
		}

		all, admin := make(pubsub.Chan, 16), make(pubsub.Chan, 16)
		if _, err := ps.Subscribe("t", all); err != nil {
			t.Fatal(err)
		}
		if _, err := ps.Subscribe("t", admin, "admin"); err != nil {
			t.Fatal(err)
		}
		p.beam.MustEval(t, `pubsub_peer:broadcast(`+adapter+`, <<"t">>, {hello, [1, 2]}, 'Elixir.Phoenix.PubSub'),
			pubsub_peer:broadcast(`+adapter+`, <<"t">>, lost, 'Elixir.Nobody'),
			pubsub_peer:broadcast(`+adapter+`, <<"t">>, admins, pubsub_peer),
			pubsub_peer:broadcast(`+adapter+`, <<"t">>, #{'__struct__' => 'Elixir.Phoenix.Socket.Broadcast', topic => <<"t">>, event => <<"e">>, payload => #{}}, 'Elixir.Phoenix.Channel.Server'),
			pubsub_peer:direct(`+adapter+`, 'go@127.0.0.1', <<"t">>, binary:copy(<<"x">>, 300000))`)
		if got, want := receiveNext(t, all), "t {hello,[1,2]}"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		receiveNext(t, admin)
		if got, want := receiveNext(t, admin), "t admins"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		var b pubsub.Broadcast
		if m := <-all; m.Unmarshal(&b) != nil || b.Topic != "t" || b.Event != "e" || etf.Format(b.Payload) != "#{}" {
			t.Errorf("got %v, want a Broadcast", m)
		}
		var large []byte
		if m := <-all; m.Unmarshal(&large) != nil || len(large) != 300000 {
			t.Errorf("got %d bytes, want 300000", len(large))
		}
		if got := p.beam.MustEval(t, "pubsub_peer:workers()"); got != "[true]" {
			t.Errorf("the BEAM's workers live: %s", got)
		}
	})
}

// TestPubSubPools: the BEAM's pool has four, of which each side uses what it
// likes.
func TestPubSubPools(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		ps := startPubSub(t, p, 4, pubsub.Config{})
		c := make(pubsub.Chan, 16)
		if _, err := ps.Subscribe("t", c); err != nil {
			t.Fatal(err)
		}
		for number := 1; number <= 4; number++ {
			group := adapter
			if number > 1 {
				group = fmt.Sprintf("'Elixir.MyApp.PubSub.Adapter_%d'", number)
			}
			p.beam.Await(t, "length(pg:get_members('Elixir.Phoenix.PubSub', "+group+"))", "2")
			p.beam.MustEval(t, fmt.Sprintf("pubsub_peer:broadcast(%s, <<\"t\">>, %d, 'Elixir.Phoenix.PubSub')", group, number))
			if got, want := receiveNext(t, c), fmt.Sprintf("t %d", number); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		p.beam.MustEval(t, `pubsub_peer:subscribe(s, <<"t">>, nil)`)
		awaitPeers(t, ps, p.beam.Name)
		if err := ps.Broadcast(t.Context(), "t", 1); err != nil {
			t.Fatal(err)
		}
		if got := p.beam.MustEval(t, "pubsub_peer:collect(s, 1)"); got != "[1]" {
			t.Errorf("the BEAM got %s, want [1]", got)
		}
	})
}

// TestPubSubComesBack: the BEAM restarts, and is found again.
func TestPubSubComesBack(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, beam.Options{}, truss.Config{})
		ps := startPubSub(t, p, 1, pubsub.Config{PublishOnly: true})
		p.beam.MustEval(t, `pubsub_peer:subscribe(s, <<"t">>, nil)`)
		broadcast := func(b *beam.Node, message int) {
			t.Helper()
			awaitPeers(t, ps, b.Name)
			if err := ps.Broadcast(t.Context(), "t", message); err != nil {
				t.Fatal(err)
			}
			if got, want := b.MustEval(t, "pubsub_peer:collect(s, 1)"), fmt.Sprintf("[%d]", message); got != want {
				t.Errorf("the BEAM got %s, want %s", got, want)
			}
		}
		broadcast(p.beam, 1000)
		if got := p.beam.MustEval(t, "length(pg:get_members('Elixir.Phoenix.PubSub', "+adapter+"))"); got != "1" {
			t.Errorf("%s members: a publisher is none", got)
		}
		p.beam.Kill()
		awaitPeers(t, ps)
		if err := ps.Broadcast(t.Context(), "t", 1); err != nil {
			t.Errorf("broadcast to nobody: %v", err)
		}
		again := release.Start(t, beam.Options{Name: p.beam.Name, EPMD: p.epmd})
		again.Load(t, pubsubModule)
		again.MustEval(t, "pubsub_peer:start("+adapter+`, 1), pubsub_peer:subscribe(s, <<"t">>, nil), net_adm:ping('go@127.0.0.1')`)
		broadcast(again, 2000)
	})
}
