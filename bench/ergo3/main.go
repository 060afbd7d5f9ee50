// Command ergo3 is the contender Ergo 3 (ergo.services/ergo) with its own
// protocol, which BEAMs do not speak. Mailboxes are unlimited, its default.
package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"ergo.services/ergo"
	"ergo.services/ergo/act"
	"ergo.services/ergo/gen"
	"ergo.services/ergo/net/edf"
	"ergo.services/ergo/net/registrar"

	"github.com/truss-beam/truss/bench/internal/contender"
)

// The messages: see package contender. Ergo 3 has structs where Erlang has
// tuples, and wants them registered.
type (
	startReceivers struct {
		From      gen.PID
		Kind      string
		Receivers int
		Each      int
	}
	ready   struct{ Pids []gen.PID }
	done    struct{ Count, Sum uint64 }
	ping    struct{ N int64 }
	pong    struct{ N int64 }
	reading struct {
		N     int64
		State gen.Atom
	}
	add struct{ A, B int64 }
)

func main() {
	for _, v := range []any{startReceivers{}, ready{}, done{}, ping{}, pong{}, reading{}, add{}} {
		if err := edf.RegisterTypeOf(v); err != nil {
			panic(err) // a mistake in this program
		}
	}
	if err := edf.RegisterAtom("on"); err != nil {
		panic(err)
	}
	contender.Program{Serve: serve, Drive: drive}.Main()
}

func start(j contender.Job) (gen.Node, error) {
	var options gen.NodeOptions
	options.Network.Cookie = "truss_bench"
	options.Network.Registrar = registrar.Create(registrar.Options{Port: uint16(j.Port)})
	options.Network.Acceptors = []gen.AcceptorOptions{{Host: "127.0.0.1", Port: 15000, PortRange: 25000}} // its end, in fact
	options.Log.DefaultLogger.Output = io.Discard
	return ergo.StartNode(gen.Atom(j.Name), options)
}

func serve(j contender.Job) (string, error) {
	n, err := start(j)
	if err != nil {
		return "", err
	}
	if _, err := n.SpawnRegister("sink", func() gen.ProcessBehavior { return &sink{} }, gen.ProcessOptions{}); err != nil {
		return "", err
	}
	_, err = n.SpawnRegister("calc", func() gen.ProcessBehavior { return &calc{} }, gen.ProcessOptions{})
	return j.Name, err
}

type calc struct{ act.Actor }

func (*calc) HandleCall(_ gen.PID, _ gen.Ref, request any) (any, error) {
	r, ok := request.(add)
	if !ok {
		return nil, fmt.Errorf("unexpected %T", request)
	}
	return r.A + r.B, nil
}

type sink struct{ act.Actor }

func (s *sink) HandleMessage(_ gen.PID, message any) error {
	request, ok := message.(startReceivers)
	if !ok {
		return nil
	}
	var reply ready
	for range request.Receivers {
		pid, err := s.Spawn(func() gen.ProcessBehavior { return &receiver{request: request} }, gen.ProcessOptions{})
		if err != nil {
			return err
		}
		reply.Pids = append(reply.Pids, pid)
	}
	return s.Send(request.From, reply)
}

type receiver struct {
	act.Actor
	request startReceivers
	count   atomic.Uint64
	sum     uint64
	stop    func()
}

// stalled is what a receiver is told when nothing has come for a while.
type stalled struct{}

func (r *receiver) Init(...any) error {
	if r.request.Kind != "echo" {
		node, self := r.Node(), r.PID()
		r.stop = contender.Idle(&r.count, func() { _ = node.Send(self, stalled{}) })
	}
	return nil
}

func (r *receiver) HandleMessage(from gen.PID, message any) error {
	switch m := message.(type) {
	case ping:
		return r.Send(from, pong(m))
	case stalled:
		return r.confirm()
	case reading:
		r.sum += uint64(m.N)
	case []byte:
		r.sum += contender.Sum(m)
	default:
		return fmt.Errorf("unexpected %T", message)
	}
	if r.count.Add(1) < uint64(r.request.Each) {
		return nil
	}
	r.stop()
	return r.confirm()
}

func (r *receiver) confirm() error {
	if err := r.Send(r.request.From, done{Count: r.count.Load(), Sum: r.sum}); err != nil {
		return err
	}
	return gen.TerminateReasonNormal
}

func drive(j contender.Job) (contender.Figures, error) {
	n, err := start(j)
	if err != nil {
		return nil, err
	}
	if _, err := n.Network().GetNode(gen.Atom(j.Peer)); err != nil {
		return nil, err
	}
	d := &driver{node: n, job: j}
	switch j.Scenario {
	case "send":
		return contender.Flow(j, d.flow)
	case "rtt":
		return d.trips()
	case "call":
		return contender.Trips(j, d.caller)
	}
	return nil, fmt.Errorf("no scenario %q", j.Scenario)
}

// await is how long an answer may take.
const await = 20 * time.Second

type driver struct {
	node gen.Node
	job  contender.Job
}

// worker runs what it is sent inside an actor, where Ergo 3 allows sending and
// calling, and hands every other message to the driver.
type worker struct {
	act.Actor
	got chan any
}

type do func(*worker)

func (w *worker) HandleMessage(_ gen.PID, message any) error {
	if fn, ok := message.(do); ok {
		fn(w)
		return nil
	}
	w.got <- message
	return nil
}

func (d *driver) spawn() (gen.PID, *worker, error) {
	w := &worker{got: make(chan any, 16)}
	pid, err := d.node.Spawn(func() gen.ProcessBehavior { return w }, gen.ProcessOptions{})
	return pid, w, err
}

// within runs fn in a worker and returns when it has.
func (d *driver) within(pid gen.PID, fn func(*worker) error) error {
	result := make(chan error, 1)
	if err := d.node.Send(pid, do(func(w *worker) { result <- fn(w) })); err != nil {
		return err
	}
	return <-result
}

func next[T any](w *worker, limit time.Duration) (T, error) {
	var zero T
	select {
	case m := <-w.got:
		if t, ok := m.(T); ok {
			return t, nil
		}
		return zero, fmt.Errorf("%T came instead of %T", m, zero)
	case <-time.After(limit):
		return zero, fmt.Errorf("no %T has come", zero)
	}
}

func (d *driver) begin(kind string, receivers, each int) (gen.PID, *worker, []gen.PID, error) {
	pid, w, err := d.spawn()
	if err != nil {
		return pid, nil, nil, err
	}
	err = d.within(pid, func(w *worker) error {
		to := gen.ProcessID{Name: "sink", Node: gen.Atom(d.job.Peer)}
		return w.Send(to, startReceivers{From: pid, Kind: kind, Receivers: receivers, Each: each})
	})
	if err != nil {
		return pid, nil, nil, err
	}
	reply, err := next[ready](w, await)
	return pid, w, reply.Pids, err
}

func (d *driver) flow(each int, payloads [][]byte) (contender.Receipt, error) {
	var total contender.Receipt
	_, w, pids, err := d.begin(d.job.Payload, d.job.Senders, each)
	if err != nil {
		return total, err
	}
	sent := make(chan error, len(pids))
	for _, to := range pids {
		sender, _, err := d.spawn()
		if err != nil {
			return total, err
		}
		go func() {
			sent <- d.within(sender, func(w *worker) error { return send(w, d.job, to, each, payloads) })
		}()
	}
	for range pids {
		if err := <-sent; err != nil {
			return total, err
		}
	}
	for range pids {
		r, err := next[done](w, time.Minute)
		if err != nil {
			return total, err
		}
		total = total.Add(contender.Receipt(r))
	}
	return total, nil
}

func send(w *worker, j contender.Job, to gen.PID, each int, payloads [][]byte) error {
	for i := range each {
		var m any = payloads[i%len(payloads)]
		if j.Payload == "tuple" {
			m = reading{N: int64(i), State: "on"}
		}
		if err := w.Send(to, m); err != nil {
			return err
		}
	}
	return nil
}

// trips sends from inside the actor's handler of the answer before it, which is
// how an actor makes round trips: it cannot wait for a message.
func (d *driver) trips() (contender.Figures, error) {
	pid, _, pids, err := d.begin("echo", 1, 0)
	if err != nil {
		return nil, err
	}
	asker := &asker{to: pids[0], pongs: make(chan int64, 1)}
	if pid, err = d.node.Spawn(func() gen.ProcessBehavior { return asker }, gen.ProcessOptions{}); err != nil {
		return nil, err
	}
	var n int64
	return contender.Trips(d.job, func(work func(func() error) error) error {
		return work(func() error {
			n++
			if err := d.node.Send(pid, ping{N: n}); err != nil {
				return err
			}
			select {
			case got := <-asker.pongs:
				if got != n {
					return fmt.Errorf("pong %d to ping %d", got, n)
				}
				return nil
			case <-time.After(await):
				return fmt.Errorf("no pong has come")
			}
		})
	})
}

type asker struct {
	act.Actor
	to    gen.PID
	pongs chan int64
}

func (a *asker) HandleMessage(_ gen.PID, message any) error {
	switch m := message.(type) {
	case ping:
		return a.Send(a.to, m)
	case pong:
		a.pongs <- m.N
	}
	return nil
}

func (d *driver) caller(work func(func() error) error) error {
	pid, _, err := d.spawn()
	if err != nil {
		return err
	}
	to := gen.ProcessID{Name: "calc", Node: gen.Atom(d.job.Peer)}
	return d.within(pid, func(w *worker) error {
		return work(func() error {
			sum, err := w.Call(to, add{A: 1, B: 2})
			if err == nil && sum != int64(3) {
				err = fmt.Errorf("1 + 2 is %v", sum)
			}
			return err
		})
	})
}
