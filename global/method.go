package global

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// Method says what happens to a name that two partitions have given to different
// processes, when they are joined. Other nodes keep it with the name.
type Method struct {
	export etf.Export
	custom ResolveFunc
}

// ResolveFunc chooses which of two processes keeps a name. With keep false neither
// does. It runs while names are locked in both partitions, so it must be quick.
type ResolveFunc func(name etf.Term, a, b etf.Pid) (winner etf.Pid, keep bool)

// RandomExitName kills one of the processes: Erlang's default. (It is not random,
// but the one on the node with the greater name.)
func RandomExitName() Method { return Exported("global", "random_exit_name") }

// RandomNotifyName sends {global_name_conflict, Name} to the one that loses.
func RandomNotifyName() Method { return Exported("global", "random_notify_name") }

// NotifyAllName takes the name from both, and sends each {global_name_conflict,
// Name, OtherPid}.
func NotifyAllName() Method { return Exported("global", "notify_all_name") }

// Exported is a function of three arguments, Name, Pid1 and Pid2, that returns a
// pid or the atom none: of an Erlang module, or of what a Truss node Exports. The
// node of one of the processes must have it.
func Exported(module, function string) Method {
	return Method{export: etf.Export{Module: etf.Atom(module), Function: etf.Atom(function), Arity: 3}}
}

// Custom is a Go function, for names of processes of its own node.
func Custom(fn ResolveFunc) Method {
	return Method{export: etf.Export{Module: customModule, Function: "resolve", Arity: 3}, custom: fn}
}

// customModule is the module under which a node exports its Custom methods, all
// as one function.
const customModule = "truss_global"

// resolveTimeout bounds how long a method may take on another node.
const resolveTimeout = 10 * time.Second

// export makes callable what other nodes call: methods, above all.
func (g *Global) export() error {
	err := g.node.Export("global", truss.Funcs{
		"resolve_it": func(ctx context.Context, method, name etf.Term, a, b etf.Pid) etf.Term {
			return g.resolveIt(ctx, method, name, a, b)
		},
		"random_exit_name": func(ctx context.Context, name etf.Term, a, b etf.Pid) etf.Term {
			return g.builtin(ctx, "random_exit_name", name, a, b)
		},
		"random_notify_name": func(ctx context.Context, name etf.Term, a, b etf.Pid) etf.Term {
			return g.builtin(ctx, "random_notify_name", name, a, b)
		},
		"notify_all_name": func(ctx context.Context, name etf.Term, a, b etf.Pid) etf.Term {
			return g.builtin(ctx, "notify_all_name", name, a, b)
		},
		"whereis_name": func(name etf.Term) etf.Term {
			if pid, ok := g.WhereisName(name); ok {
				return pid
			}
			return etf.Atom("undefined")
		},
		"registered_names": func() etf.List {
			names := etf.List{}
			for _, r := range g.RegisteredNames() {
				names = append(names, r.Name)
			}
			return names
		},
	})
	if err != nil {
		return err
	}
	return g.node.Export(customModule, truss.Funcs{"resolve": g.resolveCustom})
}

func (g *Global) resolveCustom(name etf.Term, a, b etf.Pid) etf.Term {
	g.mu.Lock()
	fn := g.custom[key(name)]
	g.mu.Unlock()
	if fn == nil {
		return etf.Atom("none")
	}
	if winner, keep := fn(name, a, b); keep {
		return winner
	}
	return etf.Atom("none")
}

// builtin is one of global's own methods. They only send, so it does not matter
// where they run; nil means that there is no such method.
func (g *Global) builtin(ctx context.Context, function etf.Atom, name etf.Term, a, b etf.Pid) etf.Term {
	smaller, greater := a, b
	if b.Node <= a.Node {
		smaller, greater = b, a
	}
	conflict := etf.Atom("global_name_conflict")
	switch function {
	case "random_exit_name":
		_ = g.server.Exit(ctx, greater, etf.Atom("kill")) // who cannot be reached loses the name all the same
		return smaller
	case "random_notify_name":
		_ = g.node.Send(ctx, greater, etf.Tuple{conflict, name})
		return smaller
	case "notify_all_name":
		_ = g.node.Send(ctx, a, etf.Tuple{conflict, name, b})
		_ = g.node.Send(ctx, b, etf.Tuple{conflict, name, a})
		return etf.Atom("none")
	}
	return nil
}

// resolveIt runs a method here, as global:resolve_it/4. Of funs it knows those
// that name a function.
func (g *Global) resolveIt(ctx context.Context, method, name etf.Term, a, b etf.Pid) etf.Term {
	x, ok := method.(etf.Export)
	if !ok || x.Arity != 3 {
		return nil
	}
	if x.Module == "global" {
		return g.builtin(ctx, x.Function, name, a, b)
	}
	if !g.node.Exported(string(x.Module), string(x.Function), 3) {
		return nil
	}
	var result etf.Term = etf.Tuple{etf.Atom("EXIT"), etf.Atom("undef")}
	done := make(chan struct{})
	_, err := g.node.Spawn(func(ctx context.Context, p *truss.Process) error {
		defer close(done)
		value, err := p.Apply(ctx, string(x.Module), string(x.Function), etf.List{name, a, b})
		if err != nil {
			value = etf.Tuple{etf.Atom("EXIT"), err.Error()}
		}
		result = value
		return nil
	})
	if err != nil {
		return result
	}
	select {
	case <-done:
		return result
	case <-ctx.Done():
		return etf.Tuple{etf.Atom("EXIT"), etf.Atom("timeout")}
	}
}

// settle decides a conflict by the method of the process that this partition has
// under the name, on that process's node, as OTP does.
func (g *Global) settle(c *conflict) winner {
	ctx, cancel := context.WithTimeout(g.ctx, resolveTimeout)
	defer cancel()
	answer := g.runMethod(ctx, c)
	pid, isPid := answer.(etf.Pid)
	switch {
	case isPid && pid == c.his.pid:
		return winnerHis
	case isPid && pid == c.ours.pid:
		return winnerOurs
	case answer == nil:
		return winnerLost
	}
	return winnerNone
}

// runMethod runs the method where it can be run: a fun of the BEAM's on a BEAM,
// best the one that has the process. nil means nowhere.
func (g *Global) runMethod(ctx context.Context, c *conflict) etf.Term {
	method, home := c.ours.method, string(c.ours.pid.Node)
	x, named := method.(etf.Export)
	if named && (x.Module == "global" || home == g.node.Name()) {
		if answer := g.resolveIt(ctx, method, c.name, c.his.pid, c.ours.pid); answer != nil {
			return answer
		}
	}
	nodes := []string{home, string(c.his.pid.Node)}
	fun, isFun := method.(etf.Fun)
	if isFun {
		nodes = []string{home, string(fun.Pid.Node), string(c.his.pid.Node)}
	}
	for i, node := range nodes {
		if node == g.node.Name() || slices.Contains(nodes[:i], node) {
			continue
		}
		if answer, err := g.rpc(ctx, node, method, c); err == nil {
			return answer
		}
	}
	if isFun && fun.Module == "global" {
		// A method of Erlang's own, and no BEAM left to say which: the default.
		return g.builtin(ctx, "random_exit_name", c.name, c.his.pid, c.ours.pid)
	}
	return nil
}

// rpc calls global:resolve_it/4 on another node, by the rex that every BEAM has.
func (g *Global) rpc(ctx context.Context, node string, method etf.Term, c *conflict) (etf.Term, error) {
	request := etf.Tuple{etf.Atom("call"), etf.Atom("global"), etf.Atom("resolve_it"),
		etf.List{method, c.name, c.his.pid, c.ours.pid}, etf.Atom("user")}
	reply, err := truss.Call[etf.Term](truss.NoConnect(ctx), g.node, truss.Name{Name: "rex", Node: node}, request)
	if err != nil {
		return nil, err
	}
	t, ok := reply.(etf.Tuple)
	if ok && len(t) == 2 && (t[0] == etf.Term(etf.Atom("badrpc")) || t[0] == etf.Term(etf.Atom("EXIT"))) {
		return nil, fmt.Errorf("global: %s cannot resolve: %s", node, etf.Format(reply))
	}
	return reply, nil
}
