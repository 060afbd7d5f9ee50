package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/truss-beam/truss/internal/play"
)

// playCommand is play's own, failing as commands do here. Its machines run truss
// node by Run, so that what a user watches is what the command line does.
func playCommand(t *terminal) *cobra.Command {
	cmd := play.Command(Run, t.logger)
	for _, c := range append(cmd.Commands(), cmd) {
		do := c.RunE
		c.RunE = func(cmd *cobra.Command, args []string) error {
			return run(func(context.Context, []string) error { return playFailed(do(cmd, args)) })(cmd, args)
		}
	}
	return cmd
}

func playFailed(err error) error {
	var mistake interface{ Usage() }
	if errors.As(err, &mistake) {
		return usage("%w", err)
	}
	return err
}
