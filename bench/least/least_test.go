package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/bench/otp"
	"github.com/truss-beam/truss/epmd"
	"github.com/truss-beam/truss/etf"
)

// A node is told what it has sent.
func TestLeast(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &epmd.Server{Logger: slog.New(slog.DiscardHandler)}
	go server.Serve(t.Context(), listener)
	port := listener.Addr().(*net.TCPAddr).Port

	where, err := serve(contender.Job{EPMD: port, Name: "least@127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	node, err := truss.Start(t.Context(), truss.Config{
		Name: "sender@127.0.0.1", Cookie: otp.Cookie, Listen: "127.0.0.1", Epmd: fmt.Sprintf("127.0.0.1:%d", port),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Close() })
	binaries := contender.Binaries(100_000)
	for kind, message := range map[etf.Atom]func(i int) any{
		"tuple":  func(i int) any { return reading{N: uint64(i), State: "on"} },
		"binary": func(i int) any { return binaries[i%len(binaries)] },
	} {
		want := contender.Expected(string(kind), 1, 50)
		got, err := sendAndAsk(t.Context(), node, where, kind, 50, message)
		if err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", kind, got, err, want)
		}
	}
}

func sendAndAsk(ctx context.Context, node *truss.Node, peer string, kind etf.Atom, each int, message func(int) any) (got contender.Receipt, err error) {
	over := make(chan struct{})
	_, spawned := node.Spawn(func(ctx context.Context, p *truss.Process) error {
		defer close(over)
		err = func() error {
			if err := p.Send(ctx, truss.Name{Name: "sink", Node: peer}, start{From: p.PID(), Kind: kind, Receivers: 1, Each: uint64(each)}); err != nil {
				return err
			}
			m, err := p.Receive(ctx)
			if err != nil {
				return err
			}
			var ready struct {
				_    struct{} `etf:"ready,tuple"`
				Pids []etf.Pid
			}
			if err := m.Unmarshal(&ready); err != nil {
				return err
			}
			for i := range each {
				if err := p.Send(ctx, ready.Pids[0], message(i)); err != nil {
					return err
				}
			}
			if m, err = p.Receive(ctx); err != nil {
				return err
			}
			var done struct {
				_          struct{} `etf:"done,tuple"`
				Count, Sum uint64
			}
			err = m.Unmarshal(&done)
			got = contender.Receipt{Count: done.Count, Sum: done.Sum}
			return err
		}()
		return nil
	})
	if spawned != nil {
		return got, spawned
	}
	select {
	case <-over:
		return got, err
	case <-ctx.Done():
		return got, context.Cause(ctx)
	}
}
