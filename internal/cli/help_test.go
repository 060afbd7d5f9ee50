package cli

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write the help texts into testdata/help; read the diff as documentation")

// TestHelp keeps the help of every command, as users see it, in testdata/help.
func TestHelp(t *testing.T) {
	const folder = "testdata/help"
	stale := make(map[string]bool)
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		stale[f.Name()] = true
	}
	for _, cmd := range commands(newRoot(&terminal{})) {
		path := cmd.CommandPath()
		file := strings.ReplaceAll(path, " ", "_") + ".txt"
		delete(stale, file)
		got := command(t, append(strings.Fields(path)[1:], "--help")...).ok(t)
		if *update {
			if err := os.WriteFile(filepath.Join(folder, file), []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s --help is not %s; if it should change: go test ./internal/cli -run TestHelp -update\n%s", path, file, got)
		}
	}
	for file := range stale {
		t.Errorf("%s is the help of no command", filepath.Join(folder, file))
	}
}

// commands returns cmd and what is below it, hidden commands left out.
func commands(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			all = append(all, commands(c)...)
		}
	}
	return all
}

// TestHelpIsWhole wants of every command what makes its help worth reading.
func TestHelpIsWhole(t *testing.T) {
	for _, cmd := range commands(newRoot(&terminal{})) {
		path := cmd.CommandPath()
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("%s: Short, Long and Example are all to be there", path)
		}
		if cmd.InheritedFlags().Lookup("json") == nil && cmd.PersistentFlags().Lookup("json") == nil {
			t.Errorf("%s has no --json", path)
		}
		for line := range strings.Lines(command(t, append(strings.Fields(path)[1:], "--help")...).ok(t)) {
			line = strings.TrimSuffix(line, "\n")
			if len([]rune(line)) > 80 {
				t.Errorf("%s: a line of the help has %d characters, terminals have 80: %s", path, len([]rune(line)), line)
			}
		}
		for line := range strings.Lines(cmd.Example) {
			if !strings.Contains(line, "truss") {
				t.Errorf("%s: the example %q does not run truss", path, line)
			}
		}
	}
}
