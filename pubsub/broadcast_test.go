package pubsub_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/pubsub"
	"github.com/truss-beam/truss/trusstest"
)

// TestPayloads: what JSON cannot carry is refused before anybody gets it.
func TestPayloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ps := open(t, trusstest.New(t).Start("a"), pubsub.Config{})
		channel, _ := listen(t, ps, "room:1")
		nested := func(v any) any { return map[string]any{"a": []any{map[string]any{"b": v}}} }
		pid := etf.Pid{Node: "a@b", ID: 1}
		for _, tt := range []struct {
			payload any
			err     string // part of it; empty for none
		}{
			{map[string]any{}, ""},
			{map[string]any{"text": "Zoë", "n": 1, "f": 1.5, "nil": nil, "yes": true, "list": []int{1000}}, ""},
			{struct{ UserID int }{7}, ""},
			{etf.Map{{Key: 1, Value: etf.Atom("x")}}, ""},
			{nested(time.Unix(0, 0)), ""},
			{pubsub.Binary([]byte{0xff, 0}), ""},
			{nil, "must be a map"},
			{"text", "must be a map"},
			{etf.Tuple{etf.Atom("binary"), 1}, "must be a map"},
			{nested("\xff"), "payload.a[0].b is bytes that are not UTF-8"},
			{nested(pid), "payload.a[0].b is #Pid"},
			{nested(etf.Tuple{1}), "payload.a[0].b is {1}"},
			{nested(etf.Bitstring{Bytes: []byte{0x80}, Bits: 1}), "payload.a[0].b is"},
			{nested(etf.ImproperList{Elems: etf.List{1}, Tail: 2}), "payload.a[0].b is [1|2]"},
			{map[string]any{"\xff": 1}, "not UTF-8"},
			{etf.Map{{Key: etf.Tuple{}, Value: 1}}, "has the key {}"},
			{nested(etf.Map{{Key: etf.Atom("__struct__"), Value: etf.Atom("Elixir.User")}}), "the struct 'Elixir.User'"},
			{nested(make(chan int)), "chan int"},
		} {
			err := ps.Broadcast(t.Context(), "room:1", pubsub.Broadcast{Event: "e", Payload: tt.payload})
			synctest.Wait()
			got := len(channel)
			for len(channel) > 0 {
				<-channel
			}
			switch {
			case tt.err == "" && (err != nil || got != 1):
				t.Errorf("%v: %v, %d delivered", tt.payload, err, got)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err) || got != 0):
				t.Errorf("%v: error %v, want one with %q; %d delivered", tt.payload, err, tt.err, got)
			}
		}
		for _, b := range []pubsub.Broadcast{
			{Topic: "\xff", Event: "e", Payload: map[string]int{}},
			{Event: "\xff", Payload: map[string]int{}},
			{Event: strings.Repeat("e", 256), Payload: pubsub.Binary(nil)},
		} {
			if err := ps.LocalBroadcast("room:1", b); !errors.Is(err, pubsub.ErrPayload) {
				t.Errorf("%+v: %v, want ErrPayload", b, err)
			}
		}
		if err := ps.LocalBroadcast("t", 1, pubsub.Via("Elixir.Phoenix.Channel.Server")); !errors.Is(err, pubsub.ErrPayload) {
			t.Errorf("something else by the channels' dispatcher: %v", err)
		}
	})
}

// TestBroadcastIsTyped: a Broadcast arrives as one, and goes by the dispatcher of
// channels, however it was made.
func TestBroadcastIsTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, b := c.Start("a"), c.Start("b")
		c.Connect(a, b)
		pa := open(t, a, pubsub.Config{})
		channel, _ := listen(t, pa, "room:1")
		synctest.Wait()
		pb := open(t, b, pubsub.Config{})
		synctest.Wait()
		handmade := etf.Map{
			{Key: etf.Atom("__struct__"), Value: etf.Atom("Elixir.Phoenix.Socket.Broadcast")},
			{Key: etf.Atom("topic"), Value: "room:1"}, {Key: etf.Atom("event"), Value: "new"},
			{Key: etf.Atom("payload"), Value: etf.Map{{Key: "id", Value: 7}}},
		}
		made := pubsub.Broadcast{Event: "new", Payload: map[string]int{"id": 7}}
		for _, message := range []any{made, &made, handmade} {
			ok(t, pb.Broadcast(t.Context(), "room:1", message))
			synctest.Wait()
			var got pubsub.Broadcast
			ok(t, (<-channel).Unmarshal(&got))
			if got.Topic != "room:1" || got.Event != "new" || etf.Format(got.Payload) != `#{<<"id">> => 7}` {
				t.Errorf("%+v", got)
			}
		}
		handmade[3].Value = etf.Map{{Key: "id", Value: etf.Tuple{}}}
		if err := pb.Broadcast(t.Context(), "room:1", handmade); !errors.Is(err, pubsub.ErrPayload) {
			t.Errorf("a handmade one is not checked: %v", err)
		}
	})
}
