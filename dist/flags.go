package dist

import (
	"math/bits"
	"strconv"
	"strings"
)

// Flags are the capabilities a node announces in the handshake; what both nodes
// announce holds for the connection. Source: erl_dist_protocol, "Distribution
// Flags", and erts/emulator/beam/dist.h; a bit's doc says what its absence changes.
type Flags uint64

// The bits of the distribution flags, each under OTP's name without DFLAG_.
const (
	FlagPublished          Flags = 1 << 0  // the node is visible; a link is hidden unless both set it
	FlagAtomCache          Flags = 1 << 1  // obsolete, the cache before OTP R13
	FlagExtendedReferences Flags = 1 << 2  // references of several words
	FlagDistMonitor        Flags = 1 << 3  // ops 19 to 21 on pids; without it a peer silently sends none
	FlagFunTags            Flags = 1 << 4  // obsolete fun tag
	FlagDistMonitorName    Flags = 1 << 5  // ops 19 to 21 on registered names
	FlagHiddenAtomCache    Flags = 1 << 6  // obsolete
	FlagNewFunTags         Flags = 1 << 7  // tag 112
	FlagExtendedPidsPorts  Flags = 1 << 8  // pids and ports of more than 18 bits
	FlagExportPtrTag       Flags = 1 << 9  // tag 113
	FlagBitBinaries        Flags = 1 << 10 // tag 77
	FlagNewFloats          Flags = 1 << 11 // tag 70
	FlagUnicodeIO          Flags = 1 << 12 // I/O requests carry an encoding
	FlagDistHdrAtomCache   Flags = 1 << 13 // distribution header and atom cache
	FlagSmallAtomTags      Flags = 1 << 14 // tag 115
	FlagInsCloseBrkt       Flags = 1 << 15 // internal to the emulator, never on the wire
	FlagUTF8Atoms          Flags = 1 << 16 // tags 118 and 119
	FlagMapTag             Flags = 1 << 17 // tag 116
	FlagBigCreation        Flags = 1 << 18 // creations of 32 bits: tags 88, 89 and 90
	FlagSendSender         Flags = 1 << 19 // op 22 in place of 2
	FlagBigSeqtraceLabels  Flags = 1 << 20 // any term as trace label
	FlagPendingConnect     Flags = 1 << 21 // internal to the emulator, never on the wire
	FlagExitPayload        Flags = 1 << 22 // ops 24 to 28 in place of 3, 8 and 21
	FlagFragments          Flags = 1 << 23 // large payloads in pieces; forces the distribution header
	FlagHandshake23        Flags = 1 << 24 // version 6 of the handshake
	FlagUnlinkID           Flags = 1 << 25 // ops 35 and 36 in place of 4
	FlagMandatory25Digest  Flags = 1 << 26 // stands for every bit OTP 25 made mandatory
	FlagReserved           Flags = 1 << 31 // never set
	FlagSpawn              Flags = 1 << 32 // ops 29 to 32
	FlagNameMe             Flags = 1 << 33 // the node asks for a name, or can give one
	FlagV4NC               Flags = 1 << 34 // pids and ports of 64 bits, references of up to 5 words
	FlagAlias              Flags = 1 << 35 // ops 33 and 34
	FlagLocalExt           Flags = 1 << 36 // internal to the emulator, never on the wire
	FlagAltactSig          Flags = 1 << 37 // op 37 (OTP 28); means nothing without FlagAlias
	FlagNativeRecords      Flags = 1 << 38 // tag 67 (OTP 29)
	flagsMandatory25             = FlagExtendedReferences | FlagFunTags | FlagNewFunTags | FlagExtendedPidsPorts | FlagExportPtrTag | FlagBitBinaries | FlagNewFloats | FlagUTF8Atoms | FlagMapTag | FlagBigCreation | FlagHandshake23
	flagsMandatory26             = FlagUnlinkID | FlagV4NC
	flagsOptional                = FlagDistMonitor | FlagDistMonitorName | FlagUnicodeIO | FlagDistHdrAtomCache | FlagSmallAtomTags | FlagSendSender | FlagBigSeqtraceLabels | FlagExitPayload | FlagFragments | FlagMandatory25Digest | FlagSpawn | FlagAlias | FlagAltactSig | FlagNativeRecords
)

// FlagsMandatory are the flags without which we refuse a peer, as OTP 26 and
// newer do. OTP 25 sends them all.
const FlagsMandatory Flags = flagsMandatory25 | flagsMandatory26

// FlagsSupported is what a visible node of ours announces: every flag of OTP 29
// whose meaning is implemented. A hidden node clears FlagPublished; a node that
// wants to be given a name clears it too and sets FlagNameMe.
const FlagsSupported Flags = FlagPublished | FlagsMandatory | flagsOptional

// Has tells whether every bit of want is set.
func (f Flags) Has(want Flags) bool { return f&want == want }

// Missing returns the mandatory flags that a node announcing f lacks. The digest
// flag stands for those of OTP 25, not for the two of OTP 26.
func (f Flags) Missing() Flags { return FlagsMandatory &^ f.expand() }

// expand sets what the digest flag stands for.
func (f Flags) expand() Flags {
	if f.Has(FlagMandatory25Digest) {
		f |= flagsMandatory25
	}
	return f
}

// common is what holds between nodes that announce f and g.
func (f Flags) common(g Flags) Flags {
	both := f.expand() & g.expand()
	// With op 37 but no aliases OTP 29 drops every alias send.
	if !both.Has(FlagAlias) {
		both &^= FlagAltactSig
	}
	return both
}

// header tells whether frames open with a distribution header: either flag
// brings it, and fragments without the cache have a header without atoms.
func (f Flags) header() bool { return f&(FlagDistHdrAtomCache|FlagFragments) != 0 }

// String names the bits, lowest first: "PUBLISHED|V4_NC". Unknown bits appear as
// one hexadecimal number.
func (f Flags) String() string {
	if f == 0 {
		return "0"
	}
	var parts []string
	for rest := f; rest != 0; rest &= rest - 1 {
		bit := rest & -rest
		if name := flagName(bits.TrailingZeros64(uint64(bit))); name != "" {
			parts = append(parts, name)
			f &^= bit
		}
	}
	if f != 0 {
		parts = append(parts, "0x"+strconv.FormatUint(uint64(f), 16))
	}
	return strings.Join(parts, "|")
}

// flagName is OTP's name of a bit, "" for one it has not given a meaning.
func flagName(bit int) string {
	names := [...]string{
		0: "PUBLISHED", 1: "ATOM_CACHE", 2: "EXTENDED_REFERENCES", 3: "DIST_MONITOR",
		4: "FUN_TAGS", 5: "DIST_MONITOR_NAME", 6: "HIDDEN_ATOM_CACHE", 7: "NEW_FUN_TAGS",
		8: "EXTENDED_PIDS_PORTS", 9: "EXPORT_PTR_TAG", 10: "BIT_BINARIES", 11: "NEW_FLOATS",
		12: "UNICODE_IO", 13: "DIST_HDR_ATOM_CACHE", 14: "SMALL_ATOM_TAGS", 15: "INS_CLOSE_BRKT",
		16: "UTF8_ATOMS", 17: "MAP_TAG", 18: "BIG_CREATION", 19: "SEND_SENDER",
		20: "BIG_SEQTRACE_LABELS", 21: "PENDING_CONNECT", 22: "EXIT_PAYLOAD", 23: "FRAGMENTS",
		24: "HANDSHAKE_23", 25: "UNLINK_ID", 26: "MANDATORY_25_DIGEST", 31: "RESERVED",
		32: "SPAWN", 33: "NAME_ME", 34: "V4_NC", 35: "ALIAS",
		36: "LOCAL_EXT", 37: "ALTACT_SIG", 38: "NATIVE_RECORDS",
	}
	if bit >= len(names) {
		return ""
	}
	return names[bit]
}
