package play

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
)

// Runner runs the command line of this very program: cli.Run.
type Runner func(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int

// Command is truss play. run is what its machines run truss node by; newLog makes
// the logger once flags have been read.
func Command(run Runner, newLog func() *slog.Logger) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "play",
		Short: "Try a cluster: local machines that find each other by DNS",
		Long: `Play runs an app on several "machines" of this computer and shows how they
become one cluster. Each machine is a process of its own that runs truss node,
with a loopback address of its own. They know nothing of each other, but ask a
DNS server, which play runs, for demo.internal. At the prompt machines are
added, stopped, killed and brought back; every command waits until all others
have seen it, and says how long that took. The command help lists them. When
play ends, so do the machines.

Every machine with Go is in a region, at first in fra, the primary one. At the
prompt

  clone m1 --region syd  starts a machine like m1 in another region
  regions                asks every node in which region it has which
  rpc primary TERM       calls a function in the primary region, from another
  broadcast TERM         broadcasts to all machines, by a topic of a PubSub

With --check there is no prompt: a fixed scenario of these is run, and it is
checked that every machine saw every change, by what its node printed and by
asking it, that calls were answered in their region, and that all machines got
what was broadcast. The exit code is 1 if anything of it failed.

With --beam two more machines run a real Erlang/OTP (erl on PATH). They find the
others by the same DNS and take part in the PubSub, but are in no region: that
would take Elixir and fly_rpc.

Where there are no loopback addresses but 127.0.0.1, as on macOS, the machines
share it, and find each other's ports by SRV records.`,
		Example: `  truss play
  truss play --check --beam
  printf 'clone m1 --region syd\nrpc primary hello\n' | truss play`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			json, err := cmd.Flags().GetBool("json")
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), cmd.InOrStdin(), newScreen(cmd.OutOrStdout(), json), newLog())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&o.check, "check", false, "run a fixed scenario instead of a prompt; exit 1 if\nit fails")
	flags.BoolVar(&o.beam, "beam", false, "add machines that run Erlang/OTP")
	flags.IntVar(&o.machines, "machines", checkMachines, "`number` of Go machines to start with")
	flags.BoolVar(&o.oneAddress, "one-address", false, "let all machines share 127.0.0.1, as where there is\nno other address")
	flags.DurationVar(&o.timeout, "timeout", time.Minute, "with --check: give up after this `time`")
	cmd.AddCommand(machineCommand(run))
	return cmd
}

// machineCommand is what a Go machine runs: any other command, and ends it when
// standard input ends. That is how a machine notices that the play is gone,
// whatever happened to it.
func machineCommand(run Runner) *cobra.Command {
	return &cobra.Command{
		Use:    "machine -- COMMAND",
		Hidden: true,
		Args:   cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			go func() {
				_, _ = io.Copy(io.Discard, cmd.InOrStdin())
				cancel()
			}()
			var nothing eof
			if code := run(ctx, args, nothing, cmd.OutOrStdout(), cmd.ErrOrStderr()); code != 0 {
				return machineError(code)
			}
			return nil
		},
	}
}

// eof is a standard input that is at its end.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// machineError is the exit code of a command that has said itself why.
type machineError int

func (machineError) Error() string { return "the machine's node ended" }
