package dist

import "github.com/truss-beam/truss/etf"

// latestOpening is how the latest frame that was a message began: with a header that
// lists atoms, and a control message. From one process to another they are nearly all
// alike, and to copy it takes a tenth of the time of making it.
//
// It holds until a frame begins in another way, and so do the atom cache's numbers of the
// atoms it lists: frames that begin alike are one to the cache.
//
// The header of the next message may list more atoms than that refers to, which means
// nothing (erl_ext_dist, "Distribution Header").
type latestOpening struct {
	op       Op // zero for none
	from, to etf.Pid
	toName   etf.Atom
	ref      etf.Ref

	opening []byte // from the length, which is another every time, to the control message
	header  int    // where in it the control message begins
	atoms   int    // how many it lists: those of the atom cache's current frame
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
func (l *latestOpening) is(c *Control) bool {
	if l.op != c.Op || l.op == 0 || c.Token != nil || l.from != c.From || l.uses == openingUses {
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

// remember notes how the frame of c begins: with start, a length and a header, and
// control. It does so if that is a message, and its atoms are in the cache and few.
func (l *latestOpening) remember(c *Control, cache *sendCache, start, control []byte) {
	l.op = 0
	if cache == nil || c.Token != nil || c.Op != OpSendSender && c.Op != OpRegSend && c.Op != OpAliasSend || len(cache.refs) > openingAtoms {
		return
	}
	for _, r := range cache.refs {
		if r.fresh {
			return // the next time it will be no longer
		}
	}
	l.op, l.from, l.to, l.toName, l.ref = c.Op, c.From, c.To, c.ToName, c.Ref
	l.opening, l.header = append(append(l.opening[:0], start...), control...), len(start)
	l.atoms, l.uses = len(cache.refs), 0
}
