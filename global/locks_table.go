package global

import (
	"maps"
	"slices"

	"github.com/truss-beam/truss/etf"
)

// globalResource is the lock that protects the names.
const globalResource = etf.Atom("global")

// lockID says which lock, and for whom: as many processes as like may hold it
// together if they ask with the same requester.
type lockID struct{ resource, requester etf.Term }

func (id lockID) term() etf.Term { return etf.Tuple{id.resource, id.requester} }

// held is one lock that is set here.
type held struct {
	id      lockID
	holders []etf.Pid
}

// lockTable has the locks set at this node, by the key of their resource.
type lockTable map[string]*held

func (t lockTable) isSet(resource etf.Term) bool { return t[key(resource)] != nil }

// may tells whether the lock could be set now.
func (t lockTable) may(id lockID) bool {
	h := t[key(id.resource)]
	return h == nil || key(h.id.requester) == key(id.requester)
}

// heldBy tells whether the lock of the names is still that of the two lockers
// who join partitions. A lock that was given back, and not lost by its holder's
// death, was there for what it was to protect.
func (m *machine) heldBy(requester etf.Term) bool {
	h := m.locks[key(globalResource)]
	if h == nil {
		return !m.lockLost
	}
	return key(h.id.requester) == key(requester)
}

// heldByPid tells whether the lock of the names is still pid's. OTP also goes by
// heldBy's rule; but a registrar has its lock when it writes, or has lost it.
func (m *machine) heldByPid(pid etf.Pid) bool {
	h := m.locks[key(globalResource)]
	return h != nil && slices.Contains(h.holders, pid)
}

func (m *machine) setLock(id lockID, pid etf.Pid) bool {
	if !m.locks.may(id) {
		return false
	}
	k := key(id.resource)
	h := m.locks[k]
	if h == nil {
		h = &held{id: id}
		m.locks[k] = h
	}
	if !slices.Contains(h.holders, pid) {
		h.holders = append(h.holders, pid)
		m.watch(pid)
	}
	return true
}

func (m *machine) delLock(id lockID, pid etf.Pid) {
	k := key(id.resource)
	h := m.locks[k]
	if h == nil || key(h.id.requester) != key(id.requester) || !slices.Contains(h.holders, pid) {
		return
	}
	h.holders = slices.DeleteFunc(h.holders, func(p etf.Pid) bool { return p == pid })
	if len(h.holders) == 0 {
		delete(m.locks, k)
		if h.id.resource == etf.Term(globalResource) {
			m.lockLost = false
		}
	}
	m.unwatch(pid)
}

// locksOf frees the locks of a process that is gone.
func (m *machine) locksOf(pid etf.Pid) {
	for _, k := range slices.Sorted(maps.Keys(m.locks)) {
		id := m.locks[k].id
		m.delLock(id, pid)
		if id.resource == etf.Term(globalResource) && m.locks[k] == nil {
			m.lockLost = true
		}
	}
}
