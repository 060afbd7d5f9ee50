package etf

import (
	"encoding/binary"
	"math"
)

// record reads a tag 67, which OTP 29 sends even to who did not ask for it.
func (d *Decoder) record() (Term, error) {
	at := d.off
	if err := d.enter(at); err != nil {
		return nil, err
	}
	r, n, err := d.recordHeader()
	if err != nil {
		return nil, err
	}
	if n > 0 {
		r.Fields, r.Values = make([]Atom, n), make([]Term, n)
	}
	for i := range r.Fields {
		d.took()
		if r.Fields[i], err = d.node(); err != nil {
			return nil, err
		}
	}
	if d.dup.inAtoms(r.Fields) >= 0 {
		return nil, d.invalid(at, "record with two fields of one name")
	}
	for i := range r.Values {
		if r.Values[i], err = d.term(); err != nil {
			return nil, err
		}
	}
	d.leave()
	return r, nil
}

// recordHeader reads up to the names of the fields, of which there are n, and
// then as many values.
func (d *Decoder) recordHeader() (r Record, n int, err error) {
	at := d.off
	if !d.has(6) {
		return r, 0, d.truncated(at, "record")
	}
	fields, flags := uint64(binary.BigEndian.Uint32(d.in[at+1:])), d.in[at+5]
	if flags > 1 {
		return r, 0, d.invalid(at, "record with unknown flags")
	}
	r.Exported = flags == 1
	d.off += 6
	if r.Module, err = d.node(); err != nil {
		return r, 0, err
	}
	if r.Name, err = d.node(); err != nil {
		return r, 0, err
	}
	return r, int(fields), d.promise(at, 2*fields, "record")
}

func (e *Encoder) appendRecord(dst []byte, r Record) ([]byte, error) {
	switch {
	case !e.Records:
		return refuse(dst, ErrUnsupported, "native record %s of module %s: only OTP 29 and later read those", r.Name, r.Module)
	case len(r.Fields) != len(r.Values):
		return refuse(dst, ErrInvalid, "record %s of %d fields and %d values", r.Name, len(r.Fields), len(r.Values))
	case uint64(len(r.Fields)) > math.MaxUint32:
		return refuse(dst, ErrLimit, "record of %d fields", len(r.Fields))
	}
	if i := e.dup.inAtoms(r.Fields); i >= 0 {
		return refuse(dst, ErrInvalid, "record %s with the field %s twice", r.Name, r.Fields[i])
	}
	dst = append(dst, extRecord)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(r.Fields)))
	var flags byte
	if r.Exported {
		flags = 1
	}
	dst, err := e.AppendAtom(append(dst, flags), r.Module)
	if err != nil {
		return dst, err
	}
	if dst, err = e.AppendAtom(dst, r.Name); err != nil {
		return dst, err
	}
	for _, f := range r.Fields {
		if dst, err = e.AppendAtom(dst, f); err != nil {
			return dst, err
		}
	}
	return e.appendAll(dst, r.Values)
}
