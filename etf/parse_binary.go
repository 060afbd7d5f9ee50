package etf

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// angle reads what begins with <: a binary or bitstring.
func (p *parser) angle() (Term, error) {
	if !strings.HasPrefix(p.src[p.pos:], "<<") {
		return nil, p.errorf("<0.1.2> does not name its node; a pid is written #Pid<node@host/creation.id.serial>")
	}
	p.pos += 2
	var w bitWriter
	if p.eat(">>") {
		return w.term(), nil
	}
	for {
		if err := p.segment(&w); err != nil {
			return nil, err
		}
		if p.eat(">>") {
			return w.term(), nil
		}
		if !p.eat(",") {
			return nil, p.expected(", or >>")
		}
	}
}

// segmentSpec is what follows a segment's value: :size/type-list.
type segmentSpec struct {
	size   int64 // in units; -1 for the type's own
	kind   string
	little bool
	unit   int64 // 0 for the type's own
}

// segment reads Value:Size/Types and writes its bits.
func (p *parser) segment(w *bitWriter) error {
	p.space()
	start := p.pos
	var value Term
	var text string
	var err error
	isText := p.peek() == '"'
	if isText {
		text, err = p.stringLiterals()
	} else {
		value, err = p.term()
	}
	if err != nil {
		return err
	}
	spec, err := p.spec()
	if err != nil {
		return err
	}
	end := p.pos
	p.pos = start // errors below are about the whole segment
	if isText {
		err = p.writeText(w, text, spec)
	} else {
		err = p.write(w, value, spec)
	}
	if err == nil {
		p.pos = end
	}
	return err
}

// writeText appends a string: each of its characters in the form of spec.
func (p *parser) writeText(w *bitWriter, text string, spec segmentSpec) error {
	plain := spec.size < 0 && spec.unit == 0
	if plain && spec.kind == "utf8" {
		w.append([]byte(text), int64(len(text))*8, 0)
		return nil
	}
	for _, r := range text {
		switch {
		case plain && spec.kind == "integer" && r > 255:
			return p.errorf("the character %c does not fit a byte; write \"…\"/utf8", r)
		case plain && spec.kind == "integer":
			w.append([]byte{byte(r)}, 8, 0)
		default:
			if err := p.write(w, int64(r), spec); err != nil {
				return err
			}
		}
	}
	return nil
}

// spec reads an optional :size and an optional /type-list.
func (p *parser) spec() (segmentSpec, error) {
	s := segmentSpec{size: -1, kind: "integer"}
	if p.eat(":") {
		p.space()
		n, err := p.decimal(8 * parseMaxSized)
		if err != nil {
			return s, err
		}
		s.size = int64(n)
	}
	if !p.eat("/") {
		return s, nil
	}
	for {
		p.space()
		w := p.word()
		switch w {
		case "integer", "float", "utf8", "utf16", "utf32":
			s.kind = w
		case "binary", "bytes":
			s.kind = "binary"
		case "bitstring", "bits":
			s.kind = "bits"
		case "little":
			s.little = true
		case "big", "signed", "unsigned":
		case "unit":
			p.pos += len(w)
			if err := p.need(":"); err != nil {
				return s, err
			}
			n, err := p.decimal(256)
			if err != nil {
				return s, err
			}
			s.unit, w = max(int64(n), 1), ""
		default:
			return s, p.expected("a segment type such as utf8 or little")
		}
		p.pos += len(w)
		if !p.eat("-") {
			return s, nil
		}
	}
}

// write appends one value in the form that spec asks for.
func (p *parser) write(w *bitWriter, value Term, spec segmentSpec) error {
	switch v := value.(type) {
	case int64:
		if spec == (segmentSpec{size: -1, kind: "integer"}) {
			w.append([]byte{byte(v)}, 8, 0)
			return nil
		}
		return p.writeInt(w, big.NewInt(v), spec)
	case *big.Int:
		return p.writeInt(w, v, spec)
	case float64:
		if spec.kind != "float" {
			return p.errorf("a float in a binary needs /float")
		}
		return p.writeFloat(w, v, spec)
	case []byte:
		return p.writeBits(w, v, int64(len(v))*8, spec)
	case Bitstring:
		return p.writeBits(w, v.Bytes, int64(len(v.Bytes)-1)*8+int64(v.Bits), spec)
	}
	return p.errorf("a binary holds integers, strings, floats and binaries")
}

func (p *parser) writeInt(w *bitWriter, v *big.Int, spec segmentSpec) error {
	switch spec.kind {
	case "utf8", "utf16", "utf32":
		return p.writeRune(w, v, spec)
	case "float":
		f, _ := new(big.Float).SetInt(v).Float64()
		return p.writeFloat(w, f, spec)
	case "integer":
	default:
		return p.errorf("an integer cannot be a segment of type %s", spec.kind)
	}
	bits := int64(8)
	if spec.size >= 0 {
		bits = spec.size * max(spec.unit, 1)
	}
	if spec.size >= 0 {
		if err := p.charge(bits); err != nil {
			return err
		}
	}
	// Two's complement, cut to the size: Erlang writes 256 as 0 into a byte.
	n := int((bits + 7) / 8)
	mod := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	b := new(big.Int).And(v, mod.Sub(mod, big.NewInt(1))).FillBytes(make([]byte, n))
	if !spec.little {
		w.append(b, bits, int64(n)*8-bits)
		return nil
	}
	slices.Reverse(b)
	if tail := bits % 8; tail != 0 {
		b[n-1] <<= 8 - tail
	}
	w.append(b, bits, 0)
	return nil
}

func (p *parser) writeRune(w *bitWriter, v *big.Int, spec segmentSpec) error {
	if !v.IsInt64() || v.Int64() < 0 || v.Int64() > utf8.MaxRune || !utf8.ValidRune(rune(v.Int64())) {
		return p.errorf("%s is not a Unicode character", clip(v.String()))
	}
	if spec.size >= 0 || spec.unit > 0 {
		return p.errorf("a segment of type %s has no size", spec.kind)
	}
	r := rune(v.Int64())
	var order interface {
		AppendUint16([]byte, uint16) []byte
		AppendUint32([]byte, uint32) []byte
	} = binary.BigEndian
	if spec.little {
		order = binary.LittleEndian
	}
	var b []byte
	switch spec.kind {
	case "utf8":
		b = utf8.AppendRune(nil, r)
	case "utf16":
		for _, u := range utf16.AppendRune(nil, r) {
			b = order.AppendUint16(b, u)
		}
	default:
		b = order.AppendUint32(b, uint32(r))
	}
	w.append(b, int64(len(b))*8, 0)
	return nil
}

func (p *parser) writeFloat(w *bitWriter, f float64, spec segmentSpec) error {
	bits := int64(64)
	if spec.size >= 0 {
		bits = spec.size * max(spec.unit, 1)
	}
	var b []byte
	switch {
	case bits == 64:
		b = binary.BigEndian.AppendUint64(nil, math.Float64bits(f))
	case bits == 32 && !math.IsInf(float64(float32(f)), 0):
		b = binary.BigEndian.AppendUint32(nil, math.Float32bits(float32(f)))
	default:
		return p.errorf("a float has 64 bits, or 32 if it fits")
	}
	if spec.little {
		slices.Reverse(b)
	}
	w.append(b, bits, 0)
	return nil
}

// writeBits appends a binary that stands inside the binary, or its beginning.
func (p *parser) writeBits(w *bitWriter, b []byte, have int64, spec segmentSpec) error {
	unit := spec.unit
	switch {
	case spec.kind == "binary" && unit == 0:
		unit = 8
	case spec.kind == "bits" && unit == 0:
		unit = 1
	case spec.kind != "binary" && spec.kind != "bits":
		return p.errorf("a binary in a binary needs /binary or /bits")
	}
	bits := have
	if spec.size >= 0 {
		bits = spec.size * unit
	}
	if bits > have || bits%unit != 0 {
		return p.errorf("the binary has %d bits, which does not suit the segment", have)
	}
	if err := p.charge(bits); err != nil {
		return err
	}
	w.append(b, bits, 0)
	return nil
}

// charge counts bits that may be more than the text that asks for them.
func (p *parser) charge(bits int64) error {
	if int64(p.sized) < bits/8 {
		return p.errorf("segments with a size, and binaries in binaries, may have %d MiB in all", parseMaxSized>>20)
	}
	p.sized -= int(bits / 8)
	return nil
}

// bitWriter collects bits, most significant first.
type bitWriter struct {
	b    []byte
	used int64 // bits of the last byte that count, 0 if all
}

// append adds bits of b, after skipping the first skip (less than 8) of them.
func (w *bitWriter) append(b []byte, bits, skip int64) {
	if w.used == 0 && skip == 0 {
		w.b = append(w.b, b[:(bits+7)/8]...)
		if w.used = bits % 8; w.used != 0 {
			w.b[len(w.b)-1] &= 0xff << (8 - w.used)
		}
		return
	}
	for i := skip; i < skip+bits; i++ {
		if w.used == 0 {
			w.b = append(w.b, 0)
		}
		bit := b[i/8] >> (7 - i%8) & 1
		w.b[len(w.b)-1] |= bit << (7 - w.used)
		w.used = (w.used + 1) % 8
	}
}

func (w *bitWriter) term() Term {
	if w.used != 0 {
		return Bitstring{Bytes: w.b, Bits: uint8(w.used)}
	}
	if w.b == nil {
		return []byte{}
	}
	return w.b
}
