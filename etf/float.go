package etf

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
)

// Float reads a float. An integer is ErrKind: 1 and 1.0 are different terms.
func (d *Decoder) Float() (float64, error) {
	if d.off >= len(d.in) || d.in[d.off] != extNewFloat {
		if err := d.want(KindFloat); err != nil {
			return 0, err
		}
	}
	f, err := d.float()
	if err == nil {
		d.took()
	}
	return f, err
}

func (d *Decoder) float() (float64, error) {
	if d.in[d.off] == extFloat {
		return d.textFloat()
	}
	if !d.has(9) {
		return 0, d.truncated(d.off, "float")
	}
	f := math.Float64frombits(binary.BigEndian.Uint64(d.in[d.off+1:]))
	if !finite(f) {
		return 0, d.invalid(d.off, "float is NaN or infinite")
	}
	d.off += 9
	return f, nil
}

// textFloat reads the form of before R11: "%.20e" in 31 bytes, padded with NULs.
func (d *Decoder) textFloat() (float64, error) {
	const size = 31
	if !d.has(1 + size) {
		return 0, d.truncated(d.off, "float")
	}
	text, _, _ := bytes.Cut(d.in[d.off+1:d.off+1+size], []byte{0})
	if !decimalFloat(text) {
		return 0, d.invalid(d.off, "float is not decimal text")
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0, d.invalid(d.off, "float out of range")
	}
	d.off += 1 + size
	return f, nil
}

// decimalFloat reports whether text is what OTP reads as a float: digits on both
// sides of the point. ParseFloat alone would also take 1, .5, 0x1p4 and inf.
func decimalFloat(text []byte) bool {
	skipDigits := func() bool {
		n := 0
		for n < len(text) && '0' <= text[n] && text[n] <= '9' {
			n++
		}
		text = text[n:]
		return n > 0
	}
	skipAny := func(set string) bool {
		if len(text) == 0 || bytes.IndexByte([]byte(set), text[0]) < 0 {
			return false
		}
		text = text[1:]
		return true
	}
	skipAny("+-")
	if !skipDigits() || !skipAny(".") || !skipDigits() {
		return false
	}
	if skipAny("eE") {
		skipAny("+-")
		if !skipDigits() {
			return false
		}
	}
	return len(text) == 0
}

func finite(f float64) bool { return f-f == 0 } // NaN is what Inf-Inf and NaN-NaN are

func appendFloat(dst []byte, f float64) ([]byte, error) {
	if !finite(f) {
		return refuse(dst, ErrInvalid, "float %v", f)
	}
	dst = append(dst, extNewFloat)
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(f)), nil
}
