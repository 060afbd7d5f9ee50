package global

import (
	"context"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// The global_group of a node without global groups, as OTP's is by default. BEAMs that
// are configured with groups ask it whether we agree on them: we do not, and they then
// share no names with us. Any BEAM may ask it for our names. Without an answer each of
// these would wait for ever.

const groupName = "global_group"

// serveGroup is global_group.
func (g *Global) serveGroup(_ context.Context, p *truss.Process) error {
	return g.receive(p, groupName, g.groupReceived)
}

// groupReceived acts on a message; one that means nothing has no effect, as in OTP.
func (g *Global) groupReceived(term etf.Term) {
	t, _ := term.(etf.Tuple) // else of no length below
	var r reader
	switch {
	case len(t) == 2 && t[0] == etf.Term(etf.Atom("disconnect_node")):
		// It is in a group that we are not in.
		if node := r.atom(t[1]); !r.bad {
			g.feed(apart{node})
		}
	case len(t) == 2 && t[0] == etf.Term(etf.Atom("$gen_cast")):
		if request := r.tuple(t[1], 2, 8); !r.bad {
			g.groupCast(request)
		}
	case len(t) == 3 && t[0] == etf.Term(etf.Atom("$gen_call")):
		if from := r.caller(t[1]); !r.bad {
			g.groupSay(string(from.pid.Node), from.address(), etf.Tuple{from.tag, etf.Tuple{etf.Atom("illegal_message"), t[2]}})
		}
	}
}

func (g *Global) groupCast(t etf.Tuple) {
	var r reader
	switch r.atom(t[0]) {
	case "conf_check": // Vsn, Node, From, sync, the name of their group, its nodes
		if len(t) >= 7 {
			g.groupCheck(t)
		}
	case "registered_names": // User
		if user := r.pid(t[1]); !r.bad {
			names := etf.List{}
			for _, n := range g.RegisteredNames() {
				names = append(names, n.Name)
			}
			g.groupSay(string(user.Node), user, etf.Tuple{etf.Atom("registered_names_res"), names})
		}
	case "find_name": // User, Name
		user := r.pid(t[1])
		if r.bad || len(t) != 3 {
			return
		}
		var found etf.Term = etf.Atom("undefined")
		if pid, ok := g.WhereisName(t[2]); ok {
			found = pid
		}
		g.groupSay(string(user.Node), user, etf.Tuple{etf.Atom("find_name_res"), found})
	}
}

// groupCheck tells a node that we do not agree on groups with it.
func (g *Global) groupCheck(t etf.Tuple) {
	var r reader
	node := r.atom(t[2])
	if r.bad {
		return
	}
	var to any = truss.Name{Name: "global_group_check", Node: node}
	if vsn, ok := t[1].(int64); ok && vsn >= 3 {
		if from, ok := t[3].(etf.Tuple); ok && len(from) == 2 {
			to = r.pid(from[0])
		}
	}
	if r.bad {
		return
	}
	g.groupSay(node, truss.Name{Name: groupName, Node: node}, etf.Tuple{etf.Atom("disconnect_node"), etf.Atom(g.node.Name())})
	g.groupSay(node, to, etf.Tuple{etf.Atom("config_error"), t[1], t[3], etf.Atom(g.node.Name())})
	g.feed(apart{node})
}

// groupSay sends as global_group.
func (g *Global) groupSay(node string, to any, msg etf.Term) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.post(node, func(ctx context.Context, _ *outbox) {
		_ = g.group.Send(truss.NoConnect(ctx), to, msg) // who is gone wants no answer
	})
}
