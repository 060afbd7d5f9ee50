package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/truss-beam/truss/epmd"
)

// epmdFlags are those of truss epmd.
type epmdFlags struct {
	port          uint16
	address       string
	relaxed       bool
	packetTimeout int

	daemon      bool
	debug       bool
	names, kill bool
	stop        string
}

func epmdCommand(t *terminal) *cobra.Command {
	var f epmdFlags
	cmd := &cobra.Command{
		Use:   "epmd",
		Short: "Serve epmd, or control the one that is running",
		Long: `Epmd serves Erlang's port mapper until it is interrupted, terminated or killed
by --kill, in place of OTP's epmd: BEAM nodes do not notice the difference. It
prints ready and its port when it answers.

OTP's way to write options, with one hyphen, is understood too (-port 4370,
-relaxed_command_check), and under the name epmd, by a link to it, truss is this
command: so it can stand where OTP's is. Erl takes it with its option -epmd.`,
		Example: `  truss epmd
  truss epmd --port 4370 --address 10.0.0.1
  truss epmd --daemon
  truss epmd --names
  erl -name app@127.0.0.1 -epmd 'truss epmd --daemon'`,
		Args: takes(),
		RunE: run(func(ctx context.Context, _ []string) error { return f.run(ctx, t) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Uint16Var(&f.port, "port", 0, "`port` to serve at or to ask\n(default ERL_EPMD_PORT, else 4369)")
	flags.StringVar(&f.address, "address", "", "`addresses` to serve at, with commas, beside\nloopback (default ERL_EPMD_ADDRESS, else all)")
	flags.BoolVar(&f.relaxed, "relaxed-command-check", false, "allow --stop, and --kill with nodes registered\n(always with ERL_EPMD_RELAXED_COMMAND_CHECK)")
	flags.IntVar(&f.packetTimeout, "packet-timeout", 60, "`seconds` that a request may take")
	flags.BoolVar(&f.daemon, "daemon", false, "serve in the background; do nothing if there\nis an epmd already")
	flags.BoolVarP(&f.debug, "debug", "d", false, "log to standard error, in detail")
	flags.BoolVar(&f.names, "names", false, "list what is registered on this machine")
	flags.BoolVar(&f.kill, "kill", false, "end the epmd of this machine")
	flags.StringVar(&f.stop, "stop", "", "take a `name` out of the epmd of this machine")
	cmd.MarkFlagsMutuallyExclusive("daemon", "names", "kill", "stop")
	return cmd
}

// otpFlags rewrites the options of truss epmd that are written in OTP's way, which
// to pflag would be rows of one-letter options.
func otpFlags(args []string) []string {
	if len(args) == 0 || args[0] != "epmd" {
		return args
	}
	rewritten := append([]string(nil), args...)
	for i, arg := range args {
		name, value, hasValue := strings.Cut(arg, "=")
		switch name {
		case "-port", "-address", "-relaxed_command_check", "-packet_timeout", "-daemon", "-debug", "-names", "-kill", "-stop":
			rewritten[i] = "-" + strings.ReplaceAll(name, "_", "-")
			if hasValue {
				rewritten[i] += "=" + value
			}
		}
	}
	return rewritten
}

func (f *epmdFlags) run(ctx context.Context, t *terminal) error {
	port := int(f.port)
	if port == 0 {
		var err error
		if port, err = epmd.EnvPort(); err != nil {
			return usage("%w", err)
		}
	}
	if f.packetTimeout <= 0 {
		return usage("--packet-timeout %d is no number of seconds", f.packetTimeout)
	}
	if f.debug {
		t.verbose = 2
	}
	// The flags that ask ask here: an epmd takes such orders from its own machine only.
	client := epmd.Client{Port: port}
	const here = "127.0.0.1"
	switch {
	case f.names:
		return t.names(ctx, epmdAddress{host: here, port: port}, 10*time.Second)
	case f.kill:
		return t.ordered(client.Kill(ctx, here), "cannot kill the epmd at port "+strconv.Itoa(port), "killed")
	case f.stop != "":
		return t.ordered(client.Stop(ctx, here, f.stop), "cannot stop "+f.stop, "stopped")
	case f.daemon:
		return f.background(ctx, port)
	}
	return f.serve(ctx, t, port)
}

// ordered prints what became of an order to an epmd.
func (t *terminal) ordered(err error, doing, done string) error {
	if err == nil {
		return t.print(done, struct {
			Done string `json:"done"`
		}{done})
	}
	hint := ""
	switch {
	case errors.Is(err, epmd.ErrRefused):
		hint = "only one that runs with --relaxed-command-check does that"
	case errors.Is(err, epmd.ErrBusy):
		hint = "end the nodes first: truss epmd --names"
	}
	return &failure{code: exitFailed, doing: doing, err: err, hint: hint}
}

func (f *epmdFlags) serve(ctx context.Context, t *terminal, port int) error {
	list := f.address
	if list == "" {
		list = os.Getenv("ERL_EPMD_ADDRESS")
	}
	addrs, err := epmd.BindList(list)
	if err != nil {
		return usage("%w", err)
	}
	listeners, err := epmd.Listen(ctx, nil, addrs, port)
	if err != nil {
		hint := ""
		if errors.Is(err, syscall.EADDRINUSE) {
			hint = "most likely an epmd is there already: truss epmd --names"
		}
		return &failure{code: exitFailed, doing: fmt.Sprintf("cannot serve epmd at port %d", port), err: listenCause(err), hint: hint}
	}
	server := epmd.Server{
		Relaxed:     f.relaxed || os.Getenv("ERL_EPMD_RELAXED_COMMAND_CHECK") != "",
		IdleTimeout: time.Duration(f.packetTimeout) * time.Second,
		Logger:      t.logger(),
	}
	err = t.print(fmt.Sprintf("ready %d", port), struct {
		Event string `json:"event"`
		Port  int    `json:"port"`
	}{"ready", port})
	if err != nil {
		return err
	}
	return server.Serve(ctx, listeners...)
}

// listenCause is the address and the reason of a failure to listen.
func listenCause(err error) error {
	var network *net.OpError
	if errors.As(err, &network) && network.Addr != nil {
		return fmt.Errorf("%v: %w", network.Addr, network.Err)
	}
	return err
}
