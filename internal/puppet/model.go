package puppet

import (
	"github.com/truss-beam/truss/etf"
)

// Model says who of some puppets lives, who is linked and who traps exits, as far
// as a random program needs to know it to stay clear of races. It is Erlang's
// meaning of links and exit signals without time: each burst is over, with all that
// comes of it, before the next.
type Model struct {
	of map[string]*modelled
}

type modelled struct {
	node  string
	trap  bool
	links map[string]bool
}

// NewModel is a model of nobody.
func NewModel() *Model { return &Model{of: make(map[string]*modelled)} }

// Spawn adds a puppet.
func (m *Model) Spawn(id, node string) {
	m.of[id] = &modelled{node: node, links: make(map[string]bool)}
}

// Lives tells whether a puppet has not ended.
func (m *Model) Lives(id string) bool { return m.of[id] != nil }

// Living are the puppets that have not ended, sorted.
func (m *Model) Living() []string { return sortedKeys(m.of) }

// Do is a puppet acting.
func (m *Model) Do(b Burst) {
	for _, o := range b.Ops {
		p := m.of[b.Puppet]
		if p == nil {
			return
		}
		switch o.Verb {
		case Link:
			m.link(b.Puppet, o.To)
		case Unlink:
			m.unlink(b.Puppet, o.To)
		case Exit:
			m.signal(b.Puppet, o.To, o.Term, false)
		case Trap, Untrap:
			p.trap = o.Verb == Trap
		case Stop:
			m.end(b.Puppet, o.Term)
		}
	}
}

func (m *Model) link(p, q string) {
	switch {
	case p == q:
	case m.of[q] == nil:
		m.signal(q, p, etf.Atom("noproc"), true)
	default:
		m.of[p].links[q], m.of[q].links[p] = true, true
	}
}

func (m *Model) unlink(p, q string) {
	if m.of[q] != nil {
		delete(m.of[q].links, p)
	}
	delete(m.of[p].links, q)
}

// signal is an exit signal to puppet to.
func (m *Model) signal(from, to string, reason etf.Term, linked bool) {
	q := m.of[to]
	switch {
	case q == nil:
	case !linked && reason == etf.Term(etf.Atom("kill")):
		m.end(to, etf.Atom("killed"))
	case q.trap:
	case reason == etf.Term(etf.Atom("normal")) && from != to:
	default:
		m.end(to, reason)
	}
}

func (m *Model) end(id string, reason etf.Term) {
	p := m.of[id]
	delete(m.of, id)
	for other := range p.links {
		if m.of[other] != nil {
			delete(m.of[other].links, id)
			m.signal(id, other, reason, true)
		}
	}
}

// Disconnect is the loss of the connection between two nodes.
func (m *Model) Disconnect(a, b string) {
	for _, id := range m.Living() {
		p := m.of[id]
		if p == nil || p.node != a && p.node != b {
			continue
		}
		for other := range p.links {
			q := m.of[other]
			if q != nil && q.node != p.node && (q.node == a || q.node == b) {
				delete(p.links, other)
				delete(q.links, id)
				m.signal(other, id, etf.Atom("noconnection"), true)
				m.signal(id, other, etf.Atom("noconnection"), true)
			}
		}
	}
}
