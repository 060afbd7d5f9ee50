package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/pubsub"
)

// driveBroadcast broadcasts to subscribers of the peers, or without peers to
// those of this node.
func driveBroadcast(j contender.Job) (contender.Figures, error) {
	node, err := start(j, j.Name)
	if err != nil {
		return nil, err
	}
	b := broadcaster{job: j}
	if j.Peer != "" {
		b.peers = strings.Split(j.Peer, ",")
	}
	for _, peer := range b.peers {
		if err := node.Connect(context.Background(), peer); err != nil {
			return nil, err
		}
	}
	if b.ps, err = startPubSub(node); err != nil {
		return nil, err
	}
	var figures contender.Figures
	err = within(node, func(ctx context.Context, p *truss.Process) error {
		figures, err = contender.Broadcasts(j, max(1, len(b.peers))*j.Subs, func(each int) (func() (contender.Receipt, error), error) {
			err := b.gather(ctx, p, each)
			return func() (contender.Receipt, error) { return b.broadcast(ctx, p, each) }, err
		})
		if err != nil {
			return err
		}
		return b.dismiss(ctx, p)
	})
	return figures, err
}

type broadcaster struct {
	job    contender.Job
	peers  []string
	ps     *pubsub.PubSub
	crowds []etf.Pid // that are subscribed
}

// gather has everybody subscribe, once those before are gone.
func (b *broadcaster) gather(ctx context.Context, p *truss.Process, each int) error {
	if err := b.dismiss(ctx, p); err != nil {
		return err
	}
	kind := functions
	if b.job.Payload == processes {
		kind = processes
	}
	if len(b.peers) == 0 {
		request := startReceivers{From: p.PID(), Kind: etf.Atom(kind), Receivers: b.job.Subs, Each: each}
		if err := startCrowd(p.Node(), b.ps, request); err != nil {
			return err
		}
		pids, err := awaitReady(ctx, p)
		b.crowds = pids
		return err
	}
	for _, peer := range b.peers {
		pids, err := begin(ctx, p, peer, etf.Atom(kind), b.job.Subs, each)
		if err != nil {
			return err
		}
		b.crowds = append(b.crowds, pids...)
	}
	for deadline := time.Now().Add(10 * time.Second); len(b.ps.Nodes()) < len(b.peers); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("broadcasts would reach %d nodes of %d", len(b.ps.Nodes()), len(b.peers))
		}
	}
	return nil
}

func (b *broadcaster) dismiss(ctx context.Context, p *truss.Process) error {
	for _, crowd := range b.crowds {
		if err := p.Send(ctx, crowd, etf.Atom("stop")); err != nil {
			return err
		}
	}
	_, err := receipts(ctx, p, len(b.crowds))
	b.crowds = nil
	return err
}

func (b *broadcaster) broadcast(ctx context.Context, p *truss.Process, each int) (contender.Receipt, error) {
	message := tupleMessages()
	for i := range each {
		if err := b.ps.Broadcast(ctx, topic, message(i)); err != nil {
			return contender.Receipt{}, err
		}
	}
	return receipts(ctx, p, len(b.crowds))
}
