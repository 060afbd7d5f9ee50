package puppet

import (
	"fmt"
	"math/rand/v2"

	"github.com/truss-beam/truss/etf"
)

// Program is a random one of rounds for a handful of puppets of its own on three
// nodes. Any number of programs can run side by side, for they share nothing but
// the nodes: a round in which nodes disconnect is one for all of them.
//
// What a program does has one outcome up to the order that Canonical takes out. In
// each round one puppet acts, on one other, so that all its signals are between one
// pair, and all that end in the round do so for one reason. Within the burst
// nothing is taken back that may have been answered already. The one thing that two
// do at once is what link ids are for: both unlink and link each other over and
// over, and link last.
type Program struct {
	ID     string
	Spawns [][]string          // by node: the puppets to start with
	Rounds [][]Burst           // nil in a round of disconnection
	On     map[string]string   // puppet to node
	Alive  []string            // who lives at the end
	labels map[string][]string // monitors of each puppet
	model  *Model
}

// Disconnection is a round for all programs, in which a disconnects b.
type Disconnection struct{ A, B string }

// NewProgram makes a program of as many rounds as there are disconnections, nil for
// those in which there is none.
func NewProgram(r *rand.Rand, id string, nodes []string, rounds []*Disconnection) *Program {
	p := &Program{ID: id, Spawns: make([][]string, len(nodes)), On: make(map[string]string), labels: make(map[string][]string), model: NewModel()}
	for i := range 4 + r.IntN(4) {
		puppet := fmt.Sprintf("%s.%c", id, 'p'+i)
		node := r.IntN(len(nodes))
		p.Spawns[node] = append(p.Spawns[node], puppet)
		p.On[puppet] = nodes[node]
		p.model.Spawn(puppet, nodes[node])
	}
	for _, d := range rounds {
		var bursts []Burst
		switch {
		case d != nil:
			p.model.Disconnect(d.A, d.B)
		case r.IntN(6) == 0:
			bursts = p.race(r)
		default:
			bursts = p.burst(r)
		}
		for _, b := range bursts {
			p.model.Do(b)
		}
		p.Rounds = append(p.Rounds, bursts)
	}
	p.Alive = p.model.Living()
	return p
}

// race has two puppets unlink and link each other, and link last.
func (p *Program) race(r *rand.Rand) []Burst {
	living := p.model.Living()
	if len(living) < 2 {
		return nil
	}
	r.Shuffle(len(living), func(i, j int) { living[i], living[j] = living[j], living[i] })
	bursts := []Burst{{Puppet: living[0]}, {Puppet: living[1]}}
	for i := range bursts {
		to := living[1-i]
		for range 1 + r.IntN(3) {
			bursts[i].Ops = append(bursts[i].Ops, Op{Verb: Unlink, To: to}, Op{Verb: Link, To: to})
		}
	}
	return bursts
}

// burst has one puppet act on another, which may be itself, or have ended.
func (p *Program) burst(r *rand.Rand) []Burst {
	living := p.model.Living()
	if len(living) == 0 {
		return nil
	}
	b := Burst{Puppet: living[r.IntN(len(living))]}
	all := sortedKeys(p.On)
	to := all[r.IntN(len(all))]
	if r.IntN(4) > 0 { // the living are more fun
		to = living[r.IntN(len(living))]
	}
	switch n := r.IntN(20); {
	case n < 4:
		b.Ops = []Op{{Verb: Trap}}
	case n == 4:
		b.Ops = []Op{{Verb: Untrap}}
	case n < 7 && len(p.labels[b.Puppet]) > 0:
		labels := p.labels[b.Puppet]
		b.Ops = []Op{{Verb: Demonitor, Label: labels[r.IntN(len(labels))]}}
	case n == 7:
		b.Ops = []Op{{Verb: Stop, Term: reason(r)}}
	default:
		b.Ops = p.onOne(r, b.Puppet, to)
	}
	return []Burst{b}
}

// onOne is signals to one other. An unlink comes first: an exit through the link
// could come before it or after. There is one link at most, and none after an
// exit: a link that the answer to the first, or the exit, has ended by then is made
// anew, one that it has not is there already.
func (p *Program) onOne(r *rand.Rand, self, to string) []Op {
	var ops []Op
	if r.IntN(4) == 0 {
		ops = append(ops, Op{Verb: Unlink, To: to})
	}
	linked, exited := false, false
	for range 1 + r.IntN(4) {
		switch n := r.IntN(10); {
		case n < 3 && !exited && !linked:
			linked = true
			ops = append(ops, Op{Verb: Link, To: to})
		case n < 6:
			label := fmt.Sprintf("m%d", len(p.labels[self]))
			p.labels[self] = append(p.labels[self], label)
			ops = append(ops, Op{Verb: Monitor, Label: label, To: to})
		case n < 8:
			ops = append(ops, Op{Verb: Send, To: to, Term: etf.Tuple{etf.Atom("hello"), r.Int64N(1000)}})
		case !exited:
			exited = true
			ops = append(ops, Op{Verb: Exit, To: to, Term: reason(r)})
		}
	}
	return ops
}

func reason(r *rand.Rand) etf.Term {
	all := []etf.Term{etf.Atom("normal"), etf.Atom("kill"), etf.Atom("killed"), etf.Atom("boom"), etf.Atom("noproc"), etf.Tuple{etf.Atom("shutdown"), int64(1)}}
	return all[r.IntN(len(all))]
}

// Script is the program as a script.
func (p *Program) Script(rounds []*Disconnection) string {
	text := ""
	for _, puppet := range sortedKeys(p.On) {
		text += fmt.Sprintf("spawn %s on %s\n", puppet, p.On[puppet])
	}
	for i, bursts := range p.Rounds {
		if d := rounds[i]; d != nil {
			text += fmt.Sprintf("disconnect %s %s\n", d.A, d.B)
		}
		for j, b := range bursts {
			if j > 0 {
				text += "| "
			}
			text += b.String() + "\n"
		}
		text += fmt.Sprintf("settle # round %d\n", i+1)
	}
	return text
}
