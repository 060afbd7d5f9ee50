package pg

import (
	"fmt"
	"slices"
	"strings"

	"github.com/truss-beam/truss/etf"
)

// name is a group's name: the term, and a key that is the same for all terms
// that are equal (=:= in Erlang), whoever wrote them.
type name struct {
	term etf.Term
	key  string
}

// nameOf takes what a user gave as a group's name. What only some peers could
// read (native records) or none (NaN) is refused: a group must mean the same
// everywhere.
func nameOf(group any) (name, error) {
	b, err := etf.Marshal(group)
	if err != nil {
		return name{}, fmt.Errorf("pg: not a group name: %w", err)
	}
	term, err := etf.Decode(b)
	if err != nil {
		return name{}, fmt.Errorf("pg: not a group name: %w", err)
	}
	return nameOfTerm(term)
}

// nameOfTerm takes a name a peer has sent.
func nameOfTerm(term etf.Term) (name, error) {
	e := etf.Encoder{Records: true}
	b, err := e.Append(nil, ordered(term))
	if err != nil {
		return name{}, fmt.Errorf("pg: not a group name: %w", err)
	}
	return name{term: term, key: string(b)}, nil
}

// ordered returns t with the entries of its maps in one certain order: encoded
// terms are equal if the terms are, but for the order in maps.
func ordered(t etf.Term) etf.Term {
	switch t := t.(type) {
	case etf.Tuple:
		return etf.Tuple(orderedAll(t))
	case etf.List:
		return etf.List(orderedAll(t))
	case etf.ImproperList:
		return etf.ImproperList{Elems: orderedAll(t.Elems), Tail: ordered(t.Tail)}
	case etf.Record:
		t.Values = orderedAll(t.Values)
		return t
	case etf.Map:
		return orderedMap(t)
	}
	return t
}

func orderedAll(terms []etf.Term) []etf.Term {
	all := make([]etf.Term, len(terms))
	for i, t := range terms {
		all[i] = ordered(t)
	}
	return all
}

func orderedMap(m etf.Map) etf.Map {
	type entry struct {
		etf.MapEntry
		key string
	}
	entries := make([]entry, len(m))
	for i, e := range m {
		key := ordered(e.Key)
		encoder := etf.Encoder{Records: true}
		b, _ := encoder.Append(nil, key) // what cannot be encoded fails with the whole
		entries[i] = entry{etf.MapEntry{Key: key, Value: ordered(e.Value)}, string(b)}
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	sorted := make(etf.Map, len(entries))
	for i, e := range entries {
		sorted[i] = e.MapEntry
	}
	return sorted
}
