// Command truss is the tool beside the library: it runs nodes and an epmd, and
// asks and tells nodes of a cluster, Go's and BEAM's alike. See truss --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/truss-beam/truss/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks to leave cleanly; a second one finds no handler and kills.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Run(ctx, cli.Args(os.Args), os.Stdin, os.Stdout, os.Stderr))
}
