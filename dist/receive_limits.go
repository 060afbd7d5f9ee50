package dist

import "github.com/truss-beam/truss/etf"

// ReceiveLimits bound what a peer can make a Receiver keep. A zero field means
// its default. The length of single frames is bounded by whoever reads them, see
// MaxFrame.
type ReceiveLimits struct {
	Message    int // bytes of payload of one fragmented signal; default 256 MiB
	Reassembly int // bytes of all incomplete signals together; default 512 MiB
	Sequences  int // incomplete signals at one time; default 16,384
	// Fragments is how many fragments a signal may announce; default 65,536,
	// which at OTP's 64 KiB is 4 GiB. Nothing is allocated for what is announced.
	Fragments int
	// Terms bounds the terms inside control messages.
	Terms etf.Limits
}

// MaxFrame is a bound on the length of frames for whoever reads them from a
// socket, to check before allocating. A node that fragments needs far less: 64 KiB
// of payload (OTP; ours 256), a header full of the longest atoms (260 kB), and a control message,
// of which only old forms with the reason inside are ever large. Where FRAGMENTS
// was not negotiated a frame is as long as its payload; a peer may then need more.
const MaxFrame = 64 << 20

// withDefaults fills in what is zero.
func (l ReceiveLimits) withDefaults() ReceiveLimits {
	for _, f := range []struct {
		field *int
		value int
	}{
		{&l.Message, 256 << 20},
		{&l.Reassembly, 512 << 20},
		{&l.Sequences, 16 << 10},
		{&l.Fragments, 64 << 10},
	} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	return l
}
