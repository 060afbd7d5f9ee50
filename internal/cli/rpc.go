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
	"github.com/truss-beam/truss/rpc"
)

func rpcCommand(t *terminal) *cobra.Command {
	var j joinFlags
	var elixir bool
	cmd := &cobra.Command{
		Use:   "rpc NODE M:F [TERM]...",
		Short: "Call a function on a node and print its result",
		Long: `Rpc calls the function F of module M on a node, with the TERMs as its arguments,
the way erpc:call/5 does, and prints the result in Erlang's syntax, or with
--elixir in Elixir's. A function of an Elixir module can be written as Elixir
does: MyApp.Calc.add is Elixir.MyApp.Calc:add. With --json it prints

  {"node":"app@127.0.0.1","function":"lists:sum/1","result":"6","took_ms":0.3}

If the function fails, the error says how: error, exit or throw, and why; with
-v, the stack of an error is printed too.

What the function prints comes to standard output here, before the result. If
--timeout ends the wait, the function goes on over there.

` + termAlone,
		Example: `  truss rpc app@127.0.0.1 erlang:node --cookie secret
  truss rpc app@127.0.0.1 lists:sum '[1, 2, 3]'
  truss rpc app@127.0.0.1 String.upcase '<<"fly">>' --elixir`,
		Args: func(_ *cobra.Command, args []string) error {
			return takes("NODE", "M:F")(nil, args[:min(2, len(args))])
		},
		RunE: run(func(ctx context.Context, args []string) error {
			module, function, err := parseFunction(args[1])
			if err != nil {
				return err
			}
			var terms []any
			for _, text := range args[2:] {
				term, err := t.readTerm(text)
				if err != nil {
					return err
				}
				terms = append(terms, term)
			}
			return j.visit(ctx, t, args[0], func(ctx context.Context, v *visit) error {
				return v.rpc(ctx, t, module, function, terms, elixir)
			})
		}),
	}
	cmd.Flags().BoolVar(&elixir, "elixir", false, "print the result in Elixir's syntax, as inspect does")
	j.register(cmd)
	return cmd
}

// parseFunction splits lists:sort, Elixir.String:upcase or String.upcase.
func parseFunction(text string) (module, function string, err error) {
	module, function, ok := strings.Cut(text, ":")
	if !ok {
		if dot := strings.LastIndexByte(text, '.'); dot > 0 && 'A' <= text[0] && text[0] <= 'Z' {
			module, function, ok = "Elixir."+strings.TrimPrefix(text[:dot], "Elixir."), text[dot+1:], true
		}
	}
	if !ok || module == "" || function == "" {
		return "", "", usage("%q is no function: write lists:sort or MyApp.Calc.add", text)
	}
	return module, function, nil
}

func (v *visit) rpc(ctx context.Context, t *terminal, module, function string, args []any, elixir bool) error {
	begin := time.Now()
	result, err := rpc.Call[etf.Term](ctx, v.node, v.peer, module, function, args...)
	if err != nil {
		return v.rpcFailed(ctx, t, fmt.Sprintf("%s:%s/%d", module, function, len(args)), err)
	}
	took := time.Since(begin)
	text := etf.Format(result)
	if elixir {
		text = etf.FormatElixir(result)
	}
	return t.print(text, struct {
		Node     string  `json:"node"`
		Function string  `json:"function"`
		Result   string  `json:"result"`
		Took     float64 `json:"took_ms"`
	}{v.peer, fmt.Sprintf("%s:%s/%d", module, function, len(args)), text, milliseconds(took)})
}

// rpcFailed explains why there is no result.
func (v *visit) rpcFailed(ctx context.Context, t *terminal, function string, err error) error {
	doing := fmt.Sprintf("cannot call %s on %s", function, v.peer)
	var remote *rpc.RemoteError
	switch {
	case errors.As(err, &remote):
		_, why, _ := strings.Cut(err.Error(), " on "+v.peer+": ")
		if t.verbose > 0 && len(remote.Stack) > 0 {
			fmt.Fprintln(t.errors, remote.StackTrace())
		}
		return v.failed(ctx, fmt.Sprintf("%s on %s failed", function, v.peer), errors.New(why), "")
	case errors.Is(err, errors.ErrUnsupported):
		return v.failed(ctx, doing, errors.New("it runs no functions for others"), "BEAMs do, and Truss nodes with rpc.Start")
	case errors.Is(err, truss.ErrNoConnection) && !rpc.NotSent(err):
		return v.failed(ctx, doing, errors.New("the connection was lost before the result came"), "the function may have run")
	}
	return v.failed(ctx, doing, err, "")
}
