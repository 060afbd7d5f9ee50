package play

import (
	"crypto/rand"
	"os"
	"path/filepath"
)

// ensureCookieFile makes the ~/.erlang.cookie that an erl makes when it first runs.
// The machines have a cookie of their own, but erl wants the file before it is
// told so; and of two that start at once in a fresh home, one finds the other's
// half-written file and gives up ("Cookie file must not be empty").
func ensureCookieFile() error {
	home, err := os.UserHomeDir()
	if err != nil {
		return err
	}
	path := filepath.Join(home, ".erlang.cookie")
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	file, err := os.CreateTemp(home, ".erlang.cookie-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(rand.Text()[:20]) // upper case letters and digits
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chmod(file.Name(), 0o400)
	}
	if err == nil {
		// A link appears whole or not at all, and does not replace what is there.
		if err = os.Link(file.Name(), path); os.IsExist(err) {
			err = nil
		}
	}
	return err
}
