package etf

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
)

// digits is an integer as the tags 110 and 111 have it: little-endian, without
// leading zeros, the sign apart. Zero has no digits and no sign.
type digits struct {
	abs []byte
	neg bool
}

// Int reads an integer of at most 64 bits. A larger one is ErrRange.
func (d *Decoder) Int() (int64, error) {
	if i, size := d.shortInt(); size > 0 {
		d.off += size
		d.took()
		return i, nil
	}
	i, raw, size, err := d.integer()
	if err != nil {
		return 0, err
	}
	if raw.abs != nil {
		var ok bool
		if i, ok = raw.int64(); !ok {
			return 0, d.fail(d.off, ErrRange, "integer needs more than 64 bits")
		}
	}
	d.off += size
	d.took()
	return i, nil
}

// Uint reads an integer from 0 to 2^64-1. Any other is ErrRange.
func (d *Decoder) Uint() (uint64, error) {
	if i, size := d.shortInt(); size > 0 && i >= 0 {
		d.off += size
		d.took()
		return uint64(i), nil
	}
	i, raw, size, err := d.integer()
	if err != nil {
		return 0, err
	}
	u := uint64(i)
	if raw.abs != nil {
		u = raw.magnitude()
	}
	if i < 0 || raw.neg || len(raw.abs) > 8 {
		return 0, d.fail(d.off, ErrRange, "integer is negative or needs more than 64 bits")
	}
	d.off += size
	d.took()
	return u, nil
}

// shortInt parses an integer of less than 56 bits at the current offset, which stays. If
// something else comes, size is 0.
func (d *Decoder) shortInt() (i int64, size int) {
	in := d.in[d.off:]
	switch {
	case len(in) >= 5 && in[0] == extInteger:
		return int64(int32(binary.BigEndian.Uint32(in[1:5]))), 5
	case len(in) >= 2 && in[0] == extSmallInteger:
		return int64(in[1]), 2
	case len(in) >= 3 && in[0] == extSmallBig:
		n := int(in[1])
		if n > 7 || n > len(in)-3 || n > d.Limits.bytes() {
			return 0, 0
		}
		for k := n - 1; k >= 0; k-- {
			i = i<<8 | int64(in[3+k])
		}
		if in[2] != 0 {
			i = -i
		}
		return i, 3 + n
	}
	return 0, 0
}

// BigInt reads an integer of any size, limited by Limits.Bytes.
func (d *Decoder) BigInt() (*big.Int, error) {
	i, raw, size, err := d.integer()
	if err != nil {
		return nil, err
	}
	d.off += size
	d.took()
	if raw.abs != nil {
		return raw.big(), nil
	}
	return big.NewInt(i), nil
}

// big reads a tag 110 or 111: an int64 where it fits, else a *big.Int.
func (d *Decoder) big() (Term, error) {
	i, raw, size, err := d.integer()
	if err != nil {
		return nil, err
	}
	d.off += size
	if raw.abs == nil {
		return i, nil
	}
	if i, ok := raw.int64(); ok {
		return d.slabs.int(i, len(d.in)), nil
	}
	return raw.big(), nil
}

// integer parses the integer at the current offset, which stays: size is how
// long it is. Its value is raw if that has digits, else i.
func (d *Decoder) integer() (i int64, raw digits, size int, err error) {
	if err := d.want(KindInt); err != nil {
		return 0, raw, 0, err
	}
	switch tag := d.in[d.off]; {
	case tag == extSmallInteger && d.has(2):
		return int64(d.in[d.off+1]), raw, 2, nil
	case tag == extInteger && d.has(5):
		return int64(int32(binary.BigEndian.Uint32(d.in[d.off+1:]))), raw, 5, nil
	case tag == extSmallBig && d.has(3):
		raw, size, err = d.digits(3, uint64(d.in[d.off+1]))
	case tag == extLargeBig && d.has(6):
		raw, size, err = d.digits(6, uint64(binary.BigEndian.Uint32(d.in[d.off+1:])))
	default:
		err = d.truncated(d.off, "integer")
	}
	return 0, raw, size, err
}

// digits cuts n digits out behind a head whose last byte is the sign. Any sign
// but 0 is minus and leading zeros are allowed, as OTP has it.
func (d *Decoder) digits(head int, n uint64) (digits, int, error) {
	if n > uint64(len(d.in)-d.off-head) {
		return digits{}, 0, d.truncated(d.off, "integer")
	}
	if n > uint64(d.Limits.bytes()) {
		return digits{}, 0, d.fail(d.off, ErrLimit, "integer exceeds Limits.Bytes")
	}
	sign := d.in[d.off+head-1]
	abs := d.in[d.off+head : d.off+head+int(n)]
	for len(abs) > 0 && abs[len(abs)-1] == 0 {
		abs = abs[:len(abs)-1]
	}
	if len(abs) == 0 {
		return digits{}, head + int(n), nil
	}
	return digits{abs: abs, neg: sign != 0}, head + int(n), nil
}

// magnitude is the absolute value modulo 2^64.
func (g digits) magnitude() (u uint64) {
	for i := min(len(g.abs), 8) - 1; i >= 0; i-- {
		u = u<<8 | uint64(g.abs[i])
	}
	return u
}

func (g digits) int64() (int64, bool) {
	u := g.magnitude()
	switch {
	case len(g.abs) > 8:
		return 0, false
	case !g.neg:
		return int64(u), u <= math.MaxInt64
	default:
		return -int64(u), u <= 1<<63
	}
}

func (g digits) big() *big.Int {
	const size = bits.UintSize / 8
	words := make([]big.Word, (len(g.abs)+size-1)/size)
	for i, digit := range g.abs {
		words[i/size] |= big.Word(digit) << (8 * (i % size))
	}
	n := new(big.Int).SetBits(words)
	if g.neg {
		n.Neg(n)
	}
	return n
}

// AppendInt appends an integer.
func (e *Encoder) AppendInt(dst []byte, i int64) []byte { return appendInt(dst, i) }

// AppendUint appends an integer.
func (e *Encoder) AppendUint(dst []byte, u uint64) []byte {
	if u <= math.MaxInt64 {
		return appendInt(dst, int64(u))
	}
	return appendDigits(dst, 0, u)
}

// appendInt chooses the form that OTP would.
func appendInt(dst []byte, i int64) []byte {
	switch {
	case 0 <= i && i <= 0xff:
		return append(dst, extSmallInteger, byte(i))
	case math.MinInt32 <= i && i <= math.MaxInt32:
		return append(dst, extInteger, byte(i>>24), byte(i>>16), byte(i>>8), byte(i))
	case i < 0:
		return appendDigits(dst, 1, -uint64(i))
	default:
		return appendDigits(dst, 0, uint64(i))
	}
}

func appendDigits(dst []byte, sign byte, u uint64) []byte {
	n := (bits.Len64(u) + 7) / 8
	dst = append(dst, extSmallBig, byte(n), sign)
	return binary.LittleEndian.AppendUint64(dst, u)[:len(dst)+n]
}

func appendBig(dst []byte, n *big.Int) ([]byte, error) {
	if n.IsInt64() {
		return appendInt(dst, n.Int64()), nil
	}
	size := (n.BitLen() + 7) / 8
	var sign byte
	if n.Sign() < 0 {
		sign = 1
	}
	switch {
	case size <= 0xff:
		dst = append(dst, extSmallBig, byte(size), sign)
	case uint64(size) <= math.MaxUint32:
		dst = append(dst, extLargeBig)
		dst = binary.BigEndian.AppendUint32(dst, uint32(size))
		dst = append(dst, sign)
	default:
		return refuse(dst, ErrLimit, "integer of more than 4 GiB")
	}
	end := len(dst) + size
	for _, word := range n.Bits() {
		for i := 0; i < bits.UintSize/8 && len(dst) < end; i++ {
			dst = append(dst, byte(word))
			word >>= 8
		}
	}
	return dst, nil
}
