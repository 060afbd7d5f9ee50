package cli

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Args returns the command line for Run from that of the process. A program
// called epmd, by a link of that name, is the command epmd: so it can stand in
// the folder of an Erlang, where erl looks for it.
func Args(process []string) []string {
	if len(process) == 0 {
		return nil
	}
	if name := strings.TrimSuffix(filepath.Base(process[0]), ".exe"); name == "epmd" {
		return append([]string{"epmd"}, process[1:]...)
	}
	return process[1:]
}

// Run runs one command and returns the exit code: 0, 1 if it failed, 2 if the
// command line makes no sense. args do not include the program's name. When ctx
// ends the command leaves whatever it takes part in, and returns.
func Run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	t := &terminal{in: in, out: out, errors: errs}
	root := newRoot(t)
	root.SetArgs(otpFlags(args))
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	cmd, err := root.ExecuteContextC(ctx)
	// If a flag before it was wrong, --json has not been read.
	t.json = t.json || slices.Contains(args, "--json")
	return t.report(cmd.CommandPath(), err)
}

// run makes a RunE of a function that fails as a command does: what is no failure
// yet becomes one, so that cobra's own errors can be told apart.
func run(do func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := do(cmd.Context(), args)
		var f *failure
		if err == nil || errors.As(err, &f) {
			return err
		}
		return &failure{code: exitFailed, err: err}
	}
}

// takes makes the Args of a command from the words of its Use line: those in
// brackets may be left out.
func takes(names ...string) cobra.PositionalArgs {
	need := 0
	for _, name := range names {
		if !strings.HasPrefix(name, "[") {
			need++
		}
	}
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < need:
			return usage("%s is missing", names[len(args)])
		case len(args) > len(names):
			return usage("%q is one argument too many", args[len(names)])
		}
		return nil
	}
}
