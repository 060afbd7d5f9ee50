package etf

import "encoding/binary"

// Pid reads a pid.
func (d *Decoder) Pid() (Pid, error) {
	if err := d.want(KindPid); err != nil {
		return Pid{}, err
	}
	d.took()
	return d.pid()
}

// Port reads a port.
func (d *Decoder) Port() (Port, error) {
	if err := d.want(KindPort); err != nil {
		return Port{}, err
	}
	d.took()
	return d.port()
}

// Ref reads a reference.
func (d *Decoder) Ref() (Ref, error) {
	if err := d.want(KindRef); err != nil {
		return Ref{}, err
	}
	d.took()
	return d.ref()
}

func (d *Decoder) pid() (p Pid, err error) {
	at, tag := d.off, d.in[d.off]
	d.off++
	if p.Node, err = d.node(); err != nil {
		return Pid{}, err
	}
	if !d.has(8) {
		return Pid{}, d.truncated(at, "pid")
	}
	p.ID, p.Serial = d.u32(), d.u32()
	p.Creation, err = d.creation(at, tag == extNewPid)
	return p, err
}

func (d *Decoder) port() (p Port, err error) {
	at, tag := d.off, d.in[d.off]
	d.off++
	if p.Node, err = d.node(); err != nil {
		return Port{}, err
	}
	if !d.has(8) && (tag == extV4Port || !d.has(4)) {
		return Port{}, d.truncated(at, "port")
	}
	p.ID = uint64(d.u32())
	if tag == extV4Port {
		p.ID = p.ID<<32 | uint64(d.u32())
	}
	p.Creation, err = d.creation(at, tag != extPort)
	return p, err
}

func (d *Decoder) ref() (r Ref, err error) {
	at, tag := d.off, d.in[d.off]
	words := 1
	d.off++
	if tag != extReference {
		if !d.has(2) {
			return Ref{}, d.truncated(at, "reference")
		}
		words = int(binary.BigEndian.Uint16(d.in[d.off:]))
		d.off += 2
		if words > maxRefWords {
			return Ref{}, d.invalid(at, "reference of more than 5 words")
		}
	}
	r.Len = uint8(words)
	if r.Node, err = d.node(); err != nil {
		return Ref{}, err
	}
	if tag == extReference { // here, and only here, the word precedes the creation
		if !d.has(4) {
			return Ref{}, d.truncated(at, "reference")
		}
		if r.Words[0] = d.u32(); r.Words[0] > maxOldRefWord {
			return Ref{}, d.invalid(at, "old reference of more than 18 bits")
		}
		r.Creation, err = d.creation(at, false)
		return r, err
	}
	if r.Creation, err = d.creation(at, tag == extNewerRef); err != nil {
		return Ref{}, err
	}
	if !d.has(4 * words) {
		return Ref{}, d.truncated(at, "reference")
	}
	for i := range r.Words[:words] {
		r.Words[i] = d.u32()
	}
	if tag == extNewReference && r.Words[0] > maxOldRefWord {
		return Ref{}, d.invalid(at, "old reference of more than 18 bits")
	}
	return r, nil
}

// node reads the atom inside an identity.
func (d *Decoder) node() (Atom, error) {
	t, err := d.atom()
	if err != nil {
		return "", err
	}
	return t.(Atom), nil
}

// u32 reads 4 bytes that are known to be there.
func (d *Decoder) u32() uint32 {
	v := binary.BigEndian.Uint32(d.in[d.off:])
	d.off += 4
	return v
}

// creation reads a creation of 4 bytes, or of one byte as before OTP 23.
func (d *Decoder) creation(at int, wide bool) (uint32, error) {
	switch {
	case wide && d.has(4):
		return d.u32(), nil
	case wide || !d.has(1):
		return 0, d.truncated(at, "creation")
	}
	c := d.in[d.off]
	if c > maxOldCreate {
		return 0, d.invalid(at, "creation of more than two bits")
	}
	d.off++
	return uint32(c), nil
}

// AppendPid appends a pid.
func (e *Encoder) AppendPid(dst []byte, p Pid) ([]byte, error) {
	dst, err := e.AppendAtom(append(dst, extNewPid), p.Node)
	if err != nil {
		return dst, err
	}
	dst = binary.BigEndian.AppendUint32(dst, p.ID)
	dst = binary.BigEndian.AppendUint32(dst, p.Serial)
	return binary.BigEndian.AppendUint32(dst, p.Creation), nil
}

func (e *Encoder) appendPort(dst []byte, p Port) ([]byte, error) {
	tag := byte(extNewPort)
	if p.ID > maxPort32 {
		tag = extV4Port
	}
	dst, err := e.AppendAtom(append(dst, tag), p.Node)
	if err != nil {
		return dst, err
	}
	if tag == extV4Port {
		dst = binary.BigEndian.AppendUint64(dst, p.ID)
	} else {
		dst = binary.BigEndian.AppendUint32(dst, uint32(p.ID))
	}
	return binary.BigEndian.AppendUint32(dst, p.Creation), nil
}

// AppendRef appends a reference.
func (e *Encoder) AppendRef(dst []byte, r Ref) ([]byte, error) {
	if r.Len > maxRefWords {
		return refuse(dst, ErrInvalid, "reference of %d words", r.Len)
	}
	dst, err := e.AppendAtom(append(dst, extNewerRef, 0, r.Len), r.Node)
	if err != nil {
		return dst, err
	}
	dst = binary.BigEndian.AppendUint32(dst, r.Creation)
	for _, w := range r.Words[:r.Len] {
		dst = binary.BigEndian.AppendUint32(dst, w)
	}
	return dst, nil
}
