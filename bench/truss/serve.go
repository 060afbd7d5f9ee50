package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/pubsub"
	"github.com/truss-beam/truss/rpc"
)

func serve(j contender.Job) (string, error) {
	node, err := start(j, j.Name)
	if err != nil {
		return "", err
	}
	s := &server{node: node, dynamic: j.Dynamic}
	if _, err := node.Spawn(s.sink, truss.Registered("sink")); err != nil {
		return "", err
	}
	if _, err := node.Serve("calc", calc{}); err != nil {
		return "", err
	}
	return node.Name(), serveERPC(node)
}

type server struct {
	node    *truss.Node
	dynamic bool
	ps      *pubsub.PubSub // nil until somebody asks for subscribers
}

// serveERPC has the function that a driver of any system calls of an OTP server.
func serveERPC(node *truss.Node) error {
	if err := rpc.Start(node); err != nil {
		return err
	}
	return node.Export("erlang", truss.Funcs{"+": func(a, b int) int { return a + b }})
}

type calc struct{}

func (calc) HandleCall(_ context.Context, _ truss.From, request truss.Message) (any, error) {
	var r add
	if err := request.Unmarshal(&r); err != nil {
		return nil, err
	}
	return r.A + r.B, nil
}

func (s *server) sink(ctx context.Context, p *truss.Process) error {
	for {
		m, err := p.Receive(ctx)
		if err != nil {
			return err
		}
		switch m.Tag() {
		case "start":
			err = s.startReceivers(ctx, p, m)
		case "collect":
			err = s.collect(ctx, p, m)
		}
		if err != nil {
			return err
		}
	}
}

func (s *server) startReceivers(ctx context.Context, p *truss.Process, m truss.Message) error {
	var request startReceivers
	if err := m.Unmarshal(&request); err != nil {
		return err
	}
	if request.Kind == functions || request.Kind == processes {
		return s.startCrowd(request)
	}
	var reply ready
	for range request.Receivers {
		receiver, err := s.node.Spawn(s.receiver(request))
		if err != nil {
			return err
		}
		reply.Pids = append(reply.Pids, receiver.PID())
	}
	return p.Send(ctx, request.From, reply)
}

func (s *server) startCrowd(request startReceivers) error {
	if s.ps == nil {
		var err error
		if s.ps, err = startPubSub(s.node); err != nil {
			return err
		}
	}
	return startCrowd(s.node, s.ps, request)
}

func (s *server) collect(ctx context.Context, p *truss.Process, m truss.Message) error {
	var request collect
	if err := m.Unmarshal(&request); err != nil {
		return err
	}
	return p.Send(ctx, request.From, collected{Bytes: inUse()})
}

// inUse is what the program's heap and stacks take after a garbage collection
// that gives free memory back.
func inUse() uint64 {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func (s *server) receiver(request startReceivers) truss.ProcessFunc {
	if request.Kind == "echo" {
		return echo
	}
	read := readBinary
	if request.Kind == "tuple" {
		read = tupleReader()
		if s.dynamic {
			read = readDynamicTuple
		}
	}
	return func(ctx context.Context, p *truss.Process) error {
		limited, stop := context.WithCancel(ctx)
		defer stop()
		var count atomic.Uint64
		defer contender.Idle(&count, stop)()
		var sum uint64
		for count.Load() < uint64(request.Each) {
			m, err := p.Receive(limited)
			if err != nil {
				break // idle: say what came
			}
			n, err := read(m)
			if err != nil {
				return err
			}
			m.Release()
			sum += n
			count.Add(1)
		}
		return p.Send(ctx, request.From, done{Count: count.Load(), Sum: sum})
	}
}

func tupleReader() func(truss.Message) (uint64, error) {
	var r reading
	return func(m truss.Message) (uint64, error) {
		err := m.Unmarshal(&r)
		return r.N, err
	}
}

func readDynamicTuple(m truss.Message) (uint64, error) {
	t, err := m.Term()
	if err != nil {
		return 0, err
	}
	tuple, ok := t.(etf.Tuple)
	if !ok || len(tuple) != 3 {
		return 1 << 40, nil // none of ours: the checksum will tell
	}
	n, _ := tuple[1].(int64)
	return uint64(n), nil
}

func readBinary(m truss.Message) (uint64, error) {
	b, err := m.Bytes()
	return contender.Sum(b), err
}

func echo(ctx context.Context, p *truss.Process) error {
	for {
		m, err := p.Receive(ctx)
		if err != nil {
			return err
		}
		if m.Tag() == "stop" {
			return nil
		}
		var request ping
		if err := m.Unmarshal(&request); err != nil {
			return err
		}
		m.Release()
		if err := p.Send(ctx, request.From, pong{N: request.N}); err != nil {
			return err
		}
	}
}
