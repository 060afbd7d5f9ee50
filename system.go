package truss

import (
	"context"

	"github.com/truss-beam/truss/etf"
)

// startSystem starts the processes a visible node owes its peers.
func (n *Node) startSystem() error {
	caller, err := n.visitor()
	if err != nil {
		return err
	}
	n.caller = caller
	if _, err = n.Serve("net_kernel", netKernel{}); err != nil {
		return err
	}
	return n.startIO()
}

// netKernel answers net_adm:ping: without it every pinger takes us for down, and
// disconnects (net_kernel.erl, is_auth).
type netKernel struct{}

func (netKernel) HandleCall(_ context.Context, _ From, request Message) (any, error) {
	if request.Tag() == "is_auth" {
		return etf.Atom("yes"), nil
	}
	return etf.Tuple{etf.Atom("error"), etf.Atom("badcall")}, nil
}

// Ping tells whether name answers, connecting to it if need be: net_adm:ping. A
// nil error is its pong.
func (n *Node) Ping(ctx context.Context, name string) error {
	if err := n.checkPeerName(name); err != nil {
		return err
	}
	if _, err := n.connect(ctx, name, ""); err != nil {
		return err
	}
	return n.Call(ctx, Name{Name: "net_kernel", Node: name}, etf.Tuple{etf.Atom("is_auth"), etf.Atom(n.name)}, nil)
}
