package etf

// version opens every term outside a distribution frame.
const version = 131

// The tags of the chapter erl_ext_dist. Those marked "in" are read because some
// node, library or file still holds them, and are never written.
const (
	extRecord        = 67  // OTP 29
	extNewFloat      = 70  // 8 bytes, IEEE 754
	extBitBinary     = 77  //
	extCompressed    = 80  // in, only right behind the version byte
	extAtomCacheRef  = 82  // index into the header of a distribution frame
	extNewPid        = 88  //
	extNewPort       = 89  // id of 32 bits
	extNewerRef      = 90  //
	extSmallInteger  = 97  // 0..255
	extInteger       = 98  // int32
	extFloat         = 99  // in, 31 bytes of text
	extAtom          = 100 // in, Latin-1
	extReference     = 101 // in
	extPort          = 102 // in
	extPid           = 103 // in
	extSmallTuple    = 104 //
	extLargeTuple    = 105 //
	extNil           = 106 // the empty list
	extString        = 107 // a list of bytes
	extList          = 108 //
	extBinary        = 109 //
	extSmallBig      = 110 //
	extLargeBig      = 111 //
	extNewFun        = 112 //
	extExport        = 113 //
	extNewReference  = 114 // in
	extSmallAtom     = 115 // in, Latin-1
	extMap           = 116 //
	extAtomUTF8      = 118 // length of 16 bits
	extSmallAtomUTF8 = 119 // length of 8 bits
	extV4Port        = 120 // id of 64 bits
)

// Refused: 117, the fun of before R8, and 121, which only the node that wrote it
// could read.

const (
	maxAtomChars  = 255    // of Unicode; up to 1020 bytes
	maxString     = 0xffff // elements of a list written as extString
	maxRefWords   = 5
	maxPort32     = 1<<28 - 1 // ids beyond need extV4Port: older nodes have 28 bits
	maxOldCreate  = 3         // creations had two bits when they were a byte
	maxOldRefWord = 1<<18 - 1 // and the first word of a reference had 18
	maxFunFree    = 255       // OTP refuses more, arity included
	defaultDepth  = 10_000
)
