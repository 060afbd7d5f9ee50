package rpc

import (
	"context"
	"fmt"

	"github.com/truss-beam/truss"
)

// Start lets other nodes call what the node has exported, now or later, by erpc and
// rpc, until the node is closed. A node that has erpc:execute_call/4 already is left as
// it is: global and region start rpc too. The error is that somebody else has taken
// the rest of the module erpc or the name rex.
func Start(node *truss.Node) error {
	functions := truss.Funcs{"execute_call": executeCall, "execute_cast": executeCast}
	if err := node.Export("erpc", functions); err != nil {
		if node.Exported("erpc", "execute_call", 4) {
			return nil
		}
		return fmt.Errorf("rpc: start: %w", err)
	}
	_, err := node.Spawn(func(ctx context.Context, p *truss.Process) error {
		return p.Serve(ctx, &rex{p})
	}, truss.Registered("rex"))
	if err != nil {
		return fmt.Errorf("rpc: start: %w", err)
	}
	return nil
}
