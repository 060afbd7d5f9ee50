package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/etf"
)

func driveSend(j contender.Job) (contender.Figures, error) {
	node, err := connected(j)
	if err != nil {
		return nil, err
	}
	return contender.Flow(j, func(each int, payloads [][]byte) (contender.Receipt, error) {
		return flow(node, j, each, payloads)
	})
}

// within runs fn as a process of the node and returns when it has.
func within(node *truss.Node, fn truss.ProcessFunc) error {
	result := make(chan error, 1)
	_, err := node.Spawn(func(ctx context.Context, p *truss.Process) error {
		result <- fn(ctx, p)
		return nil
	})
	if err != nil {
		return err
	}
	return <-result
}

// begin asks the server for receivers.
func begin(ctx context.Context, p *truss.Process, peer string, kind etf.Atom, receivers, each int) ([]etf.Pid, error) {
	request := startReceivers{From: p.PID(), Kind: kind, Receivers: receivers, Each: each}
	if err := p.Send(ctx, truss.Name{Name: "sink", Node: peer}, request); err != nil {
		return nil, err
	}
	return awaitReady(ctx, p)
}

func awaitReady(ctx context.Context, p *truss.Process) ([]etf.Pid, error) {
	limited, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	m, err := p.Receive(limited)
	if err != nil {
		return nil, fmt.Errorf("the server does not answer: %w", err)
	}
	var reply ready
	return reply.Pids, m.Unmarshal(&reply)
}

// flow sends so many messages from each sender, each to a receiver of its own,
// and returns what the receivers confirm.
func flow(node *truss.Node, j contender.Job, each int, payloads [][]byte) (contender.Receipt, error) {
	var total contender.Receipt
	err := within(node, func(ctx context.Context, p *truss.Process) error {
		pids, err := begin(ctx, p, j.Peer, etf.Atom(j.Payload), j.Senders, each)
		if err != nil {
			return err
		}
		sent := make(chan error, len(pids))
		for _, to := range pids {
			go func() { sent <- within(node, sender(j, to, each, payloads)) }()
		}
		var errs error
		for range pids {
			errs = errors.Join(errs, <-sent)
		}
		if errs != nil {
			return errs
		}
		total, err = receipts(ctx, p, len(pids))
		return err
	})
	return total, err
}

func receipts(ctx context.Context, p *truss.Process, receivers int) (contender.Receipt, error) {
	var total contender.Receipt
	for range receivers {
		m, err := p.Receive(ctx)
		if err != nil {
			return total, err
		}
		var d done
		if err := m.Unmarshal(&d); err != nil {
			return total, err
		}
		total = total.Add(contender.Receipt{Count: d.Count, Sum: d.Sum})
	}
	return total, nil
}

func sender(j contender.Job, to etf.Pid, each int, payloads [][]byte) truss.ProcessFunc {
	message := tupleMessages()
	if j.Dynamic {
		message = dynamicMessage
	}
	if j.Payload == "binary" {
		boxed := make([]any, len(payloads))
		for i, b := range payloads {
			boxed[i] = b
		}
		message = func(i int) any { return boxed[i%len(boxed)] }
	}
	return func(ctx context.Context, p *truss.Process) error {
		var receiver any = to // Send takes anything; so it is made that once
		for i := range each {
			if err := p.Send(ctx, receiver, message(i)); err != nil {
				return err
			}
		}
		return nil
	}
}

// tupleMessages uses one struct again and again: what Send takes is encoded when it
// returns.
func tupleMessages() func(i int) any {
	r := &reading{State: "on"}
	return func(i int) any {
		r.N = uint64(i)
		return r
	}
}

func dynamicMessage(i int) any { return etf.Tuple{etf.Atom("reading"), i, etf.Atom("on")} }
