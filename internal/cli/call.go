package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

func callCommand(t *terminal) *cobra.Command {
	var j joinFlags
	var elixir bool
	cmd := &cobra.Command{
		Use:   "call NODE NAME TERM",
		Short: "Call a gen_server and print its reply",
		Long: `Call sends TERM to the process registered as NAME on a node, the way
gen_server:call/2 and GenServer.call/2 do, and prints the reply in Erlang's
syntax, or with --elixir in Elixir's. With --json it prints

  {"node":"app@127.0.0.1","name":"calc","reply":"{ok,3}","took_ms":0.31}

` + termHelp,
		Example: `  truss call app@127.0.0.1 calc '{add, 1, 2}' --cookie secret
  truss call app@127.0.0.1 Elixir.MyApp.Calc '{add, [1, 2]}' --elixir
  echo '{put, <<"key">>, [1.5, $a, true]}' | truss call app@127.0.0.1 store -
  truss call app@127.0.0.1 --json -- counter -1`,
		Args: takes("NODE", "NAME", "TERM"),
		RunE: run(func(ctx context.Context, args []string) error {
			request, err := t.readTerm(args[2])
			if err != nil {
				return err
			}
			return j.visit(ctx, t, args[0], func(ctx context.Context, v *visit) error {
				return v.call(ctx, t, args[1], request, elixir)
			})
		}),
	}
	cmd.Flags().BoolVar(&elixir, "elixir", false, "print the reply in Elixir's syntax, as inspect does")
	j.register(cmd)
	return cmd
}

func (v *visit) call(ctx context.Context, t *terminal, name string, request etf.Term, elixir bool) error {
	begin := time.Now()
	reply, err := truss.Call[etf.Term](ctx, v.node, truss.Name{Name: name, Node: v.peer}, request)
	if err != nil {
		return v.callFailed(ctx, name, err)
	}
	took := time.Since(begin)
	text := etf.Format(reply)
	if elixir {
		text = etf.FormatElixir(reply)
	}
	return t.print(text, struct {
		Node  string  `json:"node"`
		Name  string  `json:"name"`
		Reply string  `json:"reply"`
		Took  float64 `json:"took_ms"`
	}{v.peer, name, text, milliseconds(took)})
}

// callFailed explains why there is no reply.
func (v *visit) callFailed(ctx context.Context, name string, err error) error {
	doing := fmt.Sprintf("cannot call %s on %s", name, v.peer)
	var exit *truss.ExitError
	switch {
	case ctx.Err() != nil: // stepFailed says it
	case errors.Is(err, truss.ErrNoProcess):
		return v.noProcess(ctx, doing, name)
	case errors.Is(err, truss.ErrNoConnection):
		return v.failed(ctx, doing, errors.New("the connection was lost before the reply came"), "the request may have been acted on")
	case errors.As(err, &exit):
		return v.failed(ctx, doing, fmt.Errorf("the process ended before it replied, with reason %s", etf.Format(exit.Reason)), "")
	}
	return v.failed(ctx, doing, callCause(err), "")
}

// noProcess is the failure to find a registered name.
func (v *visit) noProcess(ctx context.Context, doing, name string) error {
	hint := ""
	if name != "" && 'A' <= name[0] && name[0] <= 'Z' && !strings.HasPrefix(name, "Elixir.") {
		hint = "an Elixir module is written in full: Elixir." + name
	}
	return v.failed(ctx, doing, errors.New("no process is registered under that name"), hint)
}

// callCause leaves of an error what the failure does not say already.
func callCause(err error) error {
	if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), "truss: call ") {
		return inner
	}
	return err
}
