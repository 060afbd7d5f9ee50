package etf

import (
	"encoding/binary"
	"errors"
	"math"
)

// maxKeyNesting is how deep maps may be keys of maps of several entries. To find
// equal keys each level hashes all that is below it, so that without a bound a
// sender could have the same megabytes hashed ten thousand times over. Nobody has
// been seen to need three.
const maxKeyNesting = 32

// Map reads the header of a map. Its entries are to be read next, each the key
// and then the value. Whoever reads them must look for equal keys, if it matters.
func (d *Decoder) Map() (n int, err error) {
	if d.off >= len(d.in) || d.in[d.off] != extMap { // else it is what is wanted
		if err := d.want(KindMap); err != nil {
			return 0, err
		}
	}
	d.took()
	return d.mapHeader()
}

func (d *Decoder) mapHeader() (int, error) {
	at := d.off
	if !d.has(5) {
		return 0, d.truncated(at, "map")
	}
	n := uint64(binary.BigEndian.Uint32(d.in[at+1:]))
	d.off += 5
	return int(n), d.promise(at, 2*n, "map")
}

func (d *Decoder) mapTerm() (Term, error) {
	at := d.off
	if err := d.enter(at); err != nil {
		return nil, err
	}
	n, err := d.mapHeader()
	if err != nil {
		return nil, err
	}
	if n == 0 {
		d.leave()
		return Map(nil), nil
	}
	m := Map(d.slabs.someEntries(n, len(d.in)))
	if s := d.rows.find(n, len(d.in)); s != nil {
		err = d.entriesAlike(m, s)
	} else {
		err = d.entries(m)
	}
	switch {
	case err == errEqualKeys:
		return nil, d.invalid(at, "map with two equal keys")
	case err != nil:
		return nil, err
	}
	d.leave()
	return d.slabs.assoc(m, len(d.in)), nil
}

var errEqualKeys = errors.New("two equal keys")

// entries reads the entries of a map.
func (d *Decoder) entries(m Map) (err error) {
	for i := range m {
		if m[i].Key, err = d.key(len(m)); err != nil {
			return err
		}
		if m[i].Value, err = d.term(); err != nil {
			return err
		}
	}
	if d.dup.inMap(m) >= 0 {
		return errEqualKeys
	}
	return nil
}

// entriesAlike is entries of a map that may have the keys of one before it.
func (d *Decoder) entriesAlike(m Map, s *row) (err error) {
	made, known := s.made, s.n == len(m) // a map inside may change s
	var wire [rowKeys][]byte
	for i := range m {
		key, size := s.next(d.in[d.off:], i)
		if size > 0 {
			d.off += size
			d.took()
		} else {
			known = false
			start := d.off
			if key, err = d.key(len(m)); err != nil {
				return err
			}
			size = d.off - start
		}
		m[i].Key, wire[i] = key, d.in[d.off-size:d.off]
		if m[i].Value, err = d.term(); err != nil {
			return err
		}
	}
	switch {
	case known && made == s.made:
		s.tries = 0
	case d.dup.inMap(m) >= 0:
		return errEqualKeys
	default:
		s.note(m, &wire)
	}
	return nil
}

// key reads a key of a map of n entries.
func (d *Decoder) key(n int) (Term, error) {
	if n < 2 {
		return d.term() // nothing to compare it with
	}
	if d.keys >= maxKeyNesting {
		return nil, d.fail(d.off, ErrLimit, "maps nested as keys of maps")
	}
	d.keys++
	t, err := d.term()
	d.keys--
	return t, err
}

func (e *Encoder) appendMap(dst []byte, m Map) ([]byte, error) {
	n := len(m)
	if uint64(n) > math.MaxUint32 {
		return refuse(dst, ErrLimit, "map of %d entries", n)
	}
	dst = append(dst, extMap, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	if err := e.enter(); err != nil {
		return dst, err
	}
	var err error
	dst = room(dst, 2*n)
	i, shape := 0, e.alike.find(m)
	if shape != nil && shape.n == n {
		// As far as the keys are the shape's, unless a map inside replaces it.
		for made, ok := shape.made, true; i < n; i++ {
			if dst, ok = shape.append(dst, i, m[i].Key); !ok {
				break
			}
			if dst, err = e.append(dst, m[i].Value); err != nil {
				return dst, err
			}
			if shape.made != made {
				i++
				shape = nil
				break
			}
		}
		if i == n && shape != nil {
			shape.tries = 0
			e.leave()
			return dst, nil
		}
	}
	for ; i < n; i++ {
		if key, ok := m[i].Key.(Atom); ok {
			dst, err = e.AppendAtom(dst, key)
		} else {
			dst, err = e.appendKey(dst, m[i].Key, n)
		}
		if err != nil {
			return dst, err
		}
		if dst, err = e.append(dst, m[i].Value); err != nil {
			return dst, err
		}
	}
	// Only now: what could be written is known to be of bounded depth.
	if i := e.dup.inMap(m); i >= 0 {
		return refuse(dst, ErrInvalid, "map with the key %.40v twice", m[i].Key)
	}
	if shape != nil {
		shape.note(e, m)
	}
	e.leave()
	return dst, nil
}

func (e *Encoder) appendKey(dst []byte, key Term, n int) ([]byte, error) {
	if n < 2 {
		return e.append(dst, key)
	}
	if e.keys >= maxKeyNesting {
		return refuse(dst, ErrLimit, "maps nested as keys of maps")
	}
	e.keys++
	dst, err := e.append(dst, key)
	e.keys--
	return dst, err
}
