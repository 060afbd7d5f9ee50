package dist

import "github.com/truss-beam/truss/etf"

// latestControl is the control message of the latest signal that was a message, as it
// was encoded. From one process to another they are all alike, and to copy one takes a
// fifth of the time of encoding it.
type latestControl struct {
	op       Op // zero for none
	from, to etf.Pid
	toName   etf.Atom
	ref      etf.Ref
	encoded  []byte
	slots    []uint16 // of the atoms it refers to, in order
	changes  int      // of the atom cache by then
}

// is tells whether c would be encoded the same way.
func (l *latestControl) is(c *Control, cache *sendCache) bool {
	if l.op != c.Op || l.op == 0 || cache == nil || l.changes != cache.changes || c.Token != nil || l.from != c.From {
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

// remember notes how c was encoded, if it is a message and its atoms are in the cache.
func (l *latestControl) remember(c *Control, cache *sendCache, encoded []byte) {
	l.op = 0
	if cache == nil || c.Token != nil || c.Op != OpSendSender && c.Op != OpRegSend && c.Op != OpAliasSend {
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
	l.encoded, l.changes = append(l.encoded[:0], encoded...), cache.changes
}
