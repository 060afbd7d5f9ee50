package pg

import "github.com/truss-beam/truss/etf"

// source is who tells of members: a scope process, this node's or a peer's. The
// members it tells of live and die with it.
type source struct {
	scope  etf.Pid
	groups map[*group]bag // no bag is empty
}

// group is one group with the members all sources tell of.
type group struct {
	name
	sources map[*source]bag // the bags of source.groups, no source without members
}

// members is the table of all groups. There is one bag for each group and
// source, found from both sides: to list a group, and to drop a source.
type members struct {
	groups map[string]*group // by name.key
}

func newSource(scope etf.Pid) *source {
	return &source{scope: scope, groups: make(map[*group]bag)}
}

// join adds what a source tells of.
func (t *members) join(from *source, n name, pids []etf.Pid) {
	if len(pids) == 0 {
		return
	}
	g := t.groups[n.key]
	if g == nil {
		g = &group{name: n, sources: make(map[*source]bag)}
		t.groups[n.key] = g
	}
	b := g.sources[from]
	if b == nil {
		b = make(bag)
		g.sources[from], from.groups[g] = b, b
	}
	for _, pid := range pids {
		b.add(pid)
	}
}

// leave takes one occurrence of each pid out, and returns those it found.
func (t *members) leave(from *source, n name, pids []etf.Pid) (left []etf.Pid) {
	g := t.groups[n.key]
	if g == nil {
		return nil
	}
	b := g.sources[from]
	for _, pid := range pids {
		if b.remove(pid) {
			left = append(left, pid)
		}
	}
	if len(b) == 0 {
		t.forget(from, g)
	}
	return left
}

// forget takes a source out of a group, and the group if it was the last.
func (t *members) forget(from *source, g *group) {
	delete(g.sources, from)
	delete(from.groups, g)
	if len(g.sources) == 0 {
		delete(t.groups, g.key)
	}
}

// of returns the members of a group that a source tells of.
func (t *members) of(from *source, n name) bag {
	if g := t.groups[n.key]; g != nil {
		return g.sources[from]
	}
	return nil
}

// all returns the members of a group.
func (t *members) all(key string) []etf.Pid {
	g := t.groups[key]
	if g == nil {
		return nil
	}
	size := 0
	for _, b := range g.sources {
		size += len(b)
	}
	pids := make([]etf.Pid, 0, size)
	for _, b := range g.sources {
		pids = b.appendTo(pids)
	}
	return pids
}
