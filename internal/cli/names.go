package cli

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/truss-beam/truss/epmd"
)

func namesCommand(t *terminal) *cobra.Command {
	var text string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "names [HOST]",
		Short: "List the names that an epmd knows, with their ports",
		Long: `Names asks the epmd of HOST, or of this machine, which nodes are registered
there, as epmd -names and net_adm:names/1 do, and prints a line for each: the
part of its name before the @, and the port where it listens. With --json it
prints

  {"host":"127.0.0.1","names":[{"name":"app","port":41234}]}`,
		Example: `  truss names
  truss names 10.0.0.2
  truss names fdaa:0:1::3 --epmd 4370 --json`,
		Args: takes("[HOST]"),
		RunE: run(func(ctx context.Context, args []string) error {
			address, err := parseEpmd(text)
			if err != nil {
				return err
			}
			switch {
			case len(args) == 1 && address.host != "":
				return usage("%s and --epmd %s both name a host", args[0], text)
			case len(args) == 1:
				address.host = args[0]
			case address.host == "":
				address.host = "127.0.0.1"
			}
			return t.names(ctx, address, timeout)
		}),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&text, "epmd", "", "`address` of the epmd: HOST, PORT or HOST:PORT\n(default port ERL_EPMD_PORT, else 4369)")
	registerTimeout(cmd, &timeout)
	return cmd
}

// named is one registered name as JSON.
type named struct {
	Name string `json:"name"`
	Port uint16 `json:"port"`
}

func (t *terminal) names(ctx context.Context, address epmdAddress, timeout time.Duration) error {
	names, err := askNames(ctx, address, timeout)
	if err != nil {
		return err
	}
	if !t.json {
		for _, n := range names {
			if err := t.print(fmt.Sprintf("%s %d", n.Name, n.Port), nil); err != nil {
				return err
			}
		}
		return nil
	}
	listed := make([]named, 0, len(names))
	for _, n := range names {
		listed = append(listed, named{n.Name, n.Port})
	}
	return t.print("", struct {
		Host  string  `json:"host"`
		Names []named `json:"names"`
	}{address.host, listed})
}

func askNames(ctx context.Context, address epmdAddress, timeout time.Duration) ([]epmd.NamePort, error) {
	ctx, cancel, err := limit(ctx, timeout)
	if err != nil {
		return nil, err
	}
	defer cancel()
	client := address.client()
	names, err := client.Names(ctx, address.host)
	if err != nil {
		at := address.host
		if address.port != 0 {
			at = net.JoinHostPort(address.host, strconv.Itoa(address.port))
		}
		return nil, stepFailed(ctx, "cannot list the names at "+at, "", timeout, err, "epmd runs where a node does; if it has another port, say so with --epmd")
	}
	return names, nil
}
