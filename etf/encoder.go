package etf

import (
	"math/big"
	"slices"
	"sync"
)

// AtomCache is how an Encoder learns which atoms stand in the header of the
// distribution frame it writes into. See the package dist.
//
// What it answers must hold until Append returns. An Encoder asks once for an atom
// that is the key of many maps or structs of a term, and goes by that answer.
type AtomCache interface {
	// Ref returns the header index of a, or false if a must be written out.
	Ref(a Atom) (index uint8, ok bool)
}

// Splice is a large binary that an Encoder left out of its output.
type Splice struct {
	Offset int    // where in the output (from the start of dst) Data belongs
	Data   []byte // the caller's own slice, not a copy
}

// Encoder writes terms. The zero value writes what every OTP since 25 reads,
// except native records, which it refuses.
//
// Whatever would make the receiver drop the connection is refused with an error
// instead: NaN and infinities, atoms too long or not UTF-8, maps with equal keys,
// and so on. (One case is left to the caller: 0.0 and -0.0 as two keys of one map
// are fine since OTP 27, and the same key before.)
//
// An Encoder keeps nothing of what it wrote but Splices, and tables of bounded
// size that make the next Append cheaper. It is not safe for concurrent use.
type Encoder struct {
	// Cache, if set, is asked for the atoms of a term, but need not be asked twice
	// for the same one: what it answers holds until Append returns.
	Cache AtomCache
	// Records allows native records: the reader is OTP 29 or Truss.
	Records bool
	// SpliceMin, if positive, leaves binaries of at least so many bytes out of
	// the output and notes them in Splices instead. Strings and bitstrings are
	// always written out.
	SpliceMin int
	// Splices is appended to, in order of Offset, by Append.
	Splices []Splice

	depth   int
	keys    int // how many maps the current term lies in the key of
	spliced int // bytes in Splices
	dup     duplicates
	alike   alike
}

// Append appends the external form of v, without the leading version byte 131,
// to dst. On an error dst is returned at its old length: nothing half written.
//
// It does not allocate but to grow dst and Splices, and for Go types that are not
// in the table at Term. Values that contain themselves fail with ErrLimit, as all
// do that nest deeper than 10,000.
func (e *Encoder) Append(dst []byte, v any) ([]byte, error) {
	depth, keys, spliced, splices := e.depth, e.keys, e.spliced, len(e.Splices)
	var out []byte
	var err error
	if p := pointerPlan(v); p != nil { // most messages are such
		out, err = p.elem.encodePointee(e, dst, dataWord(v), false)
	} else {
		out, err = e.append(dst, v)
	}
	if e.alike.maps > 0 {
		e.alike.reset()
	}
	if err != nil {
		e.depth, e.keys, e.spliced = depth, keys, spliced
		clear(e.Splices[splices:])
		e.Splices = e.Splices[:splices]
		return dst, err
	}
	return out, nil
}

// Marshal returns the external form of v, with the leading version byte 131. It
// refuses native records, which only OTP 29 and later read: for those use an
// Encoder.
func Marshal(v any) ([]byte, error) {
	m := marshalers.Get().(*marshaler)
	defer marshalers.Put(m)
	out, err := m.enc.Append(append(m.buf[:0], version), v)
	if err != nil {
		m.enc = Encoder{}
		return nil, err
	}
	if cap(out) <= maxScratch {
		m.buf = out
	}
	return append([]byte(nil), out...), nil
}

// marshaler is what a Marshal encodes with and into, to return a copy of the
// right size: to let the result grow instead costs a 50 KB term 200 KB of garbage.
type marshaler struct {
	enc Encoder
	buf []byte
}

var marshalers = sync.Pool{New: func() any { return new(marshaler) }}

// maxScratch is the largest buffer that is kept.
const maxScratch = 1 << 20

// append is Append without its promise about errors. The types that fill most
// terms come first, each at the price of one comparison: a switch over all of them
// would begin by looking a hash up.
func (e *Encoder) append(dst []byte, v any) ([]byte, error) {
	if v, ok := v.(Atom); ok {
		return e.AppendAtom(dst, v)
	}
	if v, ok := v.([]byte); ok {
		return e.appendBinary(dst, v)
	}
	if v, ok := v.(int64); ok {
		return appendInt(dst, v), nil
	}
	if v, ok := v.(Tuple); ok {
		return e.appendTuple(dst, v)
	}
	if v, ok := v.(float64); ok {
		return appendFloat(dst, v)
	}
	if v, ok := v.(Map); ok {
		return e.appendMap(dst, v)
	}
	if v, ok := v.(List); ok {
		return e.appendList(dst, v)
	}
	return e.appendOther(dst, v)
}

func (e *Encoder) appendOther(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return e.appendText(dst, v)
	case Pid:
		return e.AppendPid(dst, v)
	case Ref:
		return e.AppendRef(dst, v)
	case int:
		return appendInt(dst, int64(v)), nil
	case bool:
		return e.AppendAtom(dst, boolAtom(v))
	case nil:
		return e.AppendAtom(dst, "nil")
	case *big.Int:
		if v == nil {
			return e.AppendAtom(dst, "nil")
		}
		return appendBig(dst, v)
	case ImproperList:
		return e.appendImproper(dst, v)
	case Charlist:
		return e.appendCharlist(dst, v)
	case Bitstring:
		return e.appendBitstring(dst, v)
	case Port:
		return e.appendPort(dst, v)
	case Export:
		return e.appendExport(dst, v)
	case Fun:
		return e.appendFun(dst, v)
	case Record:
		return e.appendRecord(dst, v)
	case float32:
		return appendFloat(dst, float64(v))
	case int32:
		return appendInt(dst, int64(v)), nil
	case int16:
		return appendInt(dst, int64(v)), nil
	case int8:
		return appendInt(dst, int64(v)), nil
	case uint:
		return e.AppendUint(dst, uint64(v)), nil
	case uint64:
		return e.AppendUint(dst, v), nil
	case uint32:
		return appendInt(dst, int64(v)), nil
	case uint16:
		return appendInt(dst, int64(v)), nil
	case uint8:
		return appendInt(dst, int64(v)), nil
	case uintptr:
		return e.AppendUint(dst, uint64(v)), nil
	default:
		return e.appendPlanned(dst, v)
	}
}

// enter notes that the elements of a container are being written; each enter has
// its leave, except after an error.
func (e *Encoder) enter() error {
	if e.depth >= defaultDepth {
		return &EncodeError{What: "nesting deeper than 10,000; does the value contain itself?", Err: ErrLimit}
	}
	e.depth++
	return nil
}

func (e *Encoder) leave() { e.depth-- }

// room makes room for n terms before they are written. It doubles small buffers,
// where append alone, beyond 256 bytes, adds a quarter: a 50 KB term would be
// copied a dozen times.
func room(dst []byte, n int) []byte {
	if least := 4*n + 16; cap(dst)-len(dst) < least {
		dst = grow(dst, least)
	}
	return dst
}

// grow makes room for at least so many bytes.
func grow(dst []byte, least int) []byte {
	return slices.Grow(dst, max(least, min(len(dst), 1<<20)))
}

func boolAtom(b bool) Atom {
	if b {
		return "true"
	}
	return "false"
}
