package cli

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/pg"
	"github.com/truss-beam/truss/pubsub"
)

func listenCommand(t *terminal) *cobra.Command {
	var j joinFlags
	cmd := &cobra.Command{
		Use:   "listen NODE NAME/TOPIC",
		Short: "Print what is broadcast on a topic",
		Long: `Listen prints what is broadcast on a topic, by NODE and by the visible nodes it
is connected to, until it is interrupted or NODE is gone. It prints, a line
each:

  listening NODE        what that node broadcasts is heard from now on
  message TOPIC TERM    this was broadcast

and with --json

  {"event":"listening","node":"app@127.0.0.1"}
  {"event":"message","pubsub":"MyApp.PubSub","topic":"orders","term":"paid"}

It is a hidden node that becomes a member of the PubSub's group on those nodes,
as a node that runs the PubSub is, and on no other. Nodes that NODE connects to
later are found within seconds. --timeout is for the first.`,
		Example: `  truss pubsub listen app@127.0.0.1 MyApp.PubSub/orders --cookie secret
  truss pubsub listen app@127.0.0.1 MyApp.PubSub/room:1 --json | jq -r .term`,
		Args: takes("NODE", "NAME/TOPIC"),
		RunE: run(func(ctx context.Context, args []string) error {
			name, topic, err := pubsubTopic(args[1])
			if err != nil {
				return err
			}
			return j.visit(ctx, t, args[0], func(limited context.Context, v *visit) error {
				return v.listen(ctx, limited, t, name, topic)
			})
		}),
	}
	j.register(cmd)
	return cmd
}

// lookAgain is how often a listener looks for nodes that are new.
const lookAgain = 2 * time.Second

// listener is a visitor that stays, as a member of a PubSub.
type listener struct {
	*visit
	t      *terminal
	name   string
	scope  *pg.Scope
	asked  map[string]bool // nodes whose scope knows of this one
	warned map[string]bool // nodes that cannot be reached, and that was said
}

// listen gets limited for what has to be done first, and then goes on until ctx ends.
func (v *visit) listen(ctx, limited context.Context, t *terminal, name, topic string) error {
	doing := "cannot listen to " + name
	there, err := v.present(limited, v.peer, worker(name), func() error { return nil })
	switch {
	case err != nil:
		return v.failed(limited, doing, err, "")
	case !there:
		return v.noPubSub(limited, doing, name)
	}
	scope, err := pg.Start(v.node, pubsub.Scope)
	if err != nil {
		return err
	}
	defer scope.Close()
	ps, err := pubsub.Start(v.node, pubsub.Config{Name: name, Scope: scope})
	if err != nil {
		return err
	}
	defer ps.Close()
	heard := newInbox(t.logger())
	if err := heard.subscribe(ps, name, topic); err != nil {
		return err
	}
	l := &listener{visit: v, t: t, name: name, scope: scope, asked: map[string]bool{}, warned: map[string]bool{}}
	return l.follow(ctx, limited, heard)
}

// follow listens to the nodes there are, and to those that come, until ctx ends or
// the node visited is gone.
func (l *listener) follow(ctx, limited context.Context, heard inbox) error {
	_, joins, err := l.scope.Monitor(ctx, etf.Atom(worker(l.name)))
	if err != nil {
		return err
	}
	events := l.node.Events(ctx)
	if err := l.look(limited); err != nil {
		return err
	}
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-events:
			if e.Up || e.Node == "" {
				continue
			}
			delete(l.asked, e.Node)
			if e.Node == l.peer {
				return l.failed(ctx, "cannot listen any more", errors.New(l.peer+" is gone"), "")
			}
		case m := <-heard.messages:
			if err := l.t.print(m.String(), m); err != nil {
				return err
			}
		case e := <-joins:
			if err := l.joined(ctx, e); err != nil {
				return err
			}
		case <-again.C:
			if err := l.look(ctx); err != nil && ctx.Err() == nil {
				l.t.logger().Warn("cannot look for more nodes", "error", err)
			}
		}
	}
}

// joined prints whose broadcasts are heard: those of nodes whose scope has our
// worker. That it has told us of its own means only that ours is on its way.
func (l *listener) joined(ctx context.Context, e pg.Event) error {
	for _, pid := range e.Joined {
		node := string(pid.Node)
		if node == l.node.Name() || !l.isMember(ctx, node) {
			continue
		}
		line := nodeLine{Event: "listening", Node: node}
		if err := l.t.print(line.String(), line); err != nil {
			return err
		}
	}
	return nil
}

// isMember waits until a node has our worker among those it broadcasts to. One that
// does not tell its groups is believed.
func (l *listener) isMember(ctx context.Context, node string) bool {
	ctx, cancel := context.WithTimeout(ctx, spreadLimit)
	defer cancel()
	for ctx.Err() == nil {
		reply, err := l.apply(ctx, node, "pg", "get_members", etf.Atom(pubsub.Scope), etf.Atom(worker(l.name)))
		switch {
		case lacks(err), errors.Is(err, truss.ErrNoProcess):
			return true
		case err != nil:
			return false // it is gone, which events tell
		}
		pids, _ := reply.(etf.List)
		if slices.ContainsFunc(pids, func(pid etf.Term) bool { p, ok := pid.(etf.Pid); return ok && string(p.Node) == l.node.Name() }) {
			return true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}

// look makes this node known to the scopes of those nodes that have the PubSub. A
// name that is no pg scope must not be sent what a scope is: but who has the
// worker has the scope.
func (l *listener) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*spreadLimit, errTimeout)
	defer cancel()
	nodes, err := l.cluster(ctx)
	if err != nil {
		return err
	}
	there, errs := spread(nodes, func(node string) (bool, error) {
		if l.asked[node] {
			return false, nil
		}
		if err := l.reach(ctx, node); err != nil {
			return false, err
		}
		return l.present(ctx, node, worker(l.name), func() error { return nil })
	})
	for i, node := range nodes {
		if errs[i] != nil && !l.warned[node] && ctx.Err() == nil {
			l.warned[node] = true
			l.t.logger().Warn("what a node broadcasts is not heard", "node", node, "error", errs[i])
		}
		if there[i] {
			l.asked[node] = true
			if err := l.scope.Discover(node); err != nil {
				return err
			}
		}
	}
	return nil
}
