package truss_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// alone starts a node that talks to nobody, which is all these examples need.
func alone() *truss.Node {
	n, err := truss.Start(context.Background(), truss.Config{
		Name: "example@127.0.0.1", Cookie: "secret", NoListen: true, Hidden: true, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	return n
}

// Account is served by truss.Methods.
type Account struct{ balance int }

// Deposit answers {deposit, Amount}.
func (a *Account) Deposit(amount int) int { a.balance += amount; return a.balance }

// Withdraw answers {withdraw, Amount}.
func (a *Account) Withdraw(amount int) (int, error) {
	if amount > a.balance {
		return 0, errors.New("not enough")
	}
	a.balance -= amount
	return a.balance, nil
}

func ExampleMethods() {
	node := alone()
	defer node.Close()
	if _, err := node.Serve("account", truss.Methods(&Account{})); err != nil {
		panic(err)
	}
	// As GenServer.call({:account, node}, {:deposit, 10}) from Elixir.
	for _, request := range []etf.Tuple{
		{etf.Atom("deposit"), 10}, {etf.Atom("withdraw"), 3}, {etf.Atom("withdraw"), 30}, {etf.Atom("rob")},
	} {
		reply, err := truss.Call[etf.Term](context.Background(), node, "account", request)
		fmt.Println(etf.Format(reply), err)
	}
	// Output:
	// 10 <nil>
	// 7 <nil>
	// {error,<<"not enough">>} <nil>
	// {error,<<"*truss_test.Account has no method for rob/0">>} <nil>
}

func ExampleProcess_Alias() {
	node := alone()
	defer node.Close()
	done := make(chan struct{})
	_, err := node.Spawn(func(ctx context.Context, p *truss.Process) error {
		defer close(done)
		alias := p.Alias()
		_ = node.Send(ctx, alias, "in time")
		p.Unalias(alias)
		_ = node.Send(ctx, alias, "too late")
		_ = node.Send(ctx, p, "by pid")
		for range 2 {
			m, err := p.Receive(ctx)
			if err != nil {
				return err
			}
			fmt.Println(m)
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	<-done
	// Output:
	// <<"in time">>
	// <<"by pid">>
}
