package epmd

import "slices"

// registry is the state of an epmd as a value: which names are held, and which
// creations past holders had. It knows no connections and no locks.
type registry struct {
	maxNames int
	byName   map[string]*holding
	live     []*holding // oldest first; epmd lists newest first
	past     []*holding // oldest first, at most maxPast, each name once
}

// holding is one name and who holds it. All but fd is fixed once registered.
type holding struct {
	aliveRequest
	creation uint32
	fd       int    // numbers the connection, for DUMP
	drop     func() // closes the connection
}

// maxPast is how many names without a holder epmd remembers the creation of.
const maxPast = 1000

// firstCreation is the least an OTP since 23 accepts: 1 to 3 are those of the
// old scheme, 0 matches none.
const firstCreation = 4

func newRegistry(maxNames int) registry {
	return registry{maxNames: maxNames, byName: map[string]*holding{}}
}

// register gives a name to a holder, or returns nil if it cannot have it. The
// creation of a name seen before is its last plus one, that of any other fresh.
func (r *registry) register(req aliveRequest, fd int, fresh uint32) *holding {
	if r.byName[req.name] != nil || !validName(req.name) || len(req.extra) > maxExtra || len(r.live) >= r.maxNames {
		return nil
	}
	creation := fresh
	if i := slices.IndexFunc(r.past, func(h *holding) bool { return h.name == req.name }); i >= 0 {
		creation = r.past[i].creation + 1
		r.past = slices.Delete(r.past, i, i+1)
	}
	h := &holding{aliveRequest: req, creation: max(creation, firstCreation), fd: fd}
	r.byName[req.name] = h
	r.live = append(r.live, h)
	return h
}

// unregister ends a holding. One that has ended already stays ended.
func (r *registry) unregister(h *holding) {
	if r.byName[h.name] != h {
		return
	}
	delete(r.byName, h.name)
	r.live = slices.DeleteFunc(r.live, func(o *holding) bool { return o == h })
	if len(r.past) >= maxPast {
		r.past = slices.Delete(r.past, 0, 1)
	}
	r.past = append(r.past, h)
}

// shownCreation is what the holder is told: 1 to 3 if it knows no other.
func (h *holding) shownCreation() uint32 {
	if h.high >= 6 {
		return h.creation
	}
	return h.creation%3 + 1
}
