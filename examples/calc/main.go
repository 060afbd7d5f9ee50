// Calc is the program on the first page of the README: a node that finds its
// peers by DNS and runs a server that Elixir can call.
//
//	go run ./calc
//
// It wants RELEASE_NODE and RELEASE_COOKIE, as an Elixir release does, and the
// DNS name of its cluster in DNS_CLUSTER_QUERY.
package main

import (
	"context"
	"log"
	"os/signal"
	"syscall"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/discovery"
	"github.com/truss-beam/truss/discovery/dns"
	"github.com/truss-beam/truss/global"
)

type Calc struct{ total int }

func (c *Calc) Add(a, b int) int {
	c.total += a + b
	return c.total
}

func setup(node *truss.Node) error {
	if _, err := global.Start(node, global.Config{}); err != nil {
		return err
	}
	_, err := node.Serve("calc", truss.Methods(&Calc{}))
	return err
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	node, err := truss.Start(ctx, truss.Config{Setup: setup}) // RELEASE_NODE, RELEASE_COOKIE
	if err != nil {
		return err
	}
	defer node.Close()
	go discovery.Run(ctx, node, dns.Strategy{}) // DNS_CLUSTER_QUERY

	<-ctx.Done()
	return nil
}
