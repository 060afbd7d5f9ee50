package etf

import (
	"hash/maphash"
)

// Skip reads the next term without building it. It refuses what Term refuses,
// equal keys in maps included, but for Limits.Atoms, since it makes none. It does
// not allocate, except for funs, records, identities whose node is not in the
// atom table, and maps of more than 32 entries or with compound keys.
func (d *Decoder) Skip() error {
	d.took()
	kind := d.Kind()
	if d.off >= len(d.in) {
		return d.truncated(d.off, "a term")
	}
	switch kind {
	case KindAtom:
		return d.skipAtom()
	case KindInt:
		_, _, size, err := d.integer()
		d.off += size
		return err
	case KindBinary, KindBitstring:
		_, _, size, err := d.bits()
		d.off += size
		return err
	case KindTuple, KindList, KindMap:
		return d.skipContainer(kind)
	case KindPid:
		_, err := d.pid()
		return err
	case KindRef:
		_, err := d.ref()
		return err
	case KindFloat:
		_, err := d.float()
		return err
	default: // rare enough to be built in vain, and unknown tags
		_, err := d.rareTerm(d.in[d.off])
		return err
	}
}

func (d *Decoder) skipAtom() error {
	if d.has(2) && d.in[d.off] == extAtomCacheRef {
		_, err := d.atomRef()
		return err
	}
	text, head, latin1, err := d.atomText()
	if err != nil {
		return err
	}
	if !latin1 {
		if err := d.checkText(d.off, text); err != nil {
			return err
		}
	}
	d.off += head + len(text)
	return nil
}

func (d *Decoder) skipContainer(kind Kind) error {
	switch d.in[d.off] {
	case extNil:
		d.off++
		return nil
	case extString:
		_, err := d.str()
		return err
	}
	if err := d.enter(d.off); err != nil {
		return err
	}
	var err error
	switch kind {
	case KindTuple:
		var n int
		if n, err = d.tupleHeader(); err == nil {
			err = d.skipAll(n)
		}
	case KindList:
		err = d.skipList()
	default:
		err = d.skipMap()
	}
	d.leave()
	return err
}

func (d *Decoder) skipAll(n int) error {
	for range n {
		if err := d.Skip(); err != nil {
			return err
		}
	}
	return nil
}

// skipList reads a list and the lists that are its tail in a loop; see list.
func (d *Decoder) skipList() error {
	for d.Kind() == KindList {
		switch d.in[d.off] {
		case extNil:
			d.off++
			return nil
		case extString:
			_, err := d.str()
			return err
		}
		n, err := d.listHeader()
		if err != nil {
			return err
		}
		if err := d.skipAll(n); err != nil {
			return err
		}
		if d.Kind() != KindList {
			break
		}
		d.took()
	}
	return d.Skip()
}

func (d *Decoder) skipMap() error {
	at := d.off
	n, err := d.mapHeader()
	if err != nil {
		return err
	}
	if n > fewTerms {
		return d.skipLargeMap(at, n)
	}
	var hashes [fewTerms]uint64
	var starts [fewTerms]int
	for i := range n {
		starts[i] = d.off
		if hashes[i], err = d.hashKey(n); err != nil {
			return err
		}
		if err := d.Skip(); err != nil {
			return err
		}
	}
	if pairwise(hashes[:n], func(i, j int) bool { return d.sameAt(starts[i], starts[j]) }) >= 0 {
		return d.invalid(at, "map with two equal keys")
	}
	return nil
}

func (d *Decoder) skipLargeMap(at, n int) error {
	hashes, starts := make([]uint64, n), make([]int, n)
	var err error
	for i := range n {
		starts[i] = d.off
		if hashes[i], err = d.hashKey(n); err != nil {
			return err
		}
		if err := d.Skip(); err != nil {
			return err
		}
	}
	if d.dup.search(hashes, func(i, j int) bool { return d.sameAt(starts[i], starts[j]) }) >= 0 {
		return d.invalid(at, "map with two equal keys")
	}
	return nil
}

// hashKey skips a key of a map of n entries and returns what hashTerm would give
// for it.
func (d *Decoder) hashKey(n int) (uint64, error) {
	switch d.Kind() {
	case KindAtom:
		return d.hashAtomKey()
	case KindBinary:
		data, _, size, err := d.bits()
		d.took()
		d.off += size
		return hashBytes(data), err
	case KindInt:
		i, raw, size, err := d.integer()
		if err != nil {
			return 0, err
		}
		if raw.abs != nil {
			var small bool
			if i, small = raw.int64(); !small {
				break
			}
		}
		d.took()
		d.off += size
		return hashInt(i), nil
	}
	t, err := d.key(n)
	if err != nil {
		return 0, err
	}
	return hashTerm(t), nil
}

func (d *Decoder) hashAtomKey() (uint64, error) {
	at := d.off
	d.took()
	if err := d.skipAtom(); err != nil {
		return 0, err
	}
	switch d.in[at] {
	case extAtomCacheRef:
		return hashAtom(d.atoms[d.in[at+1]].(Atom)), nil
	case extSmallAtomUTF8:
		return maphash.Bytes(hashSeed, d.in[at+2:d.off]), nil
	case extAtomUTF8:
		return maphash.Bytes(hashSeed, d.in[at+3:d.off]), nil
	case extSmallAtom:
		return maphash.Bytes(hashSeed, utf8Of(d.in[at+2:d.off])), nil
	default:
		return maphash.Bytes(hashSeed, utf8Of(d.in[at+3:d.off])), nil
	}
}

// sameAt compares two terms of the input that were read before. Different keys
// practically never get here, as their hashes differ.
func (d *Decoder) sameAt(i, j int) bool {
	a, errA := d.again(i)
	b, errB := d.again(j)
	return errA == nil && errB == nil && Equal(a, b)
}

func (d *Decoder) again(at int) (Term, error) {
	var again Decoder
	again.Limits = d.Limits
	again.Reset(d.in, d.atoms)
	again.off = at
	return again.term()
}
