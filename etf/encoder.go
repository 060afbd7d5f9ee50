package etf

// AtomCache is how an Encoder learns which atoms stand in the header of the
// distribution frame it writes into. See the package dist.
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
type Encoder struct {
	// Cache, if set, is asked for every atom.
	Cache AtomCache
	// Records allows native records: the reader is OTP 29 or Truss.
	Records bool
	// SpliceMin, if positive, leaves binaries of at least so many bytes out of
	// the output and notes them in Splices instead.
	SpliceMin int
	// Splices is appended to, in order of Offset, by Append.
	Splices []Splice
}

// Append appends the external form of v, without the leading version byte 131,
// to dst. On an error dst is returned at its old length: nothing half written.
func (e *Encoder) Append(dst []byte, v any) ([]byte, error) { panic("contract") }

// Narrow forms for callers that know what they have (they do not allocate).
func (e *Encoder) AppendTuple(dst []byte, arity int) []byte            { panic("contract") }
func (e *Encoder) AppendAtom(dst []byte, a Atom) ([]byte, error)       { panic("contract") }
func (e *Encoder) AppendInt(dst []byte, i int64) []byte                { panic("contract") }
func (e *Encoder) AppendUint(dst []byte, u uint64) []byte              { panic("contract") }
func (e *Encoder) AppendPid(dst []byte, p Pid) ([]byte, error)         { panic("contract") }
func (e *Encoder) AppendRef(dst []byte, r Ref) ([]byte, error)         { panic("contract") }

// Marshal returns the external form of v, with the leading version byte 131.
func Marshal(v any) ([]byte, error) { panic("contract") }
