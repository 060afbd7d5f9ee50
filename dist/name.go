package dist

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxNameChars is the length of an atom, which a node name is to every BEAM.
const maxNameChars = 255

// ErrName is wrapped by every complaint about a node name.
var ErrName = errors.New("not a node name")

// SplitName splits a full node name at its one "@". ok is false where there is
// none, or several, or nothing on one side: such a name OTP does not answer.
func SplitName(full string) (name, host string, ok bool) {
	name, host, ok = strings.Cut(full, "@")
	if !ok || name == "" || host == "" || strings.Contains(host, "@") {
		return "", "", false
	}
	return name, host, true
}

// CheckName tells why OTP would refuse full as the name of a node: the part
// before the "@" may only have 0-9, A-Z, a-z, "_" and "-". The error wraps
// ErrName. Hosts are not looked up, nor told short from long.
func CheckName(full string) error {
	name, host, ok := SplitName(full)
	if !ok {
		return fmt.Errorf("%q: %w: want name@host", full, ErrName)
	}
	if err := checkHost(host); err != nil {
		return fmt.Errorf("%q: %w", full, err)
	}
	if utf8.RuneCountInString(full) > maxNameChars {
		return fmt.Errorf("%q: %w: longer than %d characters", full, ErrName, maxNameChars)
	}
	if i := strings.IndexFunc(name, notNameChar); i >= 0 {
		r, _ := utf8.DecodeRuneInString(name[i:])
		return fmt.Errorf("%q: %w: %q before the @; allowed are 0-9 A-Z a-z _ -", full, ErrName, r)
	}
	return nil
}

// checkHost refuses hosts that cannot be part of an atom or that would make a
// second "@".
func checkHost(host string) error {
	switch {
	case host == "", strings.Contains(host, "@"):
		return fmt.Errorf("%w: the host must not be empty nor have an @", ErrName)
	case !utf8.ValidString(host), strings.ContainsRune(host, 0):
		return fmt.Errorf("%w: the host must be UTF-8 without NUL", ErrName)
	case utf8.RuneCountInString(host) > maxNameChars:
		return fmt.Errorf("%w: the host is longer than %d characters", ErrName, maxNameChars)
	}
	return nil
}

func notNameChar(r rune) bool {
	switch {
	case '0' <= r && r <= '9', 'A' <= r && r <= 'Z', 'a' <= r && r <= 'z', r == '_', r == '-':
		return false
	}
	return true
}

// Simultaneous is what an acceptor named local answers to remote while its own
// dial to remote is under way: the dial of the greater name wins. So StatusNok
// where local is greater (keep dialling, close the accepted connection), else
// StatusOKSimultaneous (give up the dial, go on with this connection).
func Simultaneous(local, remote string) Status {
	// Names are atoms to OTP and compare by code point, which for UTF-8 is bytewise.
	if local >= remote {
		return StatusNok
	}
	return StatusOKSimultaneous
}
