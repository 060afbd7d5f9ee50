package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/pubsub"
)

func pubsubCommand(t *terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pubsub",
		Short: "Listen to a Phoenix.PubSub, or broadcast on it",
		Long: `Pubsub listens to the topics of a PubSub, or broadcasts on them. It can be one
of Phoenix.PubSub or of Truss: to each other they are the same.

NAME/TOPIC is the name that the PubSub has in the application, such as
MyApp.PubSub for {Phoenix.PubSub, name: MyApp.PubSub}, and after the first slash
the topic, which may have slashes itself.`,
		Example: `  truss pubsub listen app@127.0.0.1 MyApp.PubSub/orders --cookie secret
  truss pubsub broadcast app@127.0.0.1 MyApp.PubSub/orders '{paid, 42}'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(listenCommand(t), broadcastCommand(t))
	return cmd
}

// pubsubTopic reads the argument NAME/TOPIC.
func pubsubTopic(text string) (name, topic string, err error) {
	name, topic, ok := cutPair(text)
	if !ok {
		return "", "", usage("%q is no NAME/TOPIC, for example MyApp.PubSub/orders", text)
	}
	return name, topic, nil
}

// worker is the name of the process that gets what is broadcast on a PubSub, and
// of its pg group: that of Phoenix's adapter.
func worker(name string) string {
	return "Elixir." + strings.TrimPrefix(name, "Elixir.") + ".Adapter"
}

func broadcastCommand(t *terminal) *cobra.Command {
	var j joinFlags
	var event string
	cmd := &cobra.Command{
		Use:   "broadcast NODE NAME/TOPIC TERM",
		Short: "Broadcast a message to the subscribers on all nodes",
		Long: `Broadcast sends TERM to all that have subscribed to a topic, on NODE and on the
visible nodes it is connected to, as Phoenix.PubSub.broadcast/3 there would. It
prints the nodes it has sent it to, a line each:

  sent NODE

and with --json

  {"pubsub":"MyApp.PubSub","topic":"orders","sent":["app@127.0.0.1"],
   "without":["jobs@127.0.0.1"]}

on one line, where the second list has the nodes without that PubSub. The exit
code is 1 if no node has it, or if one cannot be reached.

On topics of Phoenix channels use --event: clients that have joined the topic
get that event with TERM as its payload, which must be a map. Anything else they
would not understand.

` + termAlone,
		Example: `  truss pubsub broadcast app@127.0.0.1 MyApp.PubSub/orders '{paid, 42}'
  truss pubsub broadcast app@127.0.0.1 App/room:1 '#{n => 1}' --event new_msg`,
		Args: takes("NODE", "NAME/TOPIC", "TERM"),
		RunE: run(func(ctx context.Context, args []string) error {
			name, topic, err := pubsubTopic(args[1])
			if err != nil {
				return err
			}
			term, err := t.readTerm(args[2])
			if err != nil {
				return err
			}
			var message any = term
			if event != "" {
				message = pubsub.Broadcast{Event: event, Payload: term}
			}
			return j.visit(ctx, t, args[0], func(ctx context.Context, v *visit) error {
				return v.broadcast(ctx, t, name, topic, message)
			})
		}),
	}
	j.register(cmd)
	cmd.Flags().StringVar(&event, "event", "", "send an `event` of Phoenix channels")
	return cmd
}

// broadcast sends to the worker on each node directly: the visitor is hidden, so
// in nobody's groups, and to take part in the scope just to see who else does
// would tell all of them of a member that is gone a moment later.
func (v *visit) broadcast(ctx context.Context, t *terminal, name, topic string, message any) error {
	ps, err := pubsub.Start(v.node, pubsub.Config{Name: name, PublishOnly: true})
	if err != nil {
		return err
	}
	defer ps.Close()
	doing := fmt.Sprintf("cannot broadcast on %s", name)
	if err := ps.LocalBroadcast(topic, message); err != nil { // to nobody; whether it could be
		return v.failed(ctx, doing, err, "")
	}
	nodes, err := v.cluster(ctx)
	if err != nil {
		return err
	}
	there, errs := spread(nodes, func(node string) (bool, error) {
		if err := v.reach(ctx, node); err != nil {
			return false, err
		}
		return v.present(ctx, node, worker(name), func() error { return ps.DirectBroadcast(ctx, node, topic, message) })
	})
	sent, without, failed := []string{}, []string{}, []error{}
	for i, node := range nodes {
		switch {
		case errs[i] != nil:
			failed = append(failed, fmt.Errorf("%s: %w", node, errs[i]))
		case there[i]:
			sent = append(sent, node)
		default:
			without = append(without, node)
		}
	}
	if err := printSent(t, name, topic, sent, without); err != nil {
		return err
	}
	switch {
	case len(failed) > 0:
		return v.failed(ctx, doing+" on all nodes", errors.Join(failed...), "")
	case len(sent) == 0:
		return v.noPubSub(ctx, doing, name)
	}
	return nil
}

func printSent(t *terminal, name, topic string, sent, without []string) error {
	if t.json && len(sent) > 0 {
		return t.print("", struct {
			PubSub  string   `json:"pubsub"`
			Topic   string   `json:"topic"`
			Sent    []string `json:"sent"`
			Without []string `json:"without"`
		}{name, topic, sent, without})
	}
	for _, node := range sent {
		if err := t.print("sent "+node, nil); err != nil {
			return err
		}
	}
	return nil
}

// noPubSub is the failure to find a PubSub.
func (v *visit) noPubSub(ctx context.Context, doing, name string) error {
	return v.failed(ctx, doing, fmt.Errorf("no process is registered as %s", etf.Format(etf.Atom(worker(name)))),
		"the name is that in the application's {Phoenix.PubSub, name: …}")
}
