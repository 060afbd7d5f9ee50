package global

import "slices"

// syncing waits until names are shared with some nodes, or they are gone.
type syncing struct {
	waits map[string]bool
	done  func()
	given bool
}

// syncWith starts one.
type syncWith struct {
	*syncing
	nodes []string // nil: all that are connected
}

func (e syncWith) happen(m *machine) {
	if e.nodes == nil {
		e.nodes = sorted(m.up)
	}
	e.waits = make(map[string]bool)
	for _, n := range e.nodes {
		if n != m.self && !m.synced[n] && m.up[n] && !m.apart[n] {
			e.waits[n] = true
		}
	}
	m.syncs = append(m.syncs, e.syncing)
	m.syncedOrGone("")
}

func (m *machine) nowSynced(node string) { m.syncedOrGone(node) }

// syncedOrGone ends the waits that were for this node last.
func (m *machine) syncedOrGone(node string) {
	m.syncs = slices.DeleteFunc(m.syncs, func(s *syncing) bool {
		delete(s.waits, node)
		if len(s.waits) > 0 && !s.given {
			return false
		}
		s.done()
		return true
	})
}
