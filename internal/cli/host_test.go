package cli

import (
	"net/netip"
	"os"
	"strings"
	"testing"
)

func TestOwnName(t *testing.T) {
	for _, tt := range []struct{ asked, peer, want string }{
		{"tool", "app@127.0.0.1", "tool@127.0.0.1"},
		{"tool", "app@127.0.0.7", "tool@127.0.0.7"},
		{"tool", "app@::1", "tool@::1"},
		{"tool", "app@localhost", "tool@localhost"},
		{"tool", "app@no.such.host.invalid", "tool@127.0.0.1"},
		{"tool@10.0.0.9", "app@127.0.0.1", "tool@10.0.0.9"},
	} {
		if got, err := ownName(tt.asked, tt.peer); err != nil || got != tt.want {
			t.Errorf("%s for %s: %s, %v; want %s", tt.asked, tt.peer, got, err, tt.want)
		}
	}
}

// TestRandomName wants names that do not collide.
func TestRandomName(t *testing.T) {
	seen := make(map[string]bool)
	for range 100 {
		name, err := ownName("", "app@127.0.0.1")
		if err != nil || !strings.HasPrefix(name, "truss-") || !strings.HasSuffix(name, "@127.0.0.1") || seen[name] {
			t.Fatalf("%q, %v; seen before: %v", name, err, seen[name])
		}
		seen[name] = true
	}
}

// TestOwnHost wants a host of the same kind as the peer's.
func TestOwnHost(t *testing.T) {
	if host := ownHost("otherhost"); host == "" || strings.ContainsAny(host, ".:") {
		t.Errorf("beside a short name: %q", host)
	}
	if real, err := os.Hostname(); err == nil {
		if want, _, _ := strings.Cut(real, "."); ownHost("otherhost") != want {
			t.Errorf("%q, but this machine is %q", ownHost("otherhost"), want)
		}
	}
	// TEST-NET-1: an address of nobody, so the default route decides, if there is one.
	if _, err := netip.ParseAddr(ownHost("192.0.2.1")); err != nil {
		t.Errorf("beside a remote address: %v", err)
	}
}
