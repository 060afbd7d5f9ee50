package play

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestEnsureCookieFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("erl looks elsewhere there")
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	var first []byte
	for range 2 {
		if err := ensureCookieFile(); err != nil {
			t.Fatal(err)
		}
		cookie, err := os.ReadFile(filepath.Join(home, ".erlang.cookie"))
		if err != nil || len(cookie) != 20 {
			t.Fatalf("cookie %q, %v", cookie, err)
		}
		if first != nil && string(first) != string(cookie) {
			t.Error("a cookie that was there has been replaced")
		}
		first = cookie
	}
	info, err := os.Stat(filepath.Join(home, ".erlang.cookie"))
	if err != nil || info.Mode() != 0o400 {
		t.Errorf("%v, %v: erl refuses a file that others can read", info.Mode(), err)
	}
	if entries, err := os.ReadDir(home); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v: something is left behind", entries, err)
	}
}
