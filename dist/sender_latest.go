package dist

import "github.com/truss-beam/truss/etf"

// latestOpening is how the latest frame that was a message began: with a header that
// lists atoms, and a control message. From one process to another they are nearly all
// alike, and to copy it takes a tenth of the time of making it.
//
// The header of the next message may list more atoms than that refers to, which means
// nothing (erl_ext_dist, "Distribution Header").
type latestOpening struct {
	op       Op // zero for none
	from, to etf.Pid
	toName   etf.Atom
	ref      etf.Ref

	opening []byte   // from the length, which is another every time, to the control message
	header  int      // where in it the control message begins
	slots   []uint16 // of the atoms it lists, in order
	frame   uint32   // the number of the frame in which the atom cache has them listed
	changes int      // of the atom cache by then
	uses    int
}

const (
	// openingAtoms bounds what a message may have to list for others.
	openingAtoms = 16
	// openingUses is how often an opening is used again before it is made anew, without
	// the atoms nobody refers to any more.
	openingUses = 64
)

// is tells whether the frame of c may begin the same way.
func (l *latestOpening) is(c *Control, cache *sendCache) bool {
	if l.op != c.Op || l.op == 0 || l.changes != cache.changes || c.Token != nil || l.from != c.From || l.uses == openingUses {
		return false
	}
	switch l.op {
	case OpSendSender:
		return l.to == c.To
	case OpRegSend:
		return l.toName == c.ToName
	default: // OpAliasSend: remember takes no others
		return l.ref == c.Ref
	}
}

// begin starts a frame that begins this way.
func (l *latestOpening) begin(cache *sendCache) {
	l.uses++
	if l.frame == cache.frame {
		return // and what it lists stands as it did
	}
	cache.next()
	cache.refer(l.slots)
	l.frame = cache.frame
}

// remember notes how the frame of c begins: with start, a length and a header, and
// control. It does so if that is a message, and its atoms are in the cache and few.
func (l *latestOpening) remember(c *Control, cache *sendCache, start, control []byte) {
	l.op = 0
	if cache == nil || c.Token != nil || c.Op != OpSendSender && c.Op != OpRegSend && c.Op != OpAliasSend || len(cache.refs) > openingAtoms {
		return
	}
	l.slots = l.slots[:0]
	for _, r := range cache.refs {
		if r.fresh {
			return // the next time it will be no longer
		}
		l.slots = append(l.slots, r.slot)
	}
	l.op, l.from, l.to, l.toName, l.ref = c.Op, c.From, c.To, c.ToName, c.Ref
	l.opening, l.header = append(append(l.opening[:0], start...), control...), len(start)
	l.frame, l.changes, l.uses = cache.frame, cache.changes, 0
}
