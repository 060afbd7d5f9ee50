package dist

import "testing"

// What nodes announce, seen on the wire of OTP 25, 27 and 29.
const (
	flagsOTP25 Flags = 0xD07DF7FBD
	flagsOTP29 Flags = 0x6D07DF7FBD
)

func TestFlagsMatchOTP(t *testing.T) {
	if FlagsMandatory != 0x403070F94 {
		t.Errorf("FlagsMandatory = %#x", uint64(FlagsMandatory))
	}
	if FlagsSupported != flagsOTP29 {
		t.Errorf("FlagsSupported = %#x, OTP 29 announces %#x", uint64(FlagsSupported), uint64(flagsOTP29))
	}
}

func TestFlagsMissing(t *testing.T) {
	tests := map[Flags]Flags{
		flagsOTP25:                   0,
		flagsOTP29:                   0,
		FlagsMandatory:               0,
		FlagsMandatory &^ FlagV4NC:   FlagV4NC,
		FlagMandatory25Digest:        FlagUnlinkID | FlagV4NC,
		0:                            FlagsMandatory,
		flagsOTP25 &^ FlagMapTag:     0, // the digest stands for it
		FlagsMandatory &^ FlagMapTag: FlagMapTag,
	}
	for f, want := range tests {
		if got := f.Missing(); got != want {
			t.Errorf("%v misses %v, want %v", f, got, want)
		}
	}
}

func TestFlagsString(t *testing.T) {
	tests := map[Flags]string{
		0:                                 "0",
		FlagPublished | FlagV4NC:          "PUBLISHED|V4_NC",
		FlagNativeRecords | 1<<63 | 1<<40: "NATIVE_RECORDS|0x8000010000000000",
		FlagsMandatory:                    "EXTENDED_REFERENCES|FUN_TAGS|NEW_FUN_TAGS|EXTENDED_PIDS_PORTS|EXPORT_PTR_TAG|BIT_BINARIES|NEW_FLOATS|UTF8_ATOMS|MAP_TAG|BIG_CREATION|HANDSHAKE_23|UNLINK_ID|V4_NC",
	}
	for f, want := range tests {
		if got := f.String(); got != want {
			t.Errorf("%#x prints %q, want %q", uint64(f), got, want)
		}
	}
}

func TestFlagsCommon(t *testing.T) {
	if got := flagsOTP25.common(FlagsSupported); got != flagsOTP25 {
		t.Errorf("with OTP 25: %v", got)
	}
	without := FlagsSupported &^ FlagAlias
	if got := without.common(FlagsSupported); got.Has(FlagAltactSig) {
		t.Errorf("op 37 without aliases: %v", got)
	}
}
