// Command ergo2 is the contender Ergo 2 (github.com/ergo-services/ergo), with its
// own implementation of Erlang distribution. Mailboxes hold 100 messages by
// default, and what does not fit is thrown away, so that nothing here could be
// measured: they are made as large as Ergo 2 allows, 65,535. What is lost then is
// shown as lost.
package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ergo-services/ergo"
	"github.com/ergo-services/ergo/etf"
	"github.com/ergo-services/ergo/gen"
	"github.com/ergo-services/ergo/node"
	"github.com/ergo-services/ergo/proto/dist"

	"github.com/truss-beam/truss/bench/internal/contender"
)

// cookie is otp.Cookie.
const cookie = "truss_bench"

func main() {
	contender.Program{Serve: serve, Drive: drive}.Main()
}

func start(j contender.Job) (node.Node, error) {
	return ergo.StartNode(j.Name, cookie, node.Options{
		Registrar: dist.CreateRegistrarWithRemoteEPMD("127.0.0.1", uint16(j.EPMD)),
		Listeners: []node.Listener{{Hostname: "127.0.0.1", ListenBegin: 15000, ListenEnd: 65000}},
		Proto:     dist.CreateProto(protoOptions()),
		// It would tell its makers about every node.
		System: node.System{DisableAnonMetrics: true},
	})
}

// protoOptions are the defaults, but for shorter fragments: see "What favours whom"
// in the README.
func protoOptions() node.ProtoOptions {
	o := node.DefaultProtoOptions()
	o.FragmentationUnit = 60_000
	return o
}

var large = gen.ProcessOptions{MailboxSize: 65535}

func serve(j contender.Job) (string, error) {
	n, err := start(j)
	if err != nil {
		return "", err
	}
	if _, err := n.Spawn("sink", large, &sink{node: n}); err != nil {
		return "", err
	}
	_, err = n.Spawn("calc", large, &calc{})
	return j.Name, err
}

type calc struct{ gen.Server }

func (*calc) HandleCall(_ *gen.ServerProcess, _ gen.ServerFrom, message etf.Term) (etf.Term, gen.ServerStatus) {
	t, ok := message.(etf.Tuple)
	if !ok || len(t) != 3 {
		return etf.Atom("badarg"), gen.ServerStatusOK
	}
	return integer(t[1]) + integer(t[2]), gen.ServerStatusOK
}

// sink starts receivers: see package contender for the messages.
type sink struct {
	gen.Server
	node node.Node
}

func (s *sink) HandleInfo(p *gen.ServerProcess, message etf.Term) gen.ServerStatus {
	t, ok := message.(etf.Tuple)
	if !ok || len(t) != 5 || t[0] != etf.Atom("start") {
		return gen.ServerStatusOK
	}
	from, _ := t[1].(etf.Pid)
	var pids etf.List
	for range integer(t[3]) {
		kind, _ := t[2].(etf.Atom)
		process, err := s.node.Spawn("", large, &receiver{from: from, kind: kind, each: uint64(integer(t[4]))})
		if err != nil {
			return err
		}
		pids = append(pids, process.Self())
	}
	return p.Send(from, etf.Tuple{etf.Atom("ready"), pids})
}

type receiver struct {
	gen.Server
	from  etf.Pid
	kind  etf.Atom
	each  uint64
	count atomic.Uint64
	sum   atomic.Uint64
	said  atomic.Bool
	stop  func()
}

func (r *receiver) Init(p *gen.ServerProcess, _ ...etf.Term) error {
	if r.kind != "echo" {
		r.stop = contender.Idle(&r.count, func() { _ = r.done(p) })
	}
	return nil
}

func (r *receiver) HandleInfo(p *gen.ServerProcess, message etf.Term) gen.ServerStatus {
	if r.kind == "echo" {
		if t, ok := message.(etf.Tuple); ok && len(t) == 3 {
			return p.Send(t[1], etf.Tuple{etf.Atom("pong"), t[2]})
		}
		return gen.ServerStatusStop
	}
	r.sum.Add(read(message))
	if r.count.Add(1) < r.each {
		return gen.ServerStatusOK
	}
	r.stop()
	if err := r.done(p); err != nil {
		return err
	}
	return gen.ServerStatusStop
}

func (r *receiver) done(p *gen.ServerProcess) error {
	if r.said.Swap(true) {
		return nil
	}
	return p.Send(r.from, etf.Tuple{etf.Atom("done"), r.count.Load(), r.sum.Load()})
}

func read(message etf.Term) uint64 {
	switch m := message.(type) {
	case []byte:
		return contender.Sum(m)
	case etf.Tuple:
		if len(m) == 3 {
			return uint64(integer(m[1]))
		}
	}
	return 1 << 40 // none of ours
}

func integer(t etf.Term) int64 {
	switch n := t.(type) {
	case int:
		return int64(n)
	case int64:
		return n
	case uint64:
		return int64(n)
	}
	return -1
}

func drive(j contender.Job) (contender.Figures, error) {
	n, err := start(j)
	if err != nil {
		return nil, err
	}
	if err := n.Connect(j.Peer); err != nil {
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
	node node.Node
	job  contender.Job
}

// client is a process that hands its messages to the driver.
type client struct {
	gen.Server
	got chan etf.Tuple
}

func (c *client) HandleInfo(_ *gen.ServerProcess, message etf.Term) gen.ServerStatus {
	if t, ok := message.(etf.Tuple); ok {
		c.got <- t
	}
	return gen.ServerStatusOK
}

func (c *client) next(tag etf.Atom, limit time.Duration) (etf.Tuple, error) {
	select {
	case t := <-c.got:
		if len(t) > 1 && t[0] == tag {
			return t, nil
		}
		return nil, fmt.Errorf("%v came instead of %s", t, tag)
	case <-time.After(limit):
		return nil, fmt.Errorf("no %s has come", tag)
	}
}

func (d *driver) begin(kind etf.Atom, receivers, each int) (*client, gen.Process, etf.List, error) {
	c := &client{got: make(chan etf.Tuple, 16)}
	p, err := d.node.Spawn("", large, c)
	if err != nil {
		return nil, nil, nil, err
	}
	sink := gen.ProcessID{Name: "sink", Node: d.job.Peer}
	if err := p.Send(sink, etf.Tuple{etf.Atom("start"), p.Self(), kind, receivers, each}); err != nil {
		return nil, nil, nil, err
	}
	t, err := c.next("ready", await)
	if err != nil {
		return nil, nil, nil, err
	}
	pids, _ := t[1].(etf.List)
	if len(pids) != receivers {
		return nil, nil, nil, fmt.Errorf("%d receivers instead of %d", len(pids), receivers)
	}
	return c, p, pids, nil
}

func (d *driver) flow(each int, payloads [][]byte) (contender.Receipt, error) {
	var total contender.Receipt
	c, _, pids, err := d.begin(etf.Atom(d.job.Payload), d.job.Senders, each)
	if err != nil {
		return total, err
	}
	sent := make(chan error, len(pids))
	for _, to := range pids {
		p, err := d.node.Spawn("", gen.ProcessOptions{}, &sender{})
		if err != nil {
			return total, err
		}
		go func() {
			_, err := p.DirectWithTimeout(work{to: to, each: each, job: d.job, payloads: payloads}, 120)
			sent <- err
		}()
	}
	for range pids {
		if err := <-sent; err != nil {
			return total, err
		}
	}
	for range pids {
		t, err := c.next("done", time.Minute)
		if err != nil {
			return total, err
		}
		total = total.Add(contender.Receipt{Count: uint64(integer(t[1])), Sum: uint64(integer(t[2]))})
	}
	return total, nil
}

type work struct {
	to       etf.Term
	each     int
	job      contender.Job
	payloads [][]byte
}

// sender is a process that sends what it is asked to.
type sender struct{ gen.Server }

func (*sender) HandleDirect(p *gen.ServerProcess, _ etf.Ref, message interface{}) (interface{}, gen.DirectStatus) {
	w, ok := message.(work)
	if !ok {
		return nil, fmt.Errorf("unexpected %T", message)
	}
	for i := range w.each {
		var m etf.Term = w.payloads[i%len(w.payloads)]
		if w.job.Payload == "tuple" {
			m = etf.Tuple{etf.Atom("reading"), i, etf.Atom("on")}
		}
		if err := p.Send(w.to, m); err != nil {
			return nil, err
		}
	}
	return nil, gen.DirectStatusOK
}

func (d *driver) trips() (contender.Figures, error) {
	c, p, pids, err := d.begin("echo", 1, 0)
	if err != nil {
		return nil, err
	}
	n := 0
	return contender.Trips(d.job, func(work func(func() error) error) error {
		return work(func() error {
			n++
			if err := p.Send(pids[0], etf.Tuple{etf.Atom("ping"), p.Self(), n}); err != nil {
				return err
			}
			t, err := c.next("pong", await)
			if err == nil && integer(t[1]) != int64(n) {
				err = fmt.Errorf("pong %v to ping %d", t[1], n)
			}
			return err
		})
	})
}

// caller makes calls inside a process, where Ergo 2 allows them.
func (d *driver) caller(work func(func() error) error) error {
	p, err := d.node.Spawn("", gen.ProcessOptions{}, &caller{})
	if err != nil {
		return err
	}
	_, err = p.DirectWithTimeout(func(sp *gen.ServerProcess) error {
		return work(func() error {
			sum, err := sp.Call(gen.ProcessID{Name: "calc", Node: d.job.Peer}, etf.Tuple{etf.Atom("add"), 1, 2})
			if err == nil && integer(sum) != 3 {
				err = fmt.Errorf("1 + 2 is %v", sum)
			}
			return err
		})
	}, 120)
	return err
}

type caller struct{ gen.Server }

func (*caller) HandleDirect(p *gen.ServerProcess, _ etf.Ref, message interface{}) (interface{}, gen.DirectStatus) {
	do, ok := message.(func(*gen.ServerProcess) error)
	if !ok {
		return nil, fmt.Errorf("unexpected %T", message)
	}
	return nil, do(p)
}
