package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func pingCommand(t *terminal) *cobra.Command {
	var j joinFlags
	cmd := &cobra.Command{
		Use:   "ping NODE",
		Short: "Connect to a node and see whether it answers",
		Long: `Ping connects to a node as net_adm:ping/1 and Node.ping/1 do, and prints pong,
the time the answer took, and the time it took to connect. Without an answer it
says at which step that failed, and exits with 1. With --json it prints

  {"node":"app@127.0.0.1","pong":true,"rtt_ms":0.285,"connect_ms":1.58}`,
		Example: `  truss ping app@127.0.0.1 --cookie secret
  truss ping app@fdaa:0:1::3 --timeout 2s --json`,
		Args: takes("NODE"),
		RunE: run(func(ctx context.Context, args []string) error {
			return j.visit(ctx, t, args[0], func(ctx context.Context, v *visit) error { return v.ping(ctx, t) })
		}),
	}
	j.register(cmd)
	return cmd
}

func (v *visit) ping(ctx context.Context, t *terminal) error {
	begin := time.Now()
	if err := v.node.Ping(ctx, v.peer); err != nil {
		return v.failed(ctx, v.peer+" is connected but does not answer", callCause(err), "")
	}
	took := time.Since(begin)
	text := fmt.Sprintf("pong from %s in %v (connected in %v)", v.peer, readable(took), readable(v.took))
	return t.print(text, struct {
		Node    string  `json:"node"`
		Pong    bool    `json:"pong"`
		Rtt     float64 `json:"rtt_ms"`
		Connect float64 `json:"connect_ms"`
	}{v.peer, true, milliseconds(took), milliseconds(v.took)})
}

// readable leaves out the digits that are noise.
func readable(d time.Duration) time.Duration {
	if d < time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(10 * time.Microsecond)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
