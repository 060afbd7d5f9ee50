package global

import (
	"errors"
	"slices"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// The registrar changes names: one change at a time, with the lock of the names
// set on all nodes known, so that the change reaches them all.

// writes is what the registrar has to do.
type writes struct {
	queue []*write
	busy  bool
}

// write is one change of the names.
type write struct {
	// check runs with the lock held and may refuse.
	check func() error
	do    request // then sent to all nodes
	done  func(error)
	given bool // nobody waits for it any more
}

// errAbandoned ends a write that nobody waits for any more.
var errAbandoned = errors.New("abandoned")

func (e *write) happen(m *machine) {
	m.writes.queue = append(m.writes.queue, e)
	m.nextWrite()
}

// abandon gives a write up, unless its lock is held already: then it is done.
type abandon struct{ write *write }

func (e abandon) happen(*machine) { e.write.given = true }

func (m *machine) nextWrite() {
	if m.writes.busy || len(m.writes.queue) == 0 {
		return
	}
	m.writes.busy = true
	m.lockKnown(m.writes.queue[0], 0)
}

// finishWrite lets go of the lock and of the write.
func (m *machine) finishWrite(w *write, nodes []string, err error) {
	m.delLockOn(m.registrar, m.registrarLock(), nodes)
	m.writes.queue = m.writes.queue[1:]
	m.writes.busy = false
	w.done(err)
	m.soon(m.nextWrite)
}

func (m *machine) registrarLock() lockID { return lockID{globalResource, m.registrar} }

// lockKnown gets the lock on all known nodes, the boss first, and makes sure that
// these are still the ones known. OTP looks for new ones only. But a node that was
// lost meanwhile and is back, not joined yet, would get a name that its partition
// does not, and never would: joining, both sides have it already.
func (m *machine) lockKnown(w *write, times int) {
	if w.given {
		m.finishWrite(w, nil, errAbandoned)
		return
	}
	known := m.knownNodes()
	nodes := append([]string{m.self}, known...)
	boss := m.boss(known)
	id := m.registrarLock()
	retry := func() { m.after(m.pause(times), func() { m.lockKnown(w, times+1) }) }
	m.setLockOn(m.registrar, id, []string{boss}, func(ok bool) {
		if !ok {
			retry()
			return
		}
		m.setLockOn(m.registrar, id, nodes, func(ok bool) {
			if !ok {
				m.delLockOn(m.registrar, id, []string{boss})
				retry()
				return
			}
			if !slices.Equal(known, m.knownNodes()) {
				m.delLockOn(m.registrar, id, nodes)
				retry()
				return
			}
			m.write(w, nodes)
		})
	})
}

// write makes the change: the lock is held.
func (m *machine) write(w *write, nodes []string) {
	if err := w.check(); err != nil {
		m.finishWrite(w, nodes, err)
		return
	}
	m.multiCall(m.registrar, nodes, w.do, func(*multiCall) { m.finishWrite(w, nodes, nil) })
}

// registering makes the write that registers a name. With again, whoever has the
// name now loses it.
func (m *machine) registering(e entry, again bool, done func(error)) *write {
	return &write{do: register{e}, done: done, check: func() error {
		if _, taken := m.names.find(e.name); taken && !again {
			return truss.ErrNameTaken
		}
		if len(m.names.byPid[e.pid]) > 0 && !again && !m.multiName {
			return ErrHasName
		}
		return nil
	}}
}

func (m *machine) unregistering(name etf.Term, done func(error)) *write {
	return &write{do: unregister{name}, done: done, check: func() error { return nil }}
}

// locking is a lock wanted by a process of this program.
type locking struct {
	as      etf.Pid
	id      lockID
	nodes   []string
	retries int // negative: for ever
	done    func(bool)
	times   int
	given   bool
}

func (e *locking) happen(m *machine) {
	if len(e.nodes) == 0 {
		e.done(true)
		return
	}
	m.setLockOn(e.as, e.id, e.nodes, func(ok bool) {
		switch {
		case ok && e.given:
			m.delLockOn(e.as, e.id, e.nodes)
			e.done(false)
		case ok:
			e.done(true)
		case e.retries == 0 || e.given:
			e.done(false)
		default:
			e.retries = max(e.retries-1, -1)
			e.times++
			m.after(m.pause(e.times), func() { e.happen(m) })
		}
	})
}

// unlocking frees it.
type unlocking struct {
	as    etf.Pid
	id    lockID
	nodes []string
	done  func()
}

func (e unlocking) happen(m *machine) {
	m.multiCall(e.as, e.nodes, delLock{e.id}, func(*multiCall) { e.done() })
}
