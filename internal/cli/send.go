package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

func sendCommand(t *terminal) *cobra.Command {
	var j joinFlags
	cmd := &cobra.Command{
		Use:   "send NODE NAME TERM",
		Short: "Send a message to a registered process",
		Long: `Send sends TERM as a plain message to the process registered as NAME on a node,
as {Name, Node} ! Term does. It prints ok when the node has received it; that
the process has acted on it nobody knows. Unlike Erlang's operator it fails if
no process is registered under NAME. With --json it prints

  {"node":"app@127.0.0.1","name":"worker","sent":true}

` + termHelp,
		Example: `  truss send app@127.0.0.1 logger_proxy '{note, <<"deployed">>}' --cookie secret
  truss send app@127.0.0.1 Elixir.MyApp.Worker refresh`,
		Args: takes("NODE", "NAME", "TERM"),
		RunE: run(func(ctx context.Context, args []string) error {
			message, err := t.readTerm(args[2])
			if err != nil {
				return err
			}
			return j.visit(ctx, t, args[0], func(ctx context.Context, v *visit) error {
				return v.send(ctx, t, args[1], message)
			})
		}),
	}
	j.register(cmd)
	return cmd
}

func (v *visit) send(ctx context.Context, t *terminal, name string, message etf.Term) error {
	if err := v.inProcess(func(p *truss.Process) error { return v.deliver(ctx, p, name, message) }); err != nil {
		return err
	}
	return t.print("ok", struct {
		Node string `json:"node"`
		Name string `json:"name"`
		Sent bool   `json:"sent"`
	}{v.peer, name, true})
}

// deliver sends the message between a monitor and a call. Signals are in order:
// when the call is answered the message has arrived, and so has the monitor's
// noproc if there is no such process.
func (v *visit) deliver(ctx context.Context, p *truss.Process, name string, message etf.Term) error {
	doing := fmt.Sprintf("cannot send to %s on %s", name, v.peer)
	to := truss.Name{Name: name, Node: v.peer}
	ref, err := p.Monitor(ctx, to)
	if err == nil {
		err = p.Send(ctx, to, message)
	}
	if err != nil {
		return v.failed(ctx, doing, err, "")
	}
	if err := v.isAuth(ctx, p, v.peer); err != nil {
		return v.failed(ctx, doing, fmt.Errorf("sent, but the node does not confirm that it has arrived: %w", callCause(err)), "")
	}
	if down, ok := v.downOf(p, ref); ok && down.Reason == etf.Term(etf.Atom("noproc")) {
		return v.noProcess(ctx, doing, name)
	}
	return nil
}

// isAuth is what net_adm:ping/1 asks, and every node answers.
func (v *visit) isAuth(ctx context.Context, p *truss.Process, node string) error {
	return p.Call(ctx, truss.Name{Name: "net_kernel", Node: node}, etf.Tuple{etf.Atom("is_auth"), etf.Atom(v.node.Name())}, nil)
}

// downOf takes the Down of a monitor out of the mailbox, if it has arrived.
func (v *visit) downOf(p *truss.Process, ref etf.Ref) (down truss.Down, ok bool) {
	expired, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("not there yet"))
	_, err := p.ReceiveMatch(expired, func(m truss.Message) bool {
		term, err := m.Term()
		if err != nil {
			return false
		}
		d, isDown := term.(truss.Down)
		if isDown && d.Ref == ref {
			down = d
			return true
		}
		return false
	})
	return down, err == nil
}
