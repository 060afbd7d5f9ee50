package play

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// target is a node to ask.
type target struct {
	node string
	addr string // HOST:PORT where it listens
}

func (m *machine) target() target {
	return target{m.Node, net.JoinHostPort(m.Addr.String(), strconv.Itoa(m.port))}
}

// asker asks nodes.
type asker interface {
	nodes(ctx context.Context, t target) ([]string, error)
	call(ctx context.Context, t target, name string, request etf.Term) (etf.Term, error)
}

// visitor asks as a hidden node: the machines do not list it, and it is not told
// what it did not ask.
type visitor struct{ node *truss.Node }

func newVisitor(ctx context.Context, s *site, cookie string, log *slog.Logger) (visitor, error) {
	node, err := truss.Start(ctx, truss.Config{
		Name: "play@" + s.visitorHost(), Cookie: cookie, Hidden: true, NoListen: true, AutoConnect: truss.AutoConnectNever, Logger: log,
	})
	return visitor{node}, err
}

// visitorHost is the host part in the name of the node that asks.
func (s *site) visitorHost() string {
	if s.oneAddress {
		return "play." + domain
	}
	return s.home.String()
}

func (v visitor) close() error { return v.node.Close() }

// nodes asks for what Node.list/0 says there, by way of rex, which truss node has
// as well as every BEAM. The result is sorted.
func (v visitor) nodes(ctx context.Context, t target) ([]string, error) {
	if err := v.node.ConnectAddr(ctx, t.node, t.addr); err != nil {
		return nil, err
	}
	request := etf.Tuple{etf.Atom("call"), etf.Atom("erlang"), etf.Atom("nodes"), etf.List{}, etf.Atom("user")}
	reply, err := truss.Call[etf.Term](ctx, v.node, truss.Name{Name: "rex", Node: t.node}, request)
	if err != nil {
		return nil, err
	}
	list, ok := reply.(etf.List)
	names := []string{}
	for _, element := range list {
		name, isAtom := element.(etf.Atom)
		ok = ok && isAtom
		names = append(names, string(name))
	}
	if !ok {
		return nil, fmt.Errorf("%s was asked for its nodes and answers %s", t.node, etf.Format(reply))
	}
	slices.Sort(names)
	return names, nil
}

// call calls a registered process of the node.
func (v visitor) call(ctx context.Context, t target, name string, request etf.Term) (etf.Term, error) {
	if err := v.node.ConnectAddr(ctx, t.node, t.addr); err != nil {
		return nil, err
	}
	return truss.Call[etf.Term](ctx, v.node, truss.Name{Name: name, Node: t.node}, request)
}
