package global

import (
	"time"

	"github.com/truss-beam/truss/etf"
)

// A name reaches all nodes of a partition at the same moment, some of which may
// not be able to reach its process then: partitions are joined by two of their
// nodes, before the others are connected. To these the process looks dead, and
// the name goes; nothing in the protocol brings it back. So names that went with
// a node's reach are remembered, and asked for when the node is in sync.

const (
	missedMost  = 4096 // names remembered, and asked for, of a node
	missedNodes = 256
	missedAfter = time.Second // the join that has brought the node is over by then
)

// miss remembers the names of a process that cannot be reached.
func (m *machine) miss(pid etf.Pid) {
	for _, k := range m.names.byPid[pid] {
		m.missName(m.names.byName[k])
	}
	m.regainSoon(string(pid.Node))
}

// missName remembers one name of a process of another node.
func (m *machine) missName(e entry) {
	node := string(e.pid.Node)
	if node == m.self {
		return
	}
	if m.missed[node] == nil {
		if len(m.missed) >= missedNodes {
			clear(m.missed)
		}
		m.missed[node] = make(map[string]entry)
	}
	if len(m.missed[node]) < missedMost {
		m.missed[node][key(e.name)] = e
	}
}

// dropped is what a registrar registers here without having the lock of the names
// here. It is an OTP's: that looks, once it has the locks, for nodes it has come to know
// meanwhile, but not for those it has lost, whose locks went with the connection. Its
// call connects anew, this node drops the name as it must, and the registrar says yes.
// So the name is missed too, be it of another process here: an OTP that holds no lock takes
// it from that, and others of our partition may have it then.
func (m *machine) dropped(e entry) {
	m.missName(e)
	m.regainSoon(string(e.pid.Node))
}

// finishUnregister has a name go everywhere that such a registrar unregisters here: it
// reaches those nodes that it had locks on, and the others keep the name.
func (m *machine) finishUnregister(name etf.Term) {
	if _, ok := m.names.find(name); !ok {
		return
	}
	w := m.unregistering(name, func(error) {})
	w.check = func() error {
		if _, taken := m.names.find(name); taken {
			return errAbandoned
		}
		return nil
	}
	m.soon(func() { w.happen(m) })
}

// regainSoon asks a node that is in sync already. One that is not is asked after
// its in_sync.
func (m *machine) regainSoon(node string) {
	if _, known := m.known[node]; known && m.up[node] {
		m.regain(node)
	}
}

// regain asks a node that is in sync for the names missed.
func (m *machine) regain(node string) {
	if len(m.missed[node]) == 0 {
		delete(m.missed, node)
		return
	}
	m.after(missedAfter, func() {
		if _, known := m.known[node]; !known || !m.up[node] {
			return
		}
		missed := m.missed[node]
		delete(m.missed, node)
		for _, k := range sorted(missed) {
			if ours := m.names.byName[k]; ours.pid != missed[k].pid {
				m.askFor(node, missed[k], ours.pid)
			}
		}
	})
}

// askFor asks the node of a process whether it has its name still, and if so
// registers it anew, with the lock of the names and on all nodes. ours is the process that
// has the name here, if any, and loses it. By now partitions that disagreed have been
// joined: if his node still has another, nobody has noticed, and nobody else will.
func (m *machine) askFor(node string, e entry, ours etf.Pid) {
	m.multiCall(m.registrar, []string{node}, askName{e.name}, func(c *multiCall) {
		if pid, ok := c.replies[node].(etf.Pid); !ok || pid != e.pid {
			return
		}
		w := m.registering(e, false, func(error) {})
		w.check = func() error {
			if now, _ := m.names.find(e.name); now.pid != ours {
				return errAbandoned // somebody was faster
			}
			return nil
		}
		w.happen(m)
	})
}

// askName is whereis as a request. Peers answer it once their names are not locked.
type askName struct{ name etf.Term }

func (r askName) serve(m *machine, _ etf.Pid) (etf.Term, bool) {
	e, _ := m.names.find(r.name)
	return e.pid, true
}

func (r askName) term() etf.Term { return etf.Tuple{etf.Atom("whereis"), r.name} }
