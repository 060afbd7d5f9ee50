package global

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/truss-beam/truss/etf"
)

// sim is a cluster of machines without nodes: a network in which messages take a
// millisecond, a clock, and a trace of what is sent. The same script gives the
// same trace.
type sim struct {
	nodes map[string]*simNode
	links map[[2]string]bool // connections, both ways
	cut   map[[2]string]bool
	slow  map[[2]string]bool // who can be connected only slowConnect after that was begun
	now   time.Time
	seq   int
	queue []occurrence
	out   strings.Builder
	trace bool
	traps []trap
	each  func(from, to, kind string) (victim string) // sees each message about to be sent, and may have a node die
	mute  map[string]bool                             // nodes whose messages are held back though their connections stay
	held  []func()
}

// slowConnect is shorter than the wait for an answer to a call.
const slowConnect = 5 * time.Second

type simNode struct {
	*machine
	name    string
	dead    bool
	timers  map[int64]bool
	watches map[etf.Pid]bool
	ended   map[etf.Pid]bool
	serial  uint32
}

// occurrence is something that is to happen to a node.
type occurrence struct {
	at   time.Time
	seq  int
	node *simNode
	do   func(*simNode)
	link bool // it came over the connection with from, and is lost with it
	from string
}

// trap kills a node when a message of a kind is about to be sent, or without a
// victim holds back what the sender sends from then on.
type trap struct{ kind, from, to, victim string }

func newSim() *sim {
	s := new(sim)
	s.reset()
	return s
}

func (s *sim) reset() {
	s.nodes, s.links, s.cut, s.slow = make(map[string]*simNode), make(map[[2]string]bool), make(map[[2]string]bool), make(map[[2]string]bool)
	s.each = nil
	s.now, s.queue, s.traps, s.trace, s.mute, s.held = time.Unix(0, 0), nil, nil, false, make(map[string]bool), nil
}

func (s *sim) boot(name string) {
	creation := uint32(1)
	if old := s.nodes[name]; old != nil {
		creation = old.locker.Creation + 1
	}
	pid := func(id uint32) etf.Pid { return etf.Pid{Node: etf.Atom(name), ID: id, Creation: creation} }
	m := newMachine(name, pid(1), pid(2), rand.New(rand.NewPCG(uint64(name[0]), uint64(creation))))
	s.nodes[name] = &simNode{machine: m, name: name, timers: make(map[int64]bool), watches: make(map[etf.Pid]bool), ended: make(map[etf.Pid]bool), serial: 10}
}

func (n *simNode) newPid() etf.Pid {
	n.serial++
	return etf.Pid{Node: etf.Atom(n.name), ID: n.serial, Creation: n.locker.Creation}
}

func (s *sim) sorted() []*simNode {
	var all []*simNode
	for _, name := range sorted(s.nodes) {
		all = append(all, s.nodes[name])
	}
	return all
}

func pair(a, b string) [2]string { return [2]string{min(a, b), max(a, b)} }

func (s *sim) later(n *simNode, d time.Duration, do func(*simNode)) {
	s.seq++
	s.queue = append(s.queue, occurrence{at: s.now.Add(d), seq: s.seq, node: n, do: do})
}

// overLink delivers to a node what another one has sent, unless the connection
// is lost before.
func (s *sim) overLink(from, to string, do func(*simNode)) {
	if s.mute[from] {
		s.held = append(s.held, func() { s.overLink(from, to, do) })
		return
	}
	s.later(s.nodes[to], time.Millisecond, do)
	s.queue[len(s.queue)-1].link, s.queue[len(s.queue)-1].from = true, from
}

func (s *sim) feed(n *simNode, e event) {
	if n.dead {
		return
	}
	for _, a := range n.step(s.now, e) {
		if n.dead {
			return
		}
		s.act(n, a)
	}
}

// run lets time pass until there is nothing to do, or the limit.
func (s *sim) run(limit time.Duration) (quiet bool) {
	end := s.now.Add(limit)
	for len(s.queue) > 0 {
		i := 0
		for j, o := range s.queue {
			if c := o.at.Compare(s.queue[i].at); c < 0 || c == 0 && o.seq < s.queue[i].seq {
				i = j
			}
		}
		o := s.queue[i]
		if o.at.After(end) {
			s.now = end
			return false
		}
		s.queue = slices.Delete(s.queue, i, i+1)
		s.now = o.at
		if !o.node.dead {
			o.do(o.node)
		}
	}
	s.now = end
	return true
}

func (s *sim) connected(a, b string) bool { return s.links[pair(a, b)] }

// link connects two nodes, if that is possible.
func (s *sim) link(a, b string) bool {
	if s.connected(a, b) {
		return true
	}
	if a == b || s.nodes[b] == nil || s.nodes[a].dead || s.nodes[b].dead || s.cut[pair(a, b)] || s.slow[pair(a, b)] {
		return false
	}
	s.links[pair(a, b)] = true
	s.later(s.nodes[a], 0, func(n *simNode) { s.feed(n, nodeUp{b}) })
	s.later(s.nodes[b], 0, func(n *simNode) { s.feed(n, nodeUp{a}) })
	return true
}

// unlink ends a connection: what is under way is lost, monitors fire, and then
// both hear of it.
func (s *sim) unlink(a, b string) {
	if !s.connected(a, b) {
		return
	}
	delete(s.links, pair(a, b))
	s.queue = slices.DeleteFunc(s.queue, func(o occurrence) bool {
		return o.link && (o.node.name == a && o.from == b || o.node.name == b && o.from == a)
	})
	for _, side := range [][2]string{{a, b}, {b, a}} {
		n, peer := s.nodes[side[0]], side[1]
		s.later(n, 0, func(n *simNode) {
			var downs []etf.Pid
			for pid := range n.watches {
				if string(pid.Node) == peer {
					downs = append(downs, pid)
				}
			}
			slices.SortFunc(downs, func(a, b etf.Pid) int { return cmp.Compare(a.ID, b.ID) })
			for _, pid := range downs {
				delete(n.watches, pid)
				s.feed(n, down{pid: pid, unreachable: true})
			}
			for _, as := range []etf.Pid{n.locker, n.registrar} {
				s.feed(n, gone{as, peer})
			}
			s.feed(n, nodeDown{peer})
		})
	}
}

// kill ends a node.
func (s *sim) kill(name string) {
	s.nodes[name].dead = true
	for _, other := range sorted(s.nodes) {
		s.unlink(name, other)
	}
	s.printf("%s dies", name)
}

// end ends a process.
func (s *sim) end(pid etf.Pid) {
	home := s.nodes[string(pid.Node)]
	home.ended[pid] = true
	for _, n := range s.sorted() {
		if n.watches[pid] && (n == home || s.connected(n.name, home.name)) {
			delete(n.watches, pid)
			s.later(n, time.Millisecond, func(n *simNode) { s.feed(n, down{pid: pid}) })
		}
	}
}

func (s *sim) printf(format string, args ...any) {
	at := s.now.Sub(time.Unix(0, 0)).Seconds()
	fmt.Fprintf(&s.out, "%8.3f "+format+"\n", append([]any{at}, args...)...)
}

// sending notes a message, and tells whether its sender is still alive to send it.
func (s *sim) sending(n *simNode, to, kind string) bool {
	if s.each != nil {
		if victim := s.each(n.name, to, kind); victim != "" && !s.nodes[victim].dead {
			s.kill(victim)
			if victim == n.name {
				return false
			}
		}
	}
	for i, t := range s.traps {
		if t.kind == kind && t.from == n.name && t.to == to {
			s.traps = slices.Delete(s.traps, i, i+1)
			if t.victim != n.name && t.victim != "" && s.trace {
				s.printf("%s > %s %s", n.name, to, kind)
			}
			if t.victim == "" {
				s.mute[n.name] = true
				return true
			}
			s.kill(t.victim)
			return false
		}
	}
	if s.trace {
		s.printf("%s > %s %s", n.name, to, kind)
	}
	return true
}

func (s *sim) act(n *simNode, a action) {
	switch a := a.(type) {
	case send:
		s.send(n, a)
	case call:
		if !s.link(n.name, a.node) {
			s.later(n, 0, func(n *simNode) { s.feed(n, gone{a.as, a.node}) })
			return
		}
		if !s.sending(n, a.node, kindOf(a.request)) {
			return
		}
		s.deliver(n.name, a.node, a.message())
	case answer:
		tag := a.to.tag.(etf.Tuple)
		to := string(a.to.pid.Node)
		if s.connected(n.name, to) {
			s.overLink(n.name, to, func(n *simNode) {
				s.feed(n, replied{id: tag[0].(int64), node: string(tag[1].(etf.Atom)), reply: a.reply})
			})
		}
	case monitor:
		home := s.nodes[string(a.pid.Node)]
		switch {
		case home != n && !s.link(n.name, home.name):
			s.later(n, 0, func(n *simNode) { s.feed(n, down{pid: a.pid, unreachable: true}) })
			return
		case home.ended[a.pid] || a.pid.Creation != home.locker.Creation:
			s.later(n, 0, func(n *simNode) { s.feed(n, down{pid: a.pid}) })
			return
		}
		n.watches[a.pid] = true
	case demonitor:
		delete(n.watches, a.pid)
	case connect:
		takes := time.Millisecond
		if s.slow[pair(n.name, a.node)] {
			takes = slowConnect
		}
		s.later(n, takes, func(n *simNode) {
			delete(s.slow, pair(n.name, a.node))
			ok := s.link(n.name, a.node)
			if ok && a.say != nil {
				s.act(n, send{node: a.node, msg: a.say})
			}
			s.later(n, 0, func(n *simNode) { s.feed(n, connected{connect: a, ok: ok}) })
		})
	case disconnect:
		if s.trace {
			s.printf("%s disconnects %s", n.name, a.node)
		}
		s.unlink(n.name, a.node)
	case resolve:
		for i, c := range a.conflicts { // as random_exit_name
			a.conflicts[i].winner = winnerOurs
			loser := c.his.pid
			if c.his.pid.Node < c.ours.pid.Node {
				a.conflicts[i].winner, loser = winnerHis, c.ours.pid
			}
			s.printf("%s resolves %s: that of %s dies", n.name, etf.Format(c.name), loser.Node)
			s.end(loser)
		}
		s.later(n, time.Millisecond, func(n *simNode) {
			s.feed(n, resolutions(a))
		})
	case startTimer:
		n.timers[a.id] = true
		s.later(n, a.after, func(n *simNode) {
			if n.timers[a.id] {
				delete(n.timers, a.id)
				s.feed(n, fired{a.id})
			}
		})
	case stopTimer:
		delete(n.timers, a.id)
	case note:
		s.printf("%s: %s %v", n.name, a.text, a.args)
	}
}

func (s *sim) send(n *simNode, a send) {
	if !s.connected(n.name, a.node) && !(a.connect && s.link(n.name, a.node)) {
		return
	}
	msg := a.msg.(etf.Tuple)
	kind := kindOf(msg)
	if msg[0] == etf.Term(etf.Atom("$gen_cast")) {
		kind = kindOf(msg[1])
	}
	if strings.HasPrefix(kind, "lock_set") {
		kind = fmt.Sprintf("lock_set %v", etf.Format(etf.Term(lockSetOf(msg))))
	}
	if s.sending(n, a.node, kind) {
		s.deliver(n.name, a.node, msg)
	}
}

func lockSetOf(msg etf.Tuple) etf.Term {
	if inner, ok := msg[1].(etf.Tuple); ok {
		return inner[2]
	}
	return msg[2]
}

func (s *sim) deliver(from, to string, msg etf.Term) {
	term, err := canonical(msg) // as it would come off the wire
	if err != nil {
		panic(err)
	}
	s.overLink(from, to, func(n *simNode) {
		e, err := parse(term)
		if err != nil {
			s.printf("%s cannot read %s", n.name, etf.Format(term))
			return
		}
		s.feed(n, e)
	})
}

// kindOf is what a message or request is about.
func kindOf(t etf.Term) string {
	if tuple, ok := t.(etf.Tuple); ok {
		return string(tuple[0].(etf.Atom))
	}
	return string(t.(etf.Atom))
}

// state prints what each node believes.
func (s *sim) state() {
	for _, n := range s.sorted() {
		if n.dead {
			fmt.Fprintf(&s.out, "%s is dead\n", n.name)
			continue
		}
		fmt.Fprintf(&s.out, "%s known [%s] synced [%s] names [", n.name, strings.Join(n.knownNodes(), " "), strings.Join(sorted(n.synced), " "))
		for i, e := range n.names.list() {
			if i > 0 {
				s.out.WriteString(" ")
			}
			fmt.Fprintf(&s.out, "%s=%s", etf.Format(e.name), e.pid.Node)
		}
		s.out.WriteString("]")
		for _, k := range sorted(n.locks) {
			l := n.locks[k]
			fmt.Fprintf(&s.out, " locked %s by", etf.Format(l.id.resource))
			for _, pid := range l.holders {
				fmt.Fprintf(&s.out, " %s", pid.Node)
			}
		}
		if n.join.state != joinIdle || len(n.join.peers) > 0 || len(n.sessions) > 0 || len(n.calls) > 0 {
			fmt.Fprintf(&s.out, " locker %d peers %d sessions %v calls %d", n.join.state, len(n.join.peers), sorted(n.sessions), len(n.calls))
		}
		s.out.WriteString("\n")
	}
}
