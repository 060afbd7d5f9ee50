package play

import (
	"context"
	"errors"
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
	regions(ctx context.Context, t target) (map[string]string, error)
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

// apply calls a function by way of rex, which truss node has as well as every BEAM.
func apply(ctx context.Context, ask asker, t target, module, function string, args ...any) (etf.Term, error) {
	call := etf.Tuple{etf.Atom("call"), etf.Atom(module), etf.Atom(function), append(etf.List{}, args...), etf.Atom("user")}
	reply, err := ask.call(ctx, t, "rex", call)
	if err != nil {
		return nil, err
	}
	if bad, ok := reply.(etf.Tuple); ok && len(bad) == 2 && bad[0] == etf.Term(etf.Atom("badrpc")) {
		return nil, errors.New(reason(bad[1]))
	}
	return reply, nil
}

// reason is what a person wants to know of the reason of a badrpc: the text of an
// error of Go, if it is one.
func reason(t etf.Term) string {
	exit, _ := t.(etf.Tuple)
	if len(exit) == 2 && exit[0] == etf.Term(etf.Atom("EXIT")) {
		if failed, ok := exit[1].(etf.Tuple); ok && len(failed) == 2 {
			if text, ok := failed[0].([]byte); ok {
				return string(text)
			}
		}
	}
	return etf.Format(t)
}

// nodes asks for what Node.list/0 says there. The result is sorted.
func (v visitor) nodes(ctx context.Context, t target) ([]string, error) {
	reply, err := apply(ctx, v, t, "erlang", "nodes")
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

// regions asks a Go machine in which region it has each node, itself included.
func (v visitor) regions(ctx context.Context, t target) (map[string]string, error) {
	reply, err := apply(ctx, v, t, "truss", "regions")
	if err != nil {
		return nil, err
	}
	return readRegions(reply)
}

// readRegions turns #{Region => [Node]} round.
func readRegions(reply etf.Term) (map[string]string, error) {
	encoded, err := etf.Marshal(reply)
	if err != nil {
		return nil, err
	}
	var known map[string][]etf.Atom
	if err := etf.Unmarshal(encoded, &known); err != nil {
		return nil, fmt.Errorf("these are no regions: %s", etf.Format(reply))
	}
	in := map[string]string{}
	for region, nodes := range known {
		for _, node := range nodes {
			in[string(node)] = region
		}
	}
	return in, nil
}

// call calls a registered process of the node.
func (v visitor) call(ctx context.Context, t target, name string, request etf.Term) (etf.Term, error) {
	if err := v.node.ConnectAddr(ctx, t.node, t.addr); err != nil {
		return nil, err
	}
	return truss.Call[etf.Term](ctx, v.node, truss.Name{Name: name, Node: t.node}, request)
}
