package static

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"testing"

	"github.com/truss-beam/truss/discovery"
	"github.com/truss-beam/truss/discovery/discoverytest"
)

func TestConformance(t *testing.T) {
	discoverytest.RunSynctest(t, func(_ *testing.T, names []string) discoverytest.Harness {
		return discoverytest.Harness{Strategy: Strategy{Nodes: append(names, discoverytest.SelfName)}}
	})
}

func TestWatch(t *testing.T) {
	at := func(name string, addrs ...string) discovery.Peer { return discovery.Peer{Name: name, Addrs: addrs} }
	for _, tt := range []struct {
		name     string
		strategy Strategy
		want     []discovery.Peer
		broken   bool
	}{
		{"off", Strategy{}, nil, false},
		{"in order, once each", Strategy{Nodes: []string{"b@h", "a@h", "b@h"}}, []discovery.Peer{at("b@h"), at("a@h")}, false},
		{"addresses add up", Strategy{Nodes: []string{"a@h"}, Peers: []discovery.Peer{at("a@h", "h:1"), at("a@h", "h:2")}},
			[]discovery.Peer{at("a@h", "h:1", "h:2")}, false},
		{"IPv6", Strategy{Nodes: []string{"a@fdaa:0:1::3"}}, []discovery.Peer{at("a@fdaa:0:1::3")}, false},
		{"no host", Strategy{Nodes: []string{"a"}}, nil, true},
		{"empty host", Strategy{Nodes: []string{"a@"}}, nil, true},
		{"empty base name", Strategy{Nodes: []string{"@h"}}, nil, true},
		{"two at signs", Strategy{Nodes: []string{"a@b@h"}}, nil, true},
		{"a list in one string", Strategy{Nodes: []string{"a@h b"}}, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []discovery.Peer
			err := tt.strategy.Watch(context.Background(), discovery.Self{Logger: slog.Default()},
				func(u discovery.Update) { got = u.Peers })
			if errors.Is(err, discovery.ErrConfig) != tt.broken || (err != nil) != tt.broken {
				t.Errorf("error %v", err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("reported %v, want %v", got, tt.want)
			}
		})
	}
}

func TestWatchDoesNotTouchTheCallersPeers(t *testing.T) {
	addrs := append(make([]string, 0, 4), "h:1")
	s := Strategy{Peers: []discovery.Peer{{Name: "a@h", Addrs: addrs}, {Name: "a@h", Addrs: []string{"h:2"}}}}
	if _, err := s.peers(); err != nil {
		t.Fatal(err)
	}
	if addrs[:2][1] != "" {
		t.Errorf("wrote %q behind the caller's addresses", addrs[:2][1])
	}
}
