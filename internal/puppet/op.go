package puppet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/truss-beam/truss/etf"
)

// Op is one thing a puppet does.
type Op struct {
	Verb Verb
	// To is whom it does it to: a puppet's id, or the registered name and node of
	// one, "name@node".
	To    string
	Label string   // of a monitor
	Term  etf.Term // the exit reason, or the message
}

// Verb is the kind of an Op, by the words of scripts and of puppet.erl.
type Verb string

const (
	Link       Verb = "link"       // link q
	Unlink     Verb = "unlink"     // unlink q
	Monitor    Verb = "monitor"    // monitor m q
	Demonitor  Verb = "demonitor"  // demonitor m: with flush
	Exit       Verb = "exit"       // exit q reason: exit/2
	Send       Verb = "send"       // send q message
	Trap       Verb = "trap"       // trap: process_flag(trap_exit, true)
	Untrap     Verb = "untrap"     // untrap
	Stop       Verb = "stop"       // stop reason: exit/1
	Register   Verb = "register"   // register name
	Unregister Verb = "unregister" // unregister name
)

// String is the op as scripts have it.
func (o Op) String() string {
	words := []string{string(o.Verb)}
	for _, word := range []string{o.Label, o.To} {
		if word != "" {
			words = append(words, word)
		}
	}
	if o.Term != nil {
		words = append(words, etf.Format(o.Term))
	}
	return strings.Join(words, " ")
}

// parseOp reads an op.
func parseOp(text string) (Op, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return Op{}, fmt.Errorf("nothing to do")
	}
	o := Op{Verb: Verb(words[0])}
	rest := words[1:]
	take := func(into *string) {
		if len(rest) > 0 {
			*into, rest = rest[0], rest[1:]
		}
	}
	var term string
	want := 1
	switch o.Verb {
	case Link, Unlink:
		take(&o.To)
	case Register, Unregister, Demonitor:
		take(&o.Label)
	case Monitor:
		take(&o.Label)
		take(&o.To)
		want = 2
	case Exit, Send:
		take(&o.To)
		take(&term)
		want = 2
	case Stop:
		take(&term)
	case Trap, Untrap:
		want = 0
	default:
		return o, fmt.Errorf("no puppet can %s", o.Verb)
	}
	if len(words)-1 != want {
		return o, fmt.Errorf("%q: %s takes %d words", text, o.Verb, want)
	}
	if term != "" {
		o.Term = parseTerm(term)
	}
	return o, nil
}

// parseTerm reads an atom, or a tuple of atoms without spaces.
func parseTerm(text string) etf.Term {
	inner, ok := strings.CutPrefix(text, "{")
	if !ok {
		return etf.Atom(text)
	}
	var tuple etf.Tuple
	for part := range strings.SplitSeq(strings.TrimSuffix(inner, "}"), ",") {
		tuple = append(tuple, etf.Atom(part))
	}
	return tuple
}

// Burst is what one puppet does without waiting in between.
type Burst struct {
	Puppet string
	Ops    []Op
}

// String is the burst as scripts have it.
func (b Burst) String() string {
	var ops []string
	for _, o := range b.Ops {
		ops = append(ops, o.String())
	}
	return b.Puppet + ": " + strings.Join(ops, "; ")
}

// parseBursts reads "p: link q; unlink q | q: link p".
func parseBursts(line string) ([]Burst, error) {
	var bursts []Burst
	for part := range strings.SplitSeq(line, "|") {
		who, what, ok := strings.Cut(part, ":")
		if !ok {
			return nil, fmt.Errorf("%q: want PUPPET: OP; OP", strings.TrimSpace(part))
		}
		b := Burst{Puppet: strings.TrimSpace(who)}
		for text := range strings.SplitSeq(what, ";") {
			o, err := parseOp(text)
			if err != nil {
				return nil, err
			}
			b.Ops = append(b.Ops, o)
		}
		bursts = append(bursts, b)
	}
	if slices.ContainsFunc(bursts[1:], func(b Burst) bool { return b.Puppet == bursts[0].Puppet }) {
		return nil, fmt.Errorf("%q: a puppet does one thing at a time", line)
	}
	return bursts, nil
}
