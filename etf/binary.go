package etf

import (
	"encoding/binary"
	"math"
	"slices"
)

// Binary reads a binary. Without Copy the result aliases the input, with its
// capacity cut off so that appending to it copies.
func (d *Decoder) Binary() ([]byte, error) {
	if d.off >= len(d.in) || d.in[d.off] != extBinary {
		if err := d.want(KindBinary); err != nil {
			return nil, err
		}
	}
	data, _, size, err := d.bits()
	if err != nil {
		return nil, err
	}
	d.off += size
	d.took()
	return data, nil
}

// emptyBinary is boxed once. Nobody can write to it: it has no bytes.
var emptyBinary Term = []byte{}

func (d *Decoder) binary() (Term, error) {
	data, _, size, err := d.bits()
	if err != nil {
		return nil, err
	}
	d.off += size
	if len(data) == 0 {
		return emptyBinary, nil
	}
	return d.slabs.binary(data, len(d.in)), nil
}

// bitstring reads a tag 77; with 8 bits in its last byte it is a binary.
func (d *Decoder) bitstring() (Term, error) {
	data, last, size, err := d.bits()
	if err != nil {
		return nil, err
	}
	d.off += size
	if last == 8 {
		return data, nil
	}
	if end := len(data) - 1; data[end]&unused(last) != 0 {
		// OTP ignores the bits that do not count. The input is not ours to mend,
		// so this one, which only a foreign implementation writes, is copied.
		data = slices.Clone(data)
		data[end] &^= unused(last)
	}
	return Bitstring{Bytes: data, Bits: last}, nil
}

// bits parses the binary or bitstring at the current offset, which stays.
func (d *Decoder) bits() (data []byte, last uint8, size int, err error) {
	head := 5
	if d.in[d.off] == extBitBinary {
		head = 6
	}
	if !d.has(head) {
		return nil, 0, 0, d.truncated(d.off, "binary")
	}
	n := uint64(binary.BigEndian.Uint32(d.in[d.off+1:]))
	last = 8
	if head == 6 {
		last = d.in[d.off+5]
		if last == 0 || last > 8 || n == 0 {
			return nil, 0, 0, d.invalid(d.off, "bitstring with a wrong number of bits")
		}
	}
	start := d.off + head
	if n > uint64(len(d.in)-start) {
		return nil, 0, 0, d.truncated(d.off, "binary")
	}
	end := start + int(n)
	data = d.in[start:end:end]
	if d.Copy {
		data = d.slabs.clone(data, len(d.in))
	}
	return data, last, head + int(n), nil
}

// unused masks the bits of a last byte that do not count.
func unused(last uint8) byte { return 0xff >> last }

func (e *Encoder) appendBinary(dst, data []byte) ([]byte, error) {
	dst, err := appendBinaryHeader(dst, len(data))
	if err != nil {
		return dst, err
	}
	if e.SpliceMin > 0 && len(data) >= e.SpliceMin {
		e.Splices = append(e.Splices, Splice{Offset: len(dst), Data: data})
		e.spliced += len(data)
		return dst, nil
	}
	return append(dst, data...), nil
}

// appendText copies always: a Splice holds a []byte, and a string has none to lend.
func (e *Encoder) appendText(dst []byte, text string) ([]byte, error) {
	dst, err := appendBinaryHeader(dst, len(text))
	if err != nil {
		return dst, err
	}
	return append(dst, text...), nil
}

func appendBinaryHeader(dst []byte, n int) ([]byte, error) {
	if uint64(n) > math.MaxUint32 {
		return refuse(dst, ErrLimit, "binary of %d bytes", n)
	}
	return append(dst, extBinary, byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), nil
}

func (e *Encoder) appendBitstring(dst []byte, b Bitstring) ([]byte, error) {
	n := len(b.Bytes)
	if b.Bits == 0 || b.Bits > 7 || n == 0 {
		return refuse(dst, ErrInvalid, "bitstring of %d bytes, %d bits in the last", n, b.Bits)
	}
	if uint64(n) > math.MaxUint32 {
		return refuse(dst, ErrLimit, "bitstring of %d bytes", n)
	}
	dst = append(dst, extBitBinary)
	dst = binary.BigEndian.AppendUint32(dst, uint32(n))
	dst = append(dst, b.Bits)
	dst = append(dst, b.Bytes...)
	dst[len(dst)-1] &^= unused(b.Bits)
	return dst, nil
}
