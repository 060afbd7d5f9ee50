package global

import (
	"slices"

	"github.com/truss-beam/truss/etf"
)

// entry is one registered name.
type entry struct {
	name   etf.Term
	pid    etf.Pid
	method etf.Term // what to call when two partitions have the name
}

// external is a name that node registered on behalf of a C node.
type external struct {
	name etf.Term
	pid  etf.Pid
	node string
}

// operation is one change of the names, made on all nodes of a partition.
type operation struct {
	insert bool
	entry  entry // of a deletion only the name
}

type nameTable struct {
	byName map[string]entry
	ext    map[string]external
	byPid  map[etf.Pid][]string // keys
}

func newNameTable() nameTable {
	return nameTable{byName: make(map[string]entry), ext: make(map[string]external), byPid: make(map[etf.Pid][]string)}
}

func (t *nameTable) find(name etf.Term) (entry, bool) {
	e, ok := t.byName[key(name)]
	return e, ok
}

// keys are sorted, so that whatever is done for all names is done in one order.
func (t *nameTable) keys() []string { return sorted(t.byName) }

func (t *nameTable) wire() etf.List {
	list := make(etf.List, 0, len(t.byName))
	for _, k := range t.keys() {
		e := t.byName[k]
		list = append(list, etf.Tuple{e.name, e.pid, e.method})
	}
	return list
}

func (t *nameTable) wireExt() etf.List {
	var all []external
	for _, k := range sorted(t.ext) {
		all = append(all, t.ext[k])
	}
	return wireExternals(all)
}

// insert registers a name. lockHeld tells whether whoever asked for it still has the lock: a message that
// was under way while its sender's node went down and came up again comes too late.
func (m *machine) insert(e entry, lockHeld bool) {
	m.remove(e.name)
	if !lockHeld {
		return
	}
	k := key(e.name)
	m.names.byName[k] = e
	m.names.byPid[e.pid] = append(m.names.byPid[e.pid], k)
	m.watch(e.pid)
}

func (m *machine) insertExt(e entry, node string, lockHeld bool) {
	m.insert(e, lockHeld)
	if lockHeld {
		m.names.ext[key(e.name)] = external{name: e.name, pid: e.pid, node: node}
	}
}

// remove unregisters a name, if it is registered.
func (m *machine) remove(name etf.Term) {
	k := key(name)
	e, ok := m.names.byName[k]
	if !ok {
		return
	}
	delete(m.names.byName, k)
	delete(m.names.ext, k)
	keys := slices.DeleteFunc(m.names.byPid[e.pid], func(other string) bool { return other == k })
	if len(keys) == 0 {
		delete(m.names.byPid, e.pid)
	} else {
		m.names.byPid[e.pid] = keys
	}
	m.unwatch(e.pid)
}

// namesOf unregisters a process that is gone.
func (m *machine) namesOf(pid etf.Pid) {
	for _, k := range slices.Clone(m.names.byPid[pid]) {
		m.remove(m.names.byName[k].name)
	}
}

// apply does what two partitions have agreed on.
func (m *machine) apply(ops []operation, ext []external, lock etf.Term) {
	for _, op := range ops {
		if !op.insert {
			m.remove(op.entry.name)
			continue
		}
		held := m.heldBy(lock)
		node, isExt := "", false
		for _, x := range ext {
			if x.pid == op.entry.pid && key(x.name) == key(op.entry.name) {
				node, isExt = x.node, true
			}
		}
		if isExt {
			m.insertExt(op.entry, node, held)
		} else {
			m.insert(op.entry, held)
		}
	}
}
