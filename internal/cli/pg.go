package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/pg"
)

func pgCommand(t *terminal) *cobra.Command {
	var j joinFlags
	cmd := &cobra.Command{
		Use:   "pg NODE [SCOPE]",
		Short: "List the process groups that a node knows",
		Long: `Pg asks a node for the groups of a pg scope, of ` + pg.DefaultScope + ` if no other is named, and
prints a line for each member, on whatever node it is: the group, which is a
term, and the process. A process that has joined twice is listed twice. The
scope of Phoenix.PubSub is Elixir.Phoenix.PubSub.

It calls pg:which_groups/1, and then get_members/2 for each group, by way of
rex, as truss nodes does, and sends nothing to the scope itself. With --json it
prints

  {"node":"app@127.0.0.1","scope":"pg","groups":[{"group":"workers",
   "members":["#Pid<…>"]}]}

on one line.`,
		Example: `  truss pg app@127.0.0.1 --cookie secret
  truss pg app@127.0.0.1 Elixir.Phoenix.PubSub --json`,
		Args: takes("NODE", "[SCOPE]"),
		RunE: run(func(ctx context.Context, args []string) error {
			scope := pg.DefaultScope
			if len(args) == 2 {
				scope = args[1]
			}
			return j.visit(ctx, t, args[0], func(ctx context.Context, v *visit) error { return v.groups(ctx, t, scope) })
		}),
	}
	j.register(cmd)
	return cmd
}

// group is one group as JSON.
type group struct {
	Group   string   `json:"group"`
	Members []string `json:"members"`
}

func (v *visit) groups(ctx context.Context, t *terminal, scope string) error {
	groups, err := v.askGroups(ctx, scope)
	if err != nil {
		return v.groupsFailed(ctx, scope, err)
	}
	if t.json {
		return t.print("", struct {
			Node   string  `json:"node"`
			Scope  string  `json:"scope"`
			Groups []group `json:"groups"`
		}{v.peer, scope, groups})
	}
	for _, g := range groups {
		for _, pid := range g.Members {
			if err := t.print(g.Group+" "+pid, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *visit) groupsFailed(ctx context.Context, scope string, err error) error {
	doing := fmt.Sprintf("cannot ask %s for the groups of %s", v.peer, scope)
	var bad *badRPC
	switch {
	case lacks(err):
		return v.failed(ctx, doing, errors.New("it does not tell its groups"), "BEAMs do, and truss node")
	case errors.As(err, &bad) && bad.failedWith("badarg"):
		hint := "kernel's start_pg starts the scope pg, pg:start_link/1 any other"
		if scope == pg.DefaultScope {
			hint += "; to ask for another, name it after the node"
		}
		return v.failed(ctx, doing, errors.New("there is no such scope"), hint)
	}
	return v.applyFailed(ctx, doing, err)
}

// askGroups returns the groups that have members, sorted as Erlang sorts terms.
func (v *visit) askGroups(ctx context.Context, scope string) ([]group, error) {
	reply, err := v.apply(ctx, v.peer, "pg", "which_groups", etf.Atom(scope))
	if err != nil {
		return nil, err
	}
	terms, ok := reply.(etf.List)
	if !ok {
		return nil, fmt.Errorf("pg:which_groups/1 answers %s", etf.Format(reply))
	}
	slices.SortFunc(terms, etf.Compare)
	members, err := inParallel(terms, func(name etf.Term) (etf.Term, error) {
		return v.apply(ctx, v.peer, "pg", "get_members", etf.Atom(scope), name)
	})
	if err != nil {
		return nil, err
	}
	groups := []group{}
	for i, name := range terms {
		pids, _ := members[i].(etf.List)
		if len(pids) == 0 {
			continue // all have left since
		}
		slices.SortFunc(pids, byNode)
		g := group{Group: etf.Format(name)}
		for _, pid := range pids {
			g.Members = append(g.Members, etf.Format(pid))
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// byNode orders processes by their nodes, as people look for them; Erlang's order
// of pids has the node last.
func byNode(a, b etf.Term) int {
	left, _ := a.(etf.Pid)
	right, _ := b.(etf.Pid)
	return cmp.Or(cmp.Compare(left.Node, right.Node), etf.Compare(a, b))
}
