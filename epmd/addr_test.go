package epmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"
	"testing"
)

func TestBindList(t *testing.T) {
	for list, want := range map[string]string{
		"":                          "[]",
		" , ":                       "[]",
		"10.0.0.1":                  "[127.0.0.1 ::1 10.0.0.1]",
		"10.0.0.1,10.0.0.2 fd00::1": "[127.0.0.1 ::1 10.0.0.1 10.0.0.2 fd00::1]",
		"::1, 127.0.0.1":            "[127.0.0.1 ::1]",
		"10.0.0.1 10.0.0.1":         "[127.0.0.1 ::1 10.0.0.1]",
		"127.0.0.2":                 "[127.0.0.1 ::1 127.0.0.2]",
	} {
		if got, err := BindList(list); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: %v, %v, want %s", list, got, err, want)
		}
	}
	if _, err := BindList("10.0.0.1,web"); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func TestEnvPort(t *testing.T) {
	for text, want := range map[string]int{"": 4369, "24370": 24370, "0": 0, "x": 0, "65536": 0} {
		t.Setenv("ERL_EPMD_PORT", text)
		got, err := EnvPort()
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
		if want == 0 && !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestListenIsAllOrNothing: only a ::1 that the machine does not have may be missing.
func TestListenIsAllOrNothing(t *testing.T) {
	for _, tt := range []struct {
		name string
		fail map[string]error
		want []string // nil: an error
	}{
		{"all", nil, []string{"127.0.0.1:9", "[::1]:9", "10.0.0.1:9"}},
		{"no IPv6", map[string]error{"[::1]:9": syscall.EADDRNOTAVAIL}, []string{"127.0.0.1:9", "10.0.0.1:9"}},
		{"::1 in use", map[string]error{"[::1]:9": syscall.EADDRINUSE}, nil},
		{"one in use", map[string]error{"10.0.0.1:9": syscall.EADDRINUSE}, nil},
		{"not ours", map[string]error{"10.0.0.1:9": syscall.EADDRNOTAVAIL}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var opened []*failing
			var at []string
			listen := func(_ context.Context, _, addr string) (net.Listener, error) {
				if err := tt.fail[addr]; err != nil {
					return nil, &net.OpError{Op: "listen", Err: err}
				}
				at = append(at, addr)
				opened = append(opened, &failing{})
				return opened[len(opened)-1], nil
			}
			got, err := Listen(t.Context(), listen, []string{"127.0.0.1", "::1", "10.0.0.1"}, 9)
			if tt.want == nil {
				if err == nil || got != nil {
					t.Fatal(got, err)
				}
				for i, l := range opened {
					if !l.closed {
						t.Errorf("%s is left open", at[i])
					}
				}
				return
			}
			if err != nil || len(got) != len(tt.want) || !slices.Equal(at, tt.want) {
				t.Errorf("%v, %v, want %v", at, err, tt.want)
			}
		})
	}
}

func TestSite(t *testing.T) {
	for _, tt := range []struct {
		addr   string
		listen []string
		env    string
		want   string
	}{
		{"", nil, "", "{[127.0.0.1 ::1] 4369 []}"},
		{"127.0.0.1", nil, "", "{[127.0.0.1] 4369 []}"},
		{"::1", nil, "", "{[::1] 4369 []}"},
		{"[::1]:5000", nil, "", "{[::1] 5000 []}"},
		{":5000", nil, "", "{[127.0.0.1 ::1] 5000 []}"},
		{"127.0.0.2", nil, "", "{[127.0.0.2] 4369 [127.0.0.2]}"},
		{"127.0.0.2:5000", []string{"127.0.0.2", "10.0.0.2"}, "10.0.0.9", "{[127.0.0.2] 5000 [127.0.0.2 10.0.0.2]}"},
		{"", nil, "10.0.0.9", "{[127.0.0.1 ::1] 4369 [127.0.0.1 ::1 10.0.0.9]}"},
		{"127.0.0.1:x", nil, "", "error"},
		{"a:b:c", nil, "", "error"},
		{"", []string{"web"}, "", "error"},
		{"", nil, "web", "error"},
	} {
		t.Setenv("ERL_EPMD_PORT", "")
		t.Setenv("ERL_EPMD_ADDRESS", tt.env)
		at, err := (&Config{Addr: tt.addr, ListenAddrs: tt.listen}).site()
		got := fmt.Sprint(at)
		if err != nil {
			got = "error"
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("%q: %v", tt.addr, err)
			}
		}
		if got != tt.want {
			t.Errorf("%q %v %q: %s, want %s", tt.addr, tt.listen, tt.env, got, tt.want)
		}
	}
}
