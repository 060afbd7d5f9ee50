package global

import (
	"time"

	"github.com/truss-beam/truss/etf"
)

// Preventing overlapping partitions: when a node loses the connection to
// another, all nodes it knows disconnect from that other one, so that what is
// left are partitions whose nodes all know each other, and nobody is in two.

// lostKey names a report: node a has lost node b.
type lostKey struct{ a, b string }

// lostInfo says which such report was the last.
type lostInfo struct {
	creation int64 // of a, as it calls it here
	op       int64
	when     time.Time
}

// lostFor is for how long reports are remembered.
const lostFor = time.Hour

// reportLoss tells all nodes that we have lost one.
func (m *machine) reportLoss(node string) {
	if !m.connectAll || !m.prevent {
		return
	}
	m.serial++
	m.spread(lostConnection{node: m.self, creation: m.creation, op: m.serial, lost: node}, node)
}

// spread sends a report to all nodes but one.
func (m *machine) spread(e lostConnection, not string) {
	msg := etf.Tuple{etf.Atom("lost_connection"), etf.Atom(e.node), e.creation, e.op, etf.Atom(e.lost)}
	for _, nodes := range []map[string]int64{m.known, m.pending} {
		for _, n := range sorted(nodes) {
			if n != not && nodes[n] >= versionPOP {
				m.tell(n, msg)
			}
		}
	}
}

func (e lostConnection) happen(m *machine) {
	if !m.connectAll || !m.prevent {
		return
	}
	k := lostKey{e.node, e.lost}
	if last, ok := m.lost[k]; ok && last.creation == e.creation && e.op <= last.op {
		return
	}
	// A node that has lost its connection to the reporter hears of it by us.
	m.spread(e, e.node)
	m.remember(k, lostInfo{creation: e.creation, op: e.op, when: m.now})
	remove := e.lost
	if remove == m.self {
		// All others will leave us. Then so do we leave the reporter, who will see
		// to its nodedown.
		remove = e.node
	}
	if remove == m.self || !m.potentiallyKnown(remove) {
		return
	}
	m.do(note{text: "leaving a node in order to prevent overlapping partitions", args: []any{"peer", remove, "reported_by", e.node}})
	if m.versionOf(remove) < versionPOP {
		m.do(disconnect{remove})
	} else {
		m.tell(remove, etf.Tuple{etf.Atom("remove_connection"), etf.Atom(m.self)})
	}
	m.forget(remove, requested)
}

func (m *machine) remember(k lostKey, info lostInfo) {
	for old, i := range m.lost {
		if m.now.Sub(i.when) > lostFor {
			delete(m.lost, old)
		}
	}
	m.lost[k] = info
}

func (e removeConnection) happen(m *machine) {
	if !m.potentiallyKnown(e.node) {
		return
	}
	m.do(note{text: "disconnecting in order to prevent overlapping partitions", args: []any{"peer", e.node}})
	m.do(disconnect(e))
	m.forget(e.node, requested)
}
