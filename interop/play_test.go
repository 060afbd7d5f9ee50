package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/truss-beam/truss/internal/beam"
)

// TestPlay runs truss play --check --beam with every release: machines with Go and
// with OTP find each other by DNS, each sees those that join, are killed and come
// back, those with Go are in regions, and all get what is broadcast.
func TestPlay(t *testing.T) {
	truss := filepath.Join(t.TempDir(), "truss")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", truss, "../cmd/truss").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, release := range beam.Releases(t) {
		t.Run(release.String(), func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), truss, "play", "--check", "--beam", "--json")
			cmd.Env = append(os.Environ(), "PATH="+erlOf(t, release)+string(os.PathListSeparator)+os.Getenv("PATH"))
			cmd.Stderr = t.Output()
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			checkPlayed(t, release, string(out))
		})
	}
}

// erlOf is a folder in which erl is that of a release.
func erlOf(t *testing.T, release beam.Release) string {
	t.Helper()
	folder := t.TempDir()
	// In a fresh chroot there is no ~/.erlang.cookie, and several would write one at
	// the same time; the machines' own cookie is set later.
	script := "#!/bin/sh\nexec chroot '" + release.Root + "' erl -setcookie unused \"$@\"\n"
	if release.Root == "/" {
		erl, err := exec.LookPath("erl")
		if err != nil {
			t.Fatal(err)
		}
		script = "#!/bin/sh\nexec '" + erl + "' \"$@\"\n"
	}
	if err := os.WriteFile(filepath.Join(folder, "erl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

// checkPlayed reads what the check printed: it must have tried what it says, with
// the release that was meant.
func checkPlayed(t *testing.T, release beam.Release, out string) {
	t.Helper()
	type line struct {
		Do       string
		Result   string
		OK       bool
		Machines []struct{ ID, Runs, State string }
	}
	var done []string
	var last line
	for text := range strings.Lines(out) {
		last = line{}
		if err := json.Unmarshal([]byte(text), &last); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if !last.OK {
			t.Errorf("not ok: %s", text)
		}
		if strings.HasPrefix(last.Do, "broadcast on") && !strings.Contains(last.Result, "has reached m1 m2 m3 m4 m5 b6 b7 ") {
			t.Errorf("not everybody has got it: %s", text)
		}
		done = append(done, last.Do)
	}
	all := strings.Join(done, ", ")
	for _, step := range []string{"start 3 machines", "clone m1 --region syd", "start 2 BEAMs", "regions", "rpc primary", "rpc syd",
		"kill m2", "start m2", "kill b6", "start b6", "broadcast on m1", "broadcast on b6"} {
		if !strings.Contains(all, step) {
			t.Errorf("%q is not among the steps: %s", step, all)
		}
	}
	runs := map[string]int{}
	for _, m := range last.Machines {
		runs[m.Runs]++
	}
	if got, want := fmt.Sprint(runs), fmt.Sprint(map[string]int{"Go": 5, "OTP " + release.OTP: 2}); got != want {
		t.Errorf("machines with %s, want %s", got, want)
	}
}
