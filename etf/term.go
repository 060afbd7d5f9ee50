package etf

// Term is any value the external term format can carry. Decoding always yields
// one of the types in the first column; encoding also takes those in the third.
//
//	Go type           Erlang                    also encoded from
//	--------------    ----------------------    ---------------------------------------
//	int64             integer that fits         every int and uint kind
//	*big.Int          integer that does not
//	float64           float                     float32
//	Atom              atom                      bool (true, false), nil (the atom nil)
//	[]byte            binary                    string (what Elixir calls a string)
//	Bitstring         bitstring, not whole bytes
//	Tuple             tuple
//	List              proper list               Charlist, slices and arrays
//	ImproperList      list with another tail
//	Map               map                       Go maps, structs (see Marshal)
//	Pid, Port, Ref    pid, port, reference
//	Export            fun m:f/a
//	Fun               other funs
//	Record            native record (OTP 29)
//
// It is an alias so that values of Go's own types need no conversion.
type Term = any

// Atom is an Erlang atom: at most 255 characters of UTF-8. An Elixir module is
// the atom of its full name, "Elixir.MyApp".
type Atom string

// Tuple is a tuple of any arity.
type Tuple []Term

// List is a proper list. The empty list is List(nil) or List{}; both encode alike.
type List []Term

// ImproperList is a list whose last tail is not the empty list, as [a | b].
// Elems has at least one element.
type ImproperList struct {
	Elems List
	Tail  Term
}

// Charlist encodes as the list of its Unicode code points, an Erlang string.
// It is never decoded to: a list of integers is a List.
type Charlist string

// Bitstring is a binary whose last byte counts only in part.
type Bitstring struct {
	Bytes []byte
	// Bits is how many of the last byte's bits count, from the most significant
	// down: 1 to 7. (8 would be a binary, which decodes to []byte.)
	Bits uint8
}

// Map is a map in the order of the wire, which means nothing. Keys differ from
// each other in the sense of Equal; a map with two equal keys is refused both
// ways.
type Map []MapEntry

// MapEntry is one association of a Map.
type MapEntry struct{ Key, Value Term }

// Get returns the value of key. It compares with every entry in turn: to look up
// often in a large map, Unmarshal it into a Go map.
func (m Map) Get(key Term) (Term, bool) {
	for i := range m {
		if Equal(m[i].Key, key) {
			return m[i].Value, true
		}
	}
	return nil, false
}

// Pid identifies a process. Pids are comparable with == and can be map keys.
type Pid struct {
	Node                 Atom
	ID, Serial, Creation uint32
}

// Port identifies a port.
type Port struct {
	Node     Atom
	ID       uint64
	Creation uint32
}

// Ref is a reference. Refs are comparable with == and can be map keys: words
// from Len on are zero.
type Ref struct {
	Node     Atom
	Creation uint32
	Len      uint8 // how many of Words count: 0 to 5
	Words    [5]uint32
}

// Export is an external fun, fun Module:Function/Arity.
type Export struct {
	Module, Function Atom
	Arity            uint8
}

// Fun is a fun that lives in a module's code. It can be kept and sent back, even
// to a third node, but only a BEAM that has the module can call it.
type Fun struct {
	Module   Atom
	Arity    uint8
	Uniq     [16]byte
	Index    uint32
	OldIndex uint32
	OldUniq  uint32
	Pid      Pid // the process that made it
	Free     []Term
}

// Record is a native record (OTP 29, EEP 79). Its identity includes Exported and
// the order of Fields.
type Record struct {
	Exported     bool
	Module, Name Atom
	Fields       []Atom
	Values       []Term // one for each of Fields
}
