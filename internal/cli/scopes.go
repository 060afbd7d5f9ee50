package cli

import (
	"sync"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/pg"
)

// scopes are the pg scopes of a node, each started when it is first wanted, and
// ended with the node.
type scopes struct {
	node *truss.Node

	mu      sync.Mutex // guards what follows
	started map[string]*pg.Scope
}

func newScopes(node *truss.Node) *scopes {
	return &scopes{node: node, started: make(map[string]*pg.Scope)}
}

func (s *scopes) start(name string) (*pg.Scope, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if started := s.started[name]; started != nil {
		return started, nil
	}
	scope, err := pg.Start(s.node, name)
	if err != nil {
		return nil, err
	}
	s.started[name] = scope
	return scope, nil
}

// functions are those of Erlang's module pg that only look: truss pg asks by them,
// and so can anyone else. Each may have the scope before its other arguments.
func (s *scopes) functions() truss.Funcs {
	groups := func(of func(*pg.Scope) []etf.Term) any {
		return func(args ...etf.Term) (etf.List, error) {
			scope, err := s.named(args, 0)
			if err != nil {
				return nil, err
			}
			return append(etf.List{}, of(scope)...), nil
		}
	}
	members := func(of func(*pg.Scope, any) []etf.Pid) any {
		return func(args ...etf.Term) (etf.List, error) {
			scope, err := s.named(args, 1)
			if err != nil {
				return nil, err
			}
			pids := etf.List{}
			for _, pid := range of(scope, args[len(args)-1]) {
				pids = append(pids, pid)
			}
			return pids, nil
		}
	}
	return truss.Funcs{
		"which_groups":       groups((*pg.Scope).WhichGroups),
		"which_local_groups": groups((*pg.Scope).WhichLocalGroups),
		"get_members":        members((*pg.Scope).Members),
		"get_local_members":  members((*pg.Scope).LocalMembers),
	}
}

// named returns the scope that the first argument names, if there is one before
// the others. The errors are those of a BEAM: badarg without such a scope.
func (s *scopes) named(args []etf.Term, others int) (*pg.Scope, error) {
	name := pg.DefaultScope
	switch len(args) - others {
	case 0:
	case 1:
		name = string(atomOf(args[0]))
	default:
		return nil, &truss.Exception{Reason: etf.Atom("undef")}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if scope := s.started[name]; scope != nil {
		return scope, nil
	}
	return nil, &truss.Exception{Reason: etf.Atom("badarg")}
}
