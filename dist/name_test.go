package dist

import (
	"errors"
	"testing"
)

func TestSplitName(t *testing.T) {
	for _, full := range []string{"", "@", "a", "a@", "@h", "a@h@", "a@b@c"} {
		if name, host, ok := SplitName(full); ok {
			t.Errorf("%q splits into %q and %q", full, name, host)
		}
	}
	if name, host, ok := SplitName("a@fdaa:0:1::3"); !ok || name != "a" || host != "fdaa:0:1::3" {
		t.Errorf("%q %q %v", name, host, ok)
	}
}

func TestCheckName(t *testing.T) {
	for _, full := range []string{"a@h", "A_b-9@10.0.0.1", "x@::1", "x@höst"} {
		if err := CheckName(full); err != nil {
			t.Errorf("%q: %v", full, err)
		}
	}
	for _, full := range []string{"a b@h", "ä@h", "a.b@h", "a@\xff", "a@h\x00", "a", "a/b@h"} {
		if err := CheckName(full); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", full, err)
		}
	}
}

func TestSimultaneous(t *testing.T) {
	tests := []struct {
		local, remote string
		want          Status
	}{
		{"b@h", "a@h", StatusNok},
		{"a@h", "b@h", StatusOKSimultaneous},
		{"a@h", "a@h1", StatusOKSimultaneous},
		{"z@h", "ä@h", StatusOKSimultaneous},
		{"a@h", "a@h", StatusNok},
	}
	for _, test := range tests {
		if got := Simultaneous(test.local, test.remote); got != test.want {
			t.Errorf("%s accepts %s: %v, want %v", test.local, test.remote, got, test.want)
		}
	}
}
