package etf

// Limits bound what decoding one term may cost. A zero field means its default.
type Limits struct {
	Depth    int // nesting; default 10,000 (or what proves safe for the goroutine stack)
	Elements int // terms in all, counted before they are allocated; default 64 Mi
	Bytes    int // uncompressed size of a compressed term, and of a big integer; default 64 MiB
	// ... atoms
}

// Decoder reads terms from one []byte, front to back. The zero value is empty;
// Reset gives it something to read. It never reads past the input, never panics
// and allocates no more than a small multiple of the input's length.
//
// Memory: binaries (and only they) alias the input. Whoever decodes gives the
// input away: it must not be changed while a term decoded from it is alive.
type Decoder struct {
	Limits Limits
	// contract: unexported fields
}

// Reset makes the decoder read b, a term without version byte. atoms is what
// the atom references (tag 82) of the distribution header stand for, each an
// Atom boxed once so that decoding it allocates nothing; nil where there is none.
func (d *Decoder) Reset(b []byte, atoms []Term) { panic("contract") }

func (d *Decoder) Term() (Term, error)        { panic("contract") } // next term, dynamic
func (d *Decoder) Unmarshal(v any) error      { panic("contract") } // next term, typed
func (d *Decoder) Skip() error                { panic("contract") } // next term, validated, not built
func (d *Decoder) Kind() Kind                 { panic("contract") } // what comes next, not consumed
func (d *Decoder) Tuple() (arity int, err error) { panic("contract") } // consumes the header of a tuple
func (d *Decoder) Atom() (Atom, error)        { panic("contract") }
func (d *Decoder) Int() (int64, error)        { panic("contract") }
func (d *Decoder) Uint() (uint64, error)      { panic("contract") } // also reads bignums up to 2^64-1
func (d *Decoder) Pid() (Pid, error)          { panic("contract") }
func (d *Decoder) Ref() (Ref, error)          { panic("contract") }
func (d *Decoder) Rest() []byte               { panic("contract") } // what is not read yet

// Kind tells what sort of term comes next.
type Kind uint8 // KindInvalid, KindInt, KindFloat, KindAtom, KindBinary, KindBitstring, KindTuple, KindList, KindMap, KindPid, KindPort, KindRef, KindFun, KindRecord

// Decode reads one term with its version byte; bytes after it are an error.
func Decode(b []byte) (Term, error) { panic("contract") }

// Unmarshal reads one term with its version byte into *v.
func Unmarshal(b []byte, v any) error { panic("contract") }

// Equal is Erlang's =:= (OTP 27's: 0.0 and -0.0 differ); Compare is the term order.
func Equal(a, b Term) bool { panic("contract") }
func Compare(a, b Term) int { panic("contract") }
