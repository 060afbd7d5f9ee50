package cli

import (
	"context"
	"testing"

	"github.com/truss-beam/truss/epmd"
)

func TestParseEpmd(t *testing.T) {
	for text, want := range map[string]epmdAddress{
		"":              {},
		"4370":          {port: 4370},
		"10.0.0.2":      {host: "10.0.0.2"},
		"host":          {host: "host"},
		"host:4370":     {"host", 4370},
		":4370":         {port: 4370},
		"::1":           {host: "::1"},
		"[::1]":         {host: "::1"},
		"[::1]:4370":    {"::1", 4370},
		"host.domain:1": {"host.domain", 1},
	} {
		if got, err := parseEpmd(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"host:", "host:0", "host:65536", "host:name", "a:b:c", "http://host", "a b"} {
		if got, err := parseEpmd(text); err == nil {
			t.Errorf("%q is taken for %+v", text, got)
		}
	}
}

// TestLocate has an entry of a node that does not listen.
func TestLocate(t *testing.T) {
	address, err := parseEpmd(serveEpmd(t))
	if err != nil {
		t.Fatal(err)
	}
	client := epmd.Client{Port: address.port}
	for name, port := range map[string]uint16{"app": 9, "deaf": 0} {
		registered, err := client.Register(t.Context(), "127.0.0.1", epmd.Registration{Name: name, Port: port})
		if err != nil {
			t.Fatal(err)
		}
		defer registered.Close()
	}
	if got, err := address.locate(context.Background(), "app@127.0.0.3"); err != nil || got != "127.0.0.3:9" {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := address.locate(context.Background(), "deaf@127.0.0.3"); err == nil {
		t.Errorf("a node that does not listen is located at %s", got)
	}
}
