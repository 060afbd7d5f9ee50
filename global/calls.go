package global

import (
	"maps"
	"slices"

	"github.com/truss-beam/truss/etf"
)

// multiCall is one request to several nodes' global_name_server.
type multiCall struct {
	as      etf.Pid
	waits   map[string]bool
	replies map[string]etf.Term // nodes that are gone have none
	failed  []string            // nodes that are gone
	silent  []string            // nodes that did not answer in time
	timer   int64
	then    func(*multiCall)
}

// call asks several nodes the same on behalf of pid as, and then goes on in a
// later turn. This node's own answer is had at once.
func (m *machine) multiCall(as etf.Pid, nodes []string, request request, then func(*multiCall)) {
	m.serial++
	id := m.serial
	c := &multiCall{as: as, waits: make(map[string]bool), replies: make(map[string]etf.Term), then: then}
	for _, node := range nodes {
		if node == m.self {
			c.replies[node], _ = request.serve(m, as)
			continue
		}
		c.waits[node] = true
	}
	if len(c.waits) == 0 {
		m.soon(func() { then(c) })
		return
	}
	m.calls[id] = c
	for _, node := range nodes {
		if node != m.self {
			m.do(call{as: as, id: id, node: node, request: request.term()})
		}
	}
	c.timer = m.after(callTimeout, func() { m.callTimedOut(id) })
}

// tellAll is multiCall without interest in the replies.
func (m *machine) tellAll(as etf.Pid, nodes []string, request request) {
	for _, node := range nodes {
		if node == m.self {
			request.serve(m, as)
			continue
		}
		m.do(call{as: as, node: node, request: request.term()})
	}
}

func (m *machine) answered(id int64, node string, reply etf.Term, ok bool) {
	c := m.calls[id]
	if c == nil || !c.waits[node] {
		return
	}
	delete(c.waits, node)
	if ok {
		c.replies[node] = reply
	} else {
		c.failed = append(c.failed, node)
	}
	if len(c.waits) == 0 {
		m.stop(c.timer)
		delete(m.calls, id)
		m.soon(func() { c.then(c) })
	}
}

func (m *machine) callTimedOut(id int64) {
	c := m.calls[id]
	c.silent = sorted(c.waits)
	c.waits = nil
	delete(m.calls, id)
	m.soon(func() { c.then(c) })
}

// callsOf are the calls that one of our processes waits for.
func (m *machine) callsOf(as etf.Pid) []int64 {
	ids := slices.Sorted(maps.Keys(m.calls))
	return slices.DeleteFunc(ids, func(id int64) bool { return m.calls[id].as != as })
}

// setLockOn sets a lock on all these nodes, or on none. One that is gone counts as
// locked, as in OTP; but not for the lock of the names if it is of our partition and
// not connected yet. We have learnt of such a node by another, whose connection to
// it stands while ours is being made. What is told to all under the lock would not
// reach it, and nothing would make up for that, as others have said that we are in
// sync. The connect under way ends this: it is connected then, or forgotten.
func (m *machine) setLockOn(as etf.Pid, id lockID, nodes []string, then func(bool)) {
	if len(nodes) > 1 && slices.Contains(nodes, m.self) && !m.locks.may(id) {
		m.soon(func() { then(false) })
		return
	}
	m.multiCall(as, nodes, setLock{id}, func(c *multiCall) {
		// A node that has been silent may set the lock yet, and one that was gone is
		// back maybe and has set it: they get to know too that it is not held.
		set := slices.Concat(c.silent, c.failed)
		all := len(c.silent) == 0
		if id.resource == etf.Term(globalResource) {
			all = all && !slices.ContainsFunc(c.failed, m.yetToConnect)
		}
		for _, node := range sorted(c.replies) {
			if c.replies[node] == etf.Term(etf.Atom("true")) {
				set = append(set, node)
			} else {
				all = false
			}
		}
		if !all {
			m.delLockOn(as, id, set)
		}
		then(all)
	})
}

// yetToConnect: of our partition, and not connected to us.
func (m *machine) yetToConnect(node string) bool {
	_, known := m.known[node]
	return known && !m.up[node]
}

// delLockOn frees a lock, on the boss last: whoever gets that next is to find
// the other nodes free.
func (m *machine) delLockOn(as etf.Pid, id lockID, nodes []string) {
	if len(nodes) == 0 {
		return
	}
	nodes = slices.Sorted(slices.Values(nodes))
	m.tellAll(as, slices.Compact(nodes), delLock{id})
}

func sorted[V any](set map[string]V) []string { return slices.Sorted(maps.Keys(set)) }

func without(nodes []string, not ...string) []string {
	return slices.DeleteFunc(slices.Clone(nodes), func(n string) bool { return slices.Contains(not, n) })
}
