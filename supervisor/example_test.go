package supervisor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/supervisor"
)

func Example() {
	quiet := slog.New(slog.DiscardHandler)
	ctx := context.Background()
	node, err := truss.Start(ctx, truss.Config{
		Name: "example@127.0.0.1", Cookie: "secret", NoListen: true, Hidden: true, Logger: quiet,
	})
	if err != nil {
		panic(err)
	}
	defer node.Close()

	tries, ready := 0, make(chan bool)
	sup, err := node.Spawn(supervisor.New(supervisor.Config{Logger: quiet},
		supervisor.Child{Name: "worker", Run: func(ctx context.Context, p *truss.Process) error {
			tries++
			fmt.Println("try", tries)
			if tries < 3 {
				return errors.New("no luck")
			}
			close(ready)
			<-ctx.Done()
			fmt.Println("stopped:", context.Cause(ctx))
			return nil
		}},
	))
	if err != nil {
		panic(err)
	}
	<-ready
	fmt.Println(node.Stop(ctx, sup, etf.Atom("shutdown")))
	// Output:
	// try 1
	// try 2
	// try 3
	// stopped: exit: shutdown
	// <nil>
}
