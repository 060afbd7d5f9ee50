package cli

import "github.com/spf13/cobra"

// newRoot makes the command truss with all that are below it.
func newRoot(t *terminal) *cobra.Command {
	root := &cobra.Command{
		Use:   "truss",
		Short: "Go programs and BEAMs in one cluster",
		Long: `Truss joins Go programs, and the BEAMs beside them, into one Erlang cluster.

This tool runs nodes, and asks and tells the nodes of a cluster, whether they
are written in Go, Elixir or Erlang.

The exit code is 0 if all went well, 1 if it did not, and 2 if the command line
makes no sense. With --json every result is one JSON object a line on standard
output, and an error is one on standard error:

  {"error":"…","doing":"…","node":"…","cause":"…","hint":"…","exit":1}

where error is the whole sentence and the others, as far as there are any, its
parts.`,
		Example: `  truss node --name app@127.0.0.1 --cookie secret
  truss call app@127.0.0.1 echo '{hello, "world"}' --cookie secret`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	flags := root.PersistentFlags()
	flags.BoolVar(&t.json, "json", false, "print JSON, one object a line")
	flags.CountVarP(&t.verbose, "verbose", "v", "log to standard error what happens; -vv: in detail")
	flags.SortFlags = false

	root.AddCommand(
		playCommand(t),
		nodeCommand(t),
		pingCommand(t),
		nodesCommand(t),
		sendCommand(t),
		callCommand(t),
		rpcCommand(t),
		globalCommand(t),
		pgCommand(t),
		pubsubCommand(t),
		regionsCommand(t),
		namesCommand(t),
		epmdCommand(t),
		versionCommand(t),
	)
	return root
}
