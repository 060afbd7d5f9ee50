package etf

import (
	"encoding/binary"
	"math"
)

func (d *Decoder) export() (x Export, err error) {
	at := d.off
	d.off++
	if x.Module, err = d.node(); err != nil {
		return Export{}, err
	}
	if x.Function, err = d.node(); err != nil {
		return Export{}, err
	}
	arity, err := d.smallField(at, "arity of a fun")
	if err != nil {
		return Export{}, err
	}
	if arity > math.MaxUint8 {
		return Export{}, d.invalid(at, "arity of a fun above 255")
	}
	x.Arity = uint8(arity)
	return x, nil
}

// smallField reads a non-negative integer inside a fun, in whichever form.
func (d *Decoder) smallField(at int, what string) (uint32, error) {
	if d.off < len(d.in) && kinds[d.in[d.off]] != KindInt {
		return 0, d.invalid(d.off, what+" is no integer")
	}
	i, raw, size, err := d.integer()
	if err != nil {
		return 0, err
	}
	if raw.abs != nil {
		i = int64(raw.magnitude())
	}
	if raw.neg || len(raw.abs) > 4 || i < 0 || i > math.MaxUint32 {
		return 0, d.invalid(at, what+" out of range")
	}
	d.off += size
	return uint32(i), nil
}

// fun reads a tag 112. Its size field is skipped: OTP does not trust it either.
func (d *Decoder) fun() (Term, error) {
	const head = 1 + 4 + 1 + 16 + 4 + 4
	at := d.off
	if err := d.enter(at); err != nil {
		return nil, err
	}
	if !d.has(head) {
		return nil, d.truncated(at, "fun")
	}
	f := Fun{Arity: d.in[at+5], Index: binary.BigEndian.Uint32(d.in[at+22:])}
	copy(f.Uniq[:], d.in[at+6:])
	free := uint64(binary.BigEndian.Uint32(d.in[at+26:]))
	d.off += head
	if free > maxFunFree {
		return nil, d.invalid(at, "fun with more than 255 free variables")
	}
	if err := d.funFields(at, &f); err != nil {
		return nil, err
	}
	if err := d.promise(at, free, "fun"); err != nil {
		return nil, err
	}
	if free > 0 {
		f.Free = make([]Term, free)
	}
	var err error
	for i := range f.Free {
		if f.Free[i], err = d.term(); err != nil {
			return nil, err
		}
	}
	d.leave()
	return f, nil
}

func (d *Decoder) funFields(at int, f *Fun) (err error) {
	if f.Module, err = d.node(); err != nil {
		return err
	}
	if f.OldIndex, err = d.smallField(at, "index of a fun"); err != nil {
		return err
	}
	if f.OldUniq, err = d.smallField(at, "uniq of a fun"); err != nil {
		return err
	}
	switch {
	case d.off >= len(d.in):
		return d.truncated(at, "fun")
	case d.Kind() != KindPid:
		return d.invalid(d.off, "fun whose creator is no pid")
	}
	f.Pid, err = d.pid()
	return err
}

func (e *Encoder) appendExport(dst []byte, x Export) ([]byte, error) {
	dst, err := e.AppendAtom(append(dst, extExport), x.Module)
	if err != nil {
		return dst, err
	}
	if dst, err = e.AppendAtom(dst, x.Function); err != nil {
		return dst, err
	}
	return append(dst, extSmallInteger, x.Arity), nil
}

// appendFun writes the fun anew rather than as it was read: its size depends on
// which of its atoms stand in the header of the frame that carries it now.
func (e *Encoder) appendFun(dst []byte, f Fun) ([]byte, error) {
	if len(f.Free) > maxFunFree {
		return refuse(dst, ErrInvalid, "fun with %d free variables", len(f.Free))
	}
	start, spliced := len(dst)+1, e.spliced
	dst = append(dst, extNewFun, 0, 0, 0, 0, f.Arity)
	dst = append(dst, f.Uniq[:]...)
	dst = binary.BigEndian.AppendUint32(dst, f.Index)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(f.Free)))
	dst, err := e.AppendAtom(dst, f.Module)
	if err != nil {
		return dst, err
	}
	dst = appendInt(dst, int64(f.OldIndex))
	dst = appendInt(dst, int64(f.OldUniq))
	if dst, err = e.AppendPid(dst, f.Pid); err != nil {
		return dst, err
	}
	if dst, err = e.appendAll(dst, f.Free); err != nil {
		return dst, err
	}
	size := len(dst) - start + e.spliced - spliced
	if uint64(size) > math.MaxUint32 {
		return refuse(dst, ErrLimit, "fun of %d bytes", size)
	}
	binary.BigEndian.PutUint32(dst[start:], uint32(size))
	return dst, nil
}
