package global

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// connectTries is how often a connection to a node of the cluster is tried:
// OTP's default for global_connect_retries, and the first.
const connectTries = 6

// feed gives the machine an event and does what it wants done.
func (g *Global) feed(e event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.step(e)
}

// step is feed with mu held.
func (g *Global) step(e event) {
	if g.closed {
		return
	}
	for _, a := range g.machine.step(time.Now(), e) {
		g.act(a)
	}
}

// serve is global_name_server.
func (g *Global) serve(_ context.Context, p *truss.Process) error {
	defer g.stop()
	return g.receive(p, "global", g.received)
}

// receive has each message to a process acted on, until the process or g has ended.
func (g *Global) receive(p *truss.Process, name string, received func(etf.Term)) error {
	for {
		m, err := p.Receive(g.ctx)
		if err != nil {
			if g.ctx.Err() != nil {
				return nil
			}
			return err
		}
		term, err := m.Term()
		if err != nil {
			g.log().Warn(name+" got what is no term", "error", err)
			continue
		}
		received(term)
	}
}

func (g *Global) received(term etf.Term) {
	switch t := term.(type) {
	case truss.NodeEvent:
		switch {
		case t.Hidden:
		case t.Up:
			g.feed(nodeUp{t.Node})
		default:
			g.feed(nodeDown{t.Node})
		}
	case truss.Down:
		if pid, ok := t.Object.(etf.Pid); ok {
			g.feed(down{pid: pid, unreachable: t.Reason == etf.Term(etf.Atom("noconnection"))})
			g.forgetMonitor(pid)
		}
	default:
		g.receivedTerm(t)
	}
}

func (g *Global) receivedTerm(t etf.Term) {
	e, err := parse(t)
	switch {
	case err == nil:
		g.feed(e)
	case errors.Is(err, errIgnored):
	default:
		g.refuse(t)
	}
}

// refuse answers a call that means nothing to us, so that its caller does not
// wait in vain as OTP lets it, and logs anything else.
func (g *Global) refuse(t etf.Term) {
	g.log().Debug("global got an unexpected message", "message", etf.Format(t))
	if tuple, ok := t.(etf.Tuple); ok && len(tuple) == 3 && tuple[0] == etf.Term(etf.Atom("$gen_call")) {
		var r reader
		if from := r.caller(tuple[1]); !r.bad {
			g.mu.Lock()
			g.act(answer{to: from, reply: etf.Tuple{etf.Atom("error"), etf.Atom("notsup")}})
			g.mu.Unlock()
		}
	}
}

// stop ends everything with the server.
func (g *Global) stop() {
	g.cancel()
	g.mu.Lock()
	g.closed = true
	for _, t := range g.timers {
		t.Stop()
	}
	g.mu.Unlock()
	g.tasks.Wait()
}

// helper starts a process whose pid calls are made with. mu is held.
func (g *Global) helper() (*truss.Process, error) { return g.helperUntil(g.ctx) }

func (g *Global) helperUntil(until context.Context) (*truss.Process, error) {
	p, err := g.node.Spawn(func(_ context.Context, p *truss.Process) error {
		defer g.helperEnded(p.PID())
		for {
			m, err := p.Receive(until)
			if err != nil {
				return nil // until has ended, or the node
			}
			if term, err := m.Term(); err == nil {
				g.helped(p.PID(), term)
			}
		}
	})
	if err == nil {
		g.helpers[p.PID()] = p
	}
	return p, err
}

func (g *Global) helperEnded(pid etf.Pid) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.helpers, pid)
	for w := range g.watching {
		if w.helper == pid {
			delete(g.watching, w)
		}
	}
}

// helped is what a helper has received: the reply to a call, the end of who was
// called or, if it is the locker, an answer of a peer's locker that is sent to it
// directly.
func (g *Global) helped(pid etf.Pid, term etf.Term) {
	switch t := term.(type) {
	case truss.Down:
		if name, ok := t.Object.(truss.Name); ok {
			g.mu.Lock()
			delete(g.watching, watched{pid, name.Node})
			g.step(gone{as: pid, node: name.Node})
			g.mu.Unlock()
		}
	case etf.Tuple:
		if len(t) == 4 {
			if e, err := parse(t); err == nil && pid == g.locker.PID() {
				if lock, ok := e.(lockSet); ok {
					g.feed(lock)
				}
			}
			return
		}
		var r reader
		reply := r.tuple(t, 2, 2)
		if r.bad {
			return
		}
		tag := r.tuple(reply[0], 2, 2)
		if r.bad {
			return
		}
		if e := (replied{id: r.int(tag[0]), node: r.atom(tag[1]), reply: reply[1]}); !r.bad {
			g.feed(e)
		}
	}
}

// act does what the machine wants done. It never waits; mu is held.
func (g *Global) act(a action) {
	switch a := a.(type) {
	case send:
		g.post(a.node, func(ctx context.Context, _ *outbox) { g.send(ctx, a) })
	case call:
		g.post(a.node, func(ctx context.Context, _ *outbox) { g.call(ctx, a) })
	case answer:
		g.post(string(a.to.pid.Node), func(ctx context.Context, _ *outbox) {
			_ = g.server.Send(truss.NoConnect(ctx), a.to.address(), etf.Tuple{a.to.tag, a.reply}) // who is gone wants no answer
		})
	case monitor:
		g.post(string(a.pid.Node), func(ctx context.Context, box *outbox) { box.monitor(ctx, g, a.pid) })
	case demonitor:
		g.post(string(a.pid.Node), func(_ context.Context, box *outbox) { box.demonitor(g, a.pid) })
	case connect:
		g.tasks.Go(func() {
			err := g.connect(a)
			if errors.Is(err, truss.ErrClosed) {
				return // it is we who are gone: nobody is to hear that the peer is lost
			}
			g.feed(connected{connect: a, ok: err == nil})
		})
	case disconnect:
		g.tasks.Go(func() { _ = g.node.Disconnect(g.ctx, a.node) }) // that it is gone already is as good
	case resolve:
		g.tasks.Go(func() {
			for i := range a.conflicts {
				a.conflicts[i].winner = g.settle(&a.conflicts[i])
				g.log().Info("global name conflict", "name", etf.Format(a.conflicts[i].name), "peer", a.node)
			}
			g.feed(resolutions(a))
		})
	case startTimer:
		g.timers[a.id] = time.AfterFunc(a.after, func() { g.fire(a.id) })
	case stopTimer:
		g.timers[a.id].Stop()
		delete(g.timers, a.id)
	case note:
		g.log().Warn("global: "+a.text, a.args...)
	}
}

func (g *Global) fire(timer int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.timers, timer)
	g.step(fired{timer})
}

func (g *Global) log() *slog.Logger { return g.node.Logger() }

// connect connects to a node that is said to be in our cluster, if our node may connect
// by itself (truss.Config.AutoConnect), by saying what there is to say. Without that, the
// node was connected before, and is to be again.
func (g *Global) connect(a connect) (err error) {
	for range connectTries {
		if a.say != nil {
			err = g.server.Send(g.ctx, truss.Name{Name: serverName, Node: a.node}, a.say)
		} else {
			err = g.node.Connect(g.ctx, a.node)
		}
		switch {
		case err == nil || errors.Is(err, truss.ErrClosed):
			return err
		case g.ctx.Err() != nil:
			return truss.ErrClosed
		}
	}
	return err
}

func (g *Global) send(ctx context.Context, a send) {
	from := g.server
	if a.as == g.locker.PID() {
		from = g.locker
	}
	if !a.connect {
		ctx = truss.NoConnect(ctx)
	}
	var to any = truss.Name{Name: serverName, Node: a.node}
	if a.to != (etf.Pid{}) {
		to = a.to
	}
	_ = from.Send(ctx, to, a.msg) // as in Erlang: its loss is a nodedown, which arrives too
}

// call sends a gen_server call on behalf of a helper, which monitors the server
// called as long as its node is up.
func (g *Global) call(ctx context.Context, a call) {
	to := truss.Name{Name: serverName, Node: a.node}
	w := watched{a.as, a.node}
	g.mu.Lock()
	helper := g.helpers[a.as]
	watching := g.watching[w]
	if helper != nil {
		g.watching[w] = true
	}
	g.mu.Unlock()
	if helper == nil {
		return // its locks ended with it
	}
	if !watching {
		if _, err := helper.Monitor(ctx, to); err != nil {
			return
		}
	}
	_ = helper.Send(truss.NoConnect(ctx), to, a.message()) // the monitor tells
}

// message is the call as it is sent: a gen_server call, but for whereis, which is
// older than those.
func (a call) message() etf.Term {
	from := etf.Tuple{a.as, etf.Tuple{a.id, etf.Atom(a.node)}}
	if t, ok := a.request.(etf.Tuple); ok && t[0] == etf.Term(etf.Atom("whereis")) {
		return etf.Tuple{t[0], t[1], from}
	}
	return etf.Tuple{etf.Atom("$gen_call"), from, a.request}
}

// address is where a reply goes: to the alias in the tag, if there is one, else
// to the caller (gen.erl).
func (c caller) address() any {
	tag := c.tag
	for range 2 {
		l, ok := tag.(etf.ImproperList)
		if !ok || len(l.Elems) != 1 {
			break
		}
		if alias, ok := l.Tail.(etf.Ref); ok && l.Elems[0] == etf.Term(etf.Atom("alias")) {
			return alias
		}
		tag = l.Elems[0]
	}
	return c.pid
}
