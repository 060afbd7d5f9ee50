package beam

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Release is one installed OTP release.
type Release struct {
	OTP  string // the major release: "25"
	Root string // "/", or the folder of the chroot it lives in
}

// String names the release as a subtest is named: "otp25".
func (r Release) String() string { return "otp" + r.OTP }

// wanted are the releases of the support matrix: the oldest, a middle and the
// newest one.
func wanted() []string { return []string{"25", "27", "29"} }

// Releases lists the OTP releases found by scripts/peers.sh, oldest first, and
// logs which of the support matrix are missing. A test with none at all is
// skipped. With TRUSS_INTEROP=require in the environment, as in CI, a missing
// release is fatal.
func Releases(t testing.TB) []Release {
	t.Helper()
	found, err := list()
	if err != nil {
		missing(t, "scripts/peers.sh list: %v", err)
	}
	for _, otp := range wanted() {
		if !slices.ContainsFunc(found, func(r Release) bool { return r.OTP == otp }) {
			missing(t, "OTP %s is not here: NOTHING IS TESTED AGAINST IT (scripts/peers.sh as root on Debian installs it)", otp)
		}
	}
	if len(found) == 0 {
		t.Skip("no Erlang/OTP on this machine")
	}
	return found
}

func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("TRUSS_INTEROP") == "require" {
		t.Fatalf(format, args...)
	}
	t.Logf(format, args...)
}

func list() ([]Release, error) {
	out, err := listed()
	if err != nil {
		return nil, err
	}
	var found []Release
	for line := range bytes.Lines(out) {
		otp, root, ok := strings.Cut(strings.TrimSpace(string(line)), "\t")
		// Entering a chroot takes root.
		if ok && (root == "/" || os.Geteuid() == 0) {
			found = append(found, Release{OTP: otp, Root: root})
		}
	}
	slices.SortFunc(found, func(a, b Release) int { return strings.Compare(a.OTP, b.OTP) })
	return found, nil
}

// listed is what scripts/peers.sh prints, or what scripts/test.sh, which has run
// it, says that it printed.
func listed() ([]byte, error) {
	if list := os.Getenv("TRUSS_PEERS_LIST"); list != "" {
		return []byte(list), nil
	}
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	return exec.Command(filepath.Join(root, "scripts", "peers.sh"), "list").Output()
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = parent
	}
}

// program returns the path of an executable of this release as seen from inside
// its root.
func (r Release) program(name string) (string, error) {
	if r.Root == "/" {
		return exec.LookPath(name)
	}
	return "/usr/bin/" + name, nil
}

// command prepares a program of this release, in a process group of its own and
// with an environment of its own: what the developer has set for Erlang must not
// change what is tested.
func (r Release) command(name string, args ...string) (*exec.Cmd, error) {
	path, err := r.program(name)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, args...)
	cmd.SysProcAttr = processAttributes(r.Root)
	cmd.Dir = "/"
	path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	if r.Root == "/" {
		path = os.Getenv("PATH")
	}
	cmd.Env = []string{"PATH=" + path, "HOME=/tmp", "LANG=C.UTF-8", "ERL_CRASH_DUMP=/dev/null"}
	return cmd, nil
}

// enter has a command run in a network namespace. It is ip(8) of this machine that
// enters it, so the chroot comes after.
func (r Release) enter(cmd *exec.Cmd, namespace string) {
	args := append([]string{"ip", "netns", "exec", namespace, "chroot", r.Root, cmd.Path}, cmd.Args[1:]...)
	if path, err := exec.LookPath(args[0]); err == nil {
		cmd.Path = path
	} else {
		cmd.Err = err
	}
	cmd.Args = args
	cmd.SysProcAttr = processAttributes("/")
}
