package etf

// alike remembers the keys of maps of the term being written. Most maps in a long
// term have neighbours with the same atoms as keys in the same order: those need
// not be looked at one by one again, nor be compared with each other.
type alike struct {
	shapes *[alikeShapes]keyShape
	maps   int // seen in this term
}

// keyShape is the keys of a map, all of them short atoms that differ.
type keyShape struct {
	n     int // how many; 0 if nothing is known
	keys  [alikeKeys]Atom
	wire  [alikeKeys][alikeWire]byte // as they are written in this term
	size  [alikeKeys]uint8           // of wire
	tries uint8                      // how often it was replaced without being of use
	made  uint                       // how often it was replaced or forgotten
}

const (
	alikeShapes = 4
	alikeKeys   = 16 // in a map
	alikeWire   = 24 // bytes of a key
	alikeTries  = 8
)

// find returns the shape that may be m's, or nil if it is not worth looking for.
func (a *alike) find(m Map) *keyShape {
	if a.maps++; a.maps < 2 || len(m) < 2 || len(m) > alikeKeys {
		return nil
	}
	first, ok := m[0].Key.(Atom)
	if !ok {
		return nil
	}
	if a.shapes == nil {
		a.shapes = new([alikeShapes]keyShape)
	}
	return &a.shapes[(len(m)+len(first))%alikeShapes]
}

// reset forgets all: the next term's atoms may be written in another way.
func (a *alike) reset() {
	if a.shapes != nil && a.maps > 1 {
		for i := range a.shapes {
			s := &a.shapes[i]
			clear(s.keys[:s.n])
			s.n, s.tries = 0, 0
			s.made++ // a MarshalTerm may have called Append, in the middle of a map
		}
	}
	a.maps = 0
}

// append writes the i-th key of a map, if it is the shape's.
func (s *keyShape) append(dst []byte, i int, key Term) ([]byte, bool) {
	a, ok := key.(Atom)
	if !ok || a != s.keys[i] {
		return dst, false
	}
	at := len(dst)
	if cap(dst)-at < alikeWire {
		dst = grow(dst, alikeWire)
	}
	*(*[alikeWire]byte)(dst[at : at+alikeWire]) = s.wire[i]
	return dst[:at+int(s.size[i])], true
}

// note remembers the keys of m, which are known to differ.
func (s *keyShape) note(e *Encoder, m Map) {
	if s.tries >= alikeTries {
		return
	}
	s.tries++
	s.made++
	clear(s.keys[:s.n])
	s.n = 0
	for i := range m {
		key, ok := m[i].Key.(Atom)
		if !ok || len(key) > alikeWire-2 {
			clear(s.keys[:i])
			return
		}
		wire, err := e.AppendAtom(s.wire[i][:0], key)
		if err != nil || len(wire) > alikeWire {
			clear(s.keys[:i])
			return
		}
		s.keys[i], s.size[i] = key, uint8(len(wire))
	}
	s.n = len(m)
}
