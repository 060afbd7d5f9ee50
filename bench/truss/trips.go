package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/rpc"
)

func driveTrips(j contender.Job) (contender.Figures, error) {
	node, err := connected(j)
	if err != nil {
		return nil, err
	}
	echo, err := startEcho(node, j)
	if err != nil {
		return nil, err
	}
	return contender.Trips(j, pinger(node, echo))
}

func startEcho(node *truss.Node, j contender.Job) (echo etf.Pid, err error) {
	err = within(node, func(ctx context.Context, p *truss.Process) error {
		pids, err := begin(ctx, p, j.Peer, "echo", 1, 0)
		if err == nil {
			echo = pids[0]
		}
		return err
	})
	return echo, err
}

// pinger makes round trips between a process here and the echo there.
func pinger(node *truss.Node, echo etf.Pid) contender.Caller {
	return func(work func(func() error) error) error {
		return within(node, func(ctx context.Context, p *truss.Process) error {
			var n uint64
			return work(func() error {
				n++
				if err := p.Send(ctx, echo, ping{From: p.PID(), N: n}); err != nil {
					return err
				}
				m, err := p.Receive(ctx)
				if err != nil {
					return err
				}
				var answer pong
				if err := m.Unmarshal(&answer); err != nil {
					return err
				}
				if answer.N != n {
					return fmt.Errorf("pong %d to ping %d", answer.N, n)
				}
				return nil
			})
		})
	}
}

// trip is one call by a process.
type trip func(ctx context.Context, p *truss.Process) error

// driveCalls calls a gen_server, each caller a process.
func driveCalls(j contender.Job) (contender.Figures, error) { return driveTrip(j, calcCall(j.Peer)) }

// driveERPC calls a function, each caller a process.
func driveERPC(j contender.Job) (contender.Figures, error) { return driveTrip(j, erpcCall(j.Peer)) }

func driveTrip(j contender.Job, call trip) (contender.Figures, error) {
	node, err := connected(j)
	if err != nil {
		return nil, err
	}
	return contender.Trips(j, func(work func(func() error) error) error {
		return within(node, func(ctx context.Context, p *truss.Process) error {
			return work(func() error { return call(ctx, p) })
		})
	})
}

func calcCall(peer string) trip {
	to := truss.Name{Name: "calc", Node: peer}
	return func(ctx context.Context, p *truss.Process) error {
		var sum int
		err := p.Call(ctx, to, add{A: 1, B: 2}, &sum)
		return cmp.Or(err, checked(sum))
	}
}

func erpcCall(peer string) trip {
	return func(ctx context.Context, p *truss.Process) error {
		sum, err := rpc.Call[int](ctx, p, peer, "erlang", "+", 1, 2)
		return cmp.Or(err, checked(sum))
	}
}

func checked(sum int) error {
	if sum != 3 {
		return fmt.Errorf("1 + 2 is %d", sum)
	}
	return nil
}

func driveMixed(j contender.Job) (contender.Figures, error) {
	node, err := connected(j)
	if err != nil {
		return nil, err
	}
	echo, err := startEcho(node, j)
	if err != nil {
		return nil, err
	}
	stream := j
	stream.Payload, stream.Senders = "binary", 1
	return contender.Mixed(j, func(count int, payloads [][]byte) (contender.Receipt, error) {
		return flow(node, stream, count, payloads)
	}, pinger(node, echo))
}
