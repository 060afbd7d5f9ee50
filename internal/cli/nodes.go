package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/truss-beam/truss/etf"
)

func nodesCommand(t *terminal) *cobra.Command {
	var j joinFlags
	var hidden bool
	cmd := &cobra.Command{
		Use:   "nodes NODE",
		Short: "List the nodes that a node is connected to",
		Long: `Nodes asks a node for its nodes/0, which is Elixir's Node.list/0, and prints one
name a line. With --hidden the hidden ones follow, each with the word hidden
after its name; the one that asks leaves itself out.

It calls erlang:nodes/1 by way of rex, which every BEAM has and truss node too.
With --json it prints both lists in any case:

  {"node":"app@127.0.0.1","nodes":["web@127.0.0.1"],"hidden":[]}`,
		Example: `  truss nodes app@127.0.0.1 --cookie secret
  truss nodes app@127.0.0.1 --json | jq -r '.nodes[]'`,
		Args: takes("NODE"),
		RunE: run(func(ctx context.Context, args []string) error {
			return j.visit(ctx, t, args[0], func(ctx context.Context, v *visit) error { return v.nodes(ctx, t, hidden) })
		}),
	}
	cmd.Flags().BoolVar(&hidden, "hidden", false, "list hidden nodes too")
	j.register(cmd)
	return cmd
}

func (v *visit) nodes(ctx context.Context, t *terminal, withHidden bool) error {
	visible, err := v.askNodes(ctx, "visible")
	if err != nil {
		return err
	}
	hidden, err := v.askNodes(ctx, "hidden")
	if err != nil {
		return err
	}
	hidden = slices.DeleteFunc(hidden, func(name string) bool { return name == v.node.Name() })
	if t.json {
		return t.print("", struct {
			Node   string   `json:"node"`
			Nodes  []string `json:"nodes"`
			Hidden []string `json:"hidden"`
		}{v.peer, visible, hidden})
	}
	for _, name := range visible {
		if err := t.print(name, nil); err != nil {
			return err
		}
	}
	for _, name := range hidden {
		if !withHidden {
			break
		}
		if err := t.print(name+" hidden", nil); err != nil {
			return err
		}
	}
	return nil
}

// askNodes calls erlang:nodes(kind) on the peer. The result is sorted.
func (v *visit) askNodes(ctx context.Context, kind etf.Atom) ([]string, error) {
	doing := "cannot ask " + v.peer + " for its nodes"
	reply, err := v.apply(ctx, v.peer, "erlang", "nodes", kind)
	if err != nil {
		return nil, v.applyFailed(ctx, doing, err)
	}
	names, ok := atomNames(reply)
	if !ok {
		return nil, v.failed(ctx, doing, fmt.Errorf("rex answers %s", etf.Format(reply)), "")
	}
	slices.Sort(names)
	return names, nil
}

// atomNames reads a list of atoms.
func atomNames(term etf.Term) ([]string, bool) {
	list, ok := term.(etf.List)
	names := make([]string, 0, len(list))
	for _, element := range list {
		atom, isAtom := element.(etf.Atom)
		ok = ok && isAtom
		names = append(names, string(atom))
	}
	return names, ok
}
