package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/truss-beam/truss/etf"
)

func regionsCommand(t *terminal) *cobra.Command {
	var j joinFlags
	cmd := &cobra.Command{
		Use:   "regions NODE",
		Short: "List the regions that the nodes of a cluster are in",
		Long: `Regions asks a node, and each visible node it is connected to, for the region it
is in, and prints a line for each: its name and its region, or - if it is in
none. Those are in a region that run Elixir's fly_rpc, a Truss program with
region.Start, or truss node --region.

It calls 'Elixir.Fly.RPC':my_region/0 by way of rex, as truss nodes does. With
--json it prints

  {"node":"app@127.0.0.1","regions":[{"node":"app@127.0.0.1","region":"syd"},
   {"node":"web@127.0.0.1","region":null}]}

on one line. The exit code is 1 if a node cannot be asked, or none has a region.`,
		Example: `  truss regions app@127.0.0.1 --cookie secret
  truss regions app@127.0.0.1 --json | jq -r '.regions[] | .region'`,
		Args: takes("NODE"),
		RunE: run(func(ctx context.Context, args []string) error {
			return j.visit(ctx, t, args[0], func(ctx context.Context, v *visit) error { return v.regions(ctx, t) })
		}),
	}
	j.register(cmd)
	return cmd
}

// nodeRegion is where a node is, as JSON; nil means that it does not say.
type nodeRegion struct {
	Node   string  `json:"node"`
	Region *string `json:"region"`
}

func (r nodeRegion) String() string {
	if r.Region == nil {
		return r.Node + " -"
	}
	return r.Node + " " + *r.Region
}

func (v *visit) regions(ctx context.Context, t *terminal) error {
	nodes, err := v.cluster(ctx)
	if err != nil {
		return err
	}
	answers, errs := spread(nodes, func(node string) (*string, error) { return v.askRegion(ctx, node) })
	found, failed := []nodeRegion{}, []error{}
	some := false
	for i, node := range nodes {
		if errs[i] != nil {
			failed = append(failed, fmt.Errorf("%s: %w", node, errs[i]))
			continue
		}
		found = append(found, nodeRegion{node, answers[i]})
		some = some || answers[i] != nil
	}
	doing := "cannot tell the regions of " + v.peer + " and its nodes"
	if len(failed) == 0 && !some {
		return v.failed(ctx, doing, errors.New("none of them is in a region"), "truss node has --region, Elixir has fly_rpc")
	}
	if err := printRegions(t, v.peer, found); err != nil {
		return err
	}
	if len(failed) > 0 {
		return v.failed(ctx, doing, errors.Join(failed...), "")
	}
	return nil
}

func printRegions(t *terminal, peer string, found []nodeRegion) error {
	if t.json {
		return t.print("", struct {
			Node    string       `json:"node"`
			Regions []nodeRegion `json:"regions"`
		}{peer, found})
	}
	for _, r := range found {
		if err := t.print(r.String(), nil); err != nil {
			return err
		}
	}
	return nil
}

// askRegion asks a node for its region, as Fly.RPC does; nil if it has none.
func (v *visit) askRegion(ctx context.Context, node string) (*string, error) {
	if err := v.reach(ctx, node); err != nil {
		return nil, err
	}
	reply, err := v.apply(ctx, node, "Elixir.Fly.RPC", "my_region")
	switch {
	case lacks(err):
		return nil, nil
	case err != nil:
		return nil, callCause(err)
	}
	region, ok := reply.([]byte)
	if !ok {
		return nil, fmt.Errorf("it says that it is in region %s", etf.Format(reply))
	}
	text := string(region)
	return &text, nil
}
