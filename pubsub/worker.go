package pubsub

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/pg"
)

// group is the name of the pool's group and worker of a number from 1 on: as in
// Phoenix.PubSub 2.0, which had no pool, the first has no number.
func (ps *PubSub) group(number int) string {
	if number == 1 {
		return ps.adapter
	}
	return ps.adapter + "_" + strconv.Itoa(number)
}

// number is the inverse of group; 0 for what is no group of this PubSub.
func (ps *PubSub) number(group etf.Term) int {
	name, _ := group.(etf.Atom)
	rest, ok := strings.CutPrefix(string(name), ps.adapter)
	if !ok {
		return 0
	}
	if rest == "" {
		return 1
	}
	number, err := strconv.Atoi(strings.TrimPrefix(rest, "_"))
	if err != nil || number < 2 || number > maxPool || ps.group(number) != string(name) {
		return 0
	}
	return number
}

// follow keeps routes, and starts the workers that peers send to.
func (ps *PubSub) follow(events <-chan pg.Event) {
	ps.reroute() // what was there before the first event
	for e := range events {
		number := ps.number(e.Group)
		if number == 0 {
			continue
		}
		ps.reroute()
		if len(e.Joined) > 0 && !ps.config.PublishOnly {
			if err := ps.work(number); err != nil {
				ps.node.Logger().Error("pubsub: cannot receive what peers send", "group", ps.group(number), "error", err)
			}
		}
	}
	ps.routes.Store(&routes{})
	if ps.ctx.Err() == nil {
		ps.node.Logger().Error("pubsub: the pg scope has ended: nothing goes to other nodes any more", "pubsub", ps.config.Name)
	}
}

// reroute works out where broadcasts go. A node that lacks a group of the pool is
// sent to by the first, which all have.
func (ps *PubSub) reroute() {
	first := ps.remote(1)
	r := make(routes, ps.config.BroadcastPoolSize)
	r[0] = first
	for i := 1; i < len(r); i++ {
		r[i] = ps.remote(i + 1)
		there := make(map[etf.Atom]bool)
		for _, pid := range r[i] {
			there[pid.Node] = true
		}
		for _, pid := range first {
			if !there[pid.Node] {
				r[i] = append(r[i], pid)
			}
		}
	}
	ps.routes.Store(&r)
}

// remote returns the members of a group on other nodes.
func (ps *PubSub) remote(number int) []etf.Pid {
	var pids []etf.Pid
	for _, pid := range ps.scope.Members(etf.Atom(ps.group(number))) {
		if string(pid.Node) != ps.node.Name() {
			pids = append(pids, pid)
		}
	}
	return pids
}

// work starts a worker of the pool, if it does not run, and joins its group. One
// that somebody kills is started again, as Phoenix's supervisor does.
func (ps *PubSub) work(number int) error {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.closed || ps.workers[number] != nil {
		return nil
	}
	worker, err := ps.node.Spawn(ps.receive, truss.Registered(ps.group(number)))
	if err != nil {
		return err
	}
	ps.workers[number] = worker
	context.AfterFunc(worker.Context(), func() { ps.workerEnded(number) })
	return ps.scope.Join(etf.Atom(ps.group(number)), worker.PID())
}

func (ps *PubSub) workerEnded(number int) {
	ps.mu.Lock()
	delete(ps.workers, number)
	ps.mu.Unlock()
	if err := ps.work(number); err != nil && ps.ctx.Err() == nil && !errors.Is(err, truss.ErrClosed) && !errors.Is(err, pg.ErrClosed) {
		ps.node.Logger().Error("pubsub: worker cannot be started again", "group", ps.group(number), "error", err)
	}
}

// receive is the process of a worker.
func (ps *PubSub) receive(_ context.Context, p *truss.Process) error {
	p.TrapExit(true)
	unknown := make(map[string]bool)
	for {
		m, err := p.Receive(ps.ctx)
		if err != nil {
			return &truss.ExitError{Reason: etf.Atom("shutdown")}
		}
		f, err := readForward(m)
		switch {
		case err != nil:
			ps.node.Logger().Debug("pubsub: message ignored", "message", m, "error", err)
		case ps.knows(f.dispatcher):
			ps.forward(f)
		case !unknown[f.dispatcher] && len(unknown) < maxPool: // once each, and not for ever
			unknown[f.dispatcher] = true
			ps.node.Logger().Warn("pubsub: messages of a dispatcher that Config.Dispatchers does not name are lost", "dispatcher", f.dispatcher, "topic", f.topic)
		}
	}
}

// forward delivers what a peer has sent. A subscriber that panics loses its
// message for those behind it, and ends nothing.
func (ps *PubSub) forward(f forward) {
	defer func() {
		if r := recover(); r != nil {
			ps.node.Logger().Error("pubsub: a subscriber panicked", "topic", f.topic, "panic", r, "stack", string(debug.Stack()))
		}
	}()
	ps.dispatch(nil, f.topic, Message{Message: f.message}, f.dispatcher)
}

// forward is {forward_to_local, Topic, Message, Dispatcher}.
type forward struct {
	topic      string
	message    truss.Message
	dispatcher string
}

func forwardMessage(topic string, message any, dispatcher string) etf.Term {
	return etf.Tuple{etf.Atom("forward_to_local"), topic, message, etf.Atom(dispatcher)}
}

func readForward(m truss.Message) (forward, error) {
	var f forward
	if m.Tag() != "forward_to_local" {
		return f, errors.New("pubsub: no message of the protocol")
	}
	elements, err := m.Elements()
	if err != nil {
		return f, err
	}
	if len(elements) != 4 {
		return f, fmt.Errorf("pubsub: forward_to_local with %d elements", len(elements))
	}
	if err := elements[1].Unmarshal(&f.topic); err != nil {
		return f, err
	}
	f.message, f.dispatcher = elements[2], string(elements[3].Tag())
	return f, nil
}
