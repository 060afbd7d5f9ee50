package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/truss-beam/truss/etf"
)

func globalCommand(t *terminal) *cobra.Command {
	var j joinFlags
	cmd := &cobra.Command{
		Use:   "global NODE",
		Short: "List the global names that a node knows",
		Long: `Global asks a node for the names that are registered with global, and prints a
line for each: the name, which is a term, and the process that has it. Nodes
that are connected to each other have the same names.

It calls global:registered_names/0, and then whereis_name/1 for each name, by
way of rex, as truss nodes does. With --json it prints

  {"node":"app@127.0.0.1","names":[{"name":"calc","pid":"#Pid<…>",
   "at":"web@127.0.0.1"}]}

on one line.`,
		Example: `  truss global app@127.0.0.1 --cookie secret
  truss global app@127.0.0.1 --json | jq -r '.names[] | .at + " " + .name'`,
		Args: takes("NODE"),
		RunE: run(func(ctx context.Context, args []string) error {
			return j.visit(ctx, t, args[0], func(ctx context.Context, v *visit) error { return v.globalNames(ctx, t) })
		}),
	}
	j.register(cmd)
	return cmd
}

// globalName is one global name as JSON.
type globalName struct {
	Name string   `json:"name"`
	Pid  string   `json:"pid"`
	At   etf.Atom `json:"at"`
}

func (v *visit) globalNames(ctx context.Context, t *terminal) error {
	names, err := v.askGlobal(ctx)
	if err != nil {
		doing := "cannot ask " + v.peer + " for its global names"
		if lacks(err) {
			return v.failed(ctx, doing, errors.New("it takes no part in global"), "a Truss program does with global.Start")
		}
		return v.applyFailed(ctx, doing, err)
	}
	if t.json {
		return t.print("", struct {
			Node  string       `json:"node"`
			Names []globalName `json:"names"`
		}{v.peer, names})
	}
	for _, n := range names {
		if err := t.print(n.Name+" "+n.Pid, nil); err != nil {
			return err
		}
	}
	return nil
}

// askGlobal returns the names that have a process, sorted as Erlang sorts terms.
// One that is freed between the two questions is left out.
func (v *visit) askGlobal(ctx context.Context) ([]globalName, error) {
	reply, err := v.apply(ctx, v.peer, "global", "registered_names")
	if err != nil {
		return nil, err
	}
	terms, ok := reply.(etf.List)
	if !ok {
		return nil, fmt.Errorf("global:registered_names/0 answers %s", etf.Format(reply))
	}
	slices.SortFunc(terms, etf.Compare)
	owners, err := inParallel(terms, func(name etf.Term) (etf.Term, error) {
		return v.apply(ctx, v.peer, "global", "whereis_name", name)
	})
	if err != nil {
		return nil, err
	}
	names := []globalName{}
	for i, name := range terms {
		if pid, ok := owners[i].(etf.Pid); ok {
			names = append(names, globalName{etf.Format(name), pid.String(), pid.Node})
		}
	}
	return names, nil
}

// questions is how many are on their way to a node at the same time: many, for
// each takes a round trip, but not all, for each is a process there.
const questions = 32

// inParallel asks for each of several terms. The answers are in their order; the
// error is the first of them.
func inParallel(terms etf.List, ask func(etf.Term) (etf.Term, error)) ([]etf.Term, error) {
	answers, errs := make([]etf.Term, len(terms)), make([]error, len(terms))
	free := make(chan struct{}, questions)
	var asking sync.WaitGroup
	for i, term := range terms {
		free <- struct{}{}
		asking.Go(func() {
			answers[i], errs[i] = ask(term)
			<-free
		})
	}
	asking.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return answers, nil
}
