package etf

// Kind tells what sort of term comes next in a Decoder.
type Kind uint8

// The kinds of terms. They follow what a term is, not how it happens to be
// written: a list of bytes is a KindList whatever its tag, and a bitstring of
// whole bytes is a KindBinary.
const (
	KindInvalid Kind = iota // end of input, or no tag that OTP would read
	KindInt
	KindFloat
	KindAtom
	KindBinary
	KindBitstring
	KindTuple
	KindList // proper, improper or empty
	KindMap
	KindPid
	KindPort
	KindRef
	KindFun // exports too
	KindRecord
)

var kindNames = [...]string{
	"invalid", "integer", "float", "atom", "binary", "bitstring", "tuple", "list",
	"map", "pid", "port", "reference", "fun", "record",
}

// String returns Erlang's word for k.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[KindInvalid]
}

// kinds maps a tag to its kind; extBitBinary needs a closer look.
var kinds = [256]Kind{
	extSmallInteger: KindInt, extInteger: KindInt, extSmallBig: KindInt, extLargeBig: KindInt,
	extNewFloat: KindFloat, extFloat: KindFloat,
	extAtomCacheRef: KindAtom, extAtom: KindAtom, extSmallAtom: KindAtom, extAtomUTF8: KindAtom, extSmallAtomUTF8: KindAtom,
	extBinary: KindBinary, extBitBinary: KindBitstring,
	extSmallTuple: KindTuple, extLargeTuple: KindTuple,
	extNil: KindList, extString: KindList, extList: KindList,
	extMap:    KindMap,
	extNewPid: KindPid, extPid: KindPid,
	extNewPort: KindPort, extPort: KindPort, extV4Port: KindPort,
	extNewerRef: KindRef, extNewReference: KindRef, extReference: KindRef,
	extNewFun: KindFun, extExport: KindFun,
	extRecord: KindRecord,
}

// Kind tells what comes next without consuming it. It looks at the tag only:
// reading the term can still fail.
func (d *Decoder) Kind() Kind {
	if d.off < len(d.in) && d.in[d.off] == extList {
		d.skipEmptyHeads()
	}
	if d.off >= len(d.in) {
		return KindInvalid
	}
	tag := d.in[d.off]
	if tag == extBitBinary && len(d.in)-d.off >= 6 && d.in[d.off+5] == 8 {
		return KindBinary
	}
	return kinds[tag]
}
