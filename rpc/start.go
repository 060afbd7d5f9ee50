package rpc

import (
	"context"
	"fmt"
	"sync"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// started is the function of the module erpc by which a second Start knows the first,
// and waits for it. No erpc of OTP has it.
const started = "$truss_started"

// Start lets other nodes call what the node has exported, now or later, by erpc and
// rpc, until the node is closed. It may be called again, also at the same time, as
// global and region do: each returns when all is there. The error is that somebody
// else has taken a function of the module erpc, or the name rex.
func Start(node *truss.Node) error {
	// Whoever comes first starts rex. The function is kept where the node keeps those
	// it exports, so it is the node's own.
	startRex := sync.OnceValue(func() error {
		_, err := node.Spawn(func(ctx context.Context, p *truss.Process) error {
			return p.Serve(ctx, &rex{p})
		}, truss.Registered("rex"))
		return err
	})
	err := node.Export("erpc", truss.Funcs{"execute_call": executeCall, "execute_cast": executeCast, started: startRex})
	switch {
	case err == nil:
		err = startRex()
	case node.Exported("erpc", started, 0):
		err = node.Visit(func(p *truss.Process) error {
			_, err := p.Apply(context.Background(), "erpc", started, etf.List{})
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("rpc: start: %w", err)
	}
	return nil
}
