package global

import (
	"slices"

	"github.com/truss-beam/truss/etf"
)

// request is a gen_server call of global_name_server, a peer's or our own.
type request interface {
	// serve acts on it; pid is who asks. Without now the reply comes later.
	serve(m *machine, pid etf.Pid) (reply etf.Term, now bool)
	term() etf.Term
}

type (
	setLock    struct{ id lockID }
	delLock    struct{ id lockID }
	register   struct{ entry entry }
	unregister struct{ name etf.Term }
	// registerExt registers a process of a C node, for which node answers.
	registerExt struct {
		entry entry
		node  string
	}
	getKnown   struct{}
	getSynced  struct{}
	getVersion struct{}
	getExt     struct{}
)

func (r setLock) serve(m *machine, pid etf.Pid) (etf.Term, bool) {
	return boolean(m.setLock(r.id, pid)), true
}

func (r delLock) serve(m *machine, pid etf.Pid) (etf.Term, bool) {
	m.delLock(r.id, pid)
	return etf.Atom("true"), true
}

func (r register) serve(m *machine, pid etf.Pid) (etf.Term, bool) {
	if m.heldByPid(pid) {
		m.insert(r.entry, true)
	} else {
		m.dropped(r.entry)
	}
	return etf.Atom("yes"), true
}

func (r unregister) serve(m *machine, pid etf.Pid) (etf.Term, bool) {
	if !m.heldByPid(pid) {
		m.finishUnregister(r.name)
	}
	m.remove(r.name)
	return etf.Atom("ok"), true
}

func (r registerExt) serve(m *machine, pid etf.Pid) (etf.Term, bool) {
	m.insertExt(r.entry, r.node, m.heldByPid(pid))
	return etf.Atom("yes"), true
}

func (getKnown) serve(m *machine, _ etf.Pid) (etf.Term, bool)  { return atoms(m.knownNodes()), true }
func (getSynced) serve(m *machine, _ etf.Pid) (etf.Term, bool) { return atoms(sorted(m.synced)), true }
func (getVersion) serve(*machine, etf.Pid) (etf.Term, bool)    { return int64(version), true }
func (getExt) serve(m *machine, _ etf.Pid) (etf.Term, bool)    { return m.names.wireExt(), true }

func (r setLock) term() etf.Term { return etf.Tuple{etf.Atom("set_lock"), r.id.term()} }
func (r delLock) term() etf.Term { return etf.Tuple{etf.Atom("del_lock"), r.id.term()} }
func (r register) term() etf.Term {
	return etf.Tuple{etf.Atom("register"), r.entry.name, r.entry.pid, r.entry.method}
}
func (r unregister) term() etf.Term { return etf.Tuple{etf.Atom("unregister"), r.name} }
func (r registerExt) term() etf.Term {
	return etf.Tuple{etf.Atom("register_ext"), r.entry.name, r.entry.pid, r.entry.method, etf.Atom(r.node)}
}
func (getKnown) term() etf.Term   { return etf.Atom("get_known") }
func (getSynced) term() etf.Term  { return etf.Atom("get_synced") }
func (getVersion) term() etf.Term { return etf.Atom("get_protocol_version") }
func (getExt) term() etf.Term     { return etf.Atom("get_names_ext") }

func (e called) happen(m *machine) {
	if reply, now := e.request.serve(m, e.from.pid); now {
		m.do(answer{to: e.from, reply: reply})
	}
}

func (e syncCall) happen(m *machine) {
	from := e.from
	syncWith{&syncing{done: func() { m.do(answer{to: from, reply: etf.Atom("ok")}) }}, e.nodes}.happen(m)
}

func (e disconnectCall) happen(m *machine) {
	from := e.from
	leaving{func(nodes []string) { m.do(answer{to: from, reply: atoms(nodes)}) }}.happen(m)
}

// whereisTries bounds how often a question for a name waits for the lock of the
// names: more than half a minute on average. OTP waits for ever.
const whereisTries = 16

func (e whereis) happen(m *machine) { m.whereis(e, 0) }

// whereis answers once the lock is free: until then the name may be about to
// change.
func (m *machine) whereis(e whereis, times int) {
	if m.locks.isSet(globalResource) && times < whereisTries {
		m.after(m.pause(5), func() { m.whereis(e, times+1) })
		return
	}
	var found etf.Term = etf.Atom("undefined")
	if n, ok := m.names.find(e.name); ok {
		found = n.pid
	}
	m.do(answer{to: e.from, reply: found})
}

// prepareShutdown is what OTP's init tells global before it takes the
// connections down.
func (e prepareShutdown) happen(m *machine) {
	m.connectAll, m.prevent = false, false
	m.do(send{node: string(e.from.pid.Node), to: e.from.pid, msg: etf.Tuple{e.from.tag, etf.Atom("ok")}})
}

// names returns all names, sorted.
func (t *nameTable) list() []entry {
	var all []entry
	for _, e := range t.byName {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b entry) int { return etf.Compare(a.name, b.name) })
	return all
}
