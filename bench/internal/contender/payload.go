package contender

import (
	"encoding/binary"
	"fmt"
)

// variants is how many different binaries a sender takes in turn. Making a new
// one for each message would measure the copying of 1 MB; sending the same one
// would not notice a message that came twice in another's place.
const variants = 16

// Binaries returns the payloads a sender cycles through. Size is at least 8. They
// are made before the clock starts: filling 16 MB takes longer than sending them.
func Binaries(size int) [][]byte {
	all := make([][]byte, variants)
	for k := range all {
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(i * 7)
		}
		binary.BigEndian.PutUint32(b, uint32(k)*2654435761)
		b[size-1] = byte(k)
		all[k] = b
	}
	return all
}

// Sum is what one binary adds to a receiver's checksum: its first and last bytes.
func Sum(b []byte) uint64 {
	if len(b) < 8 {
		return 1 << 40 // none of ours
	}
	return uint64(binary.BigEndian.Uint32(b)) + uint64(b[len(b)-1])
}

// Receipt is what receivers confirm: how many messages, and their checksum. The
// tuple {reading, N, on} counts N, from 0 up in each sender.
type Receipt struct{ Count, Sum uint64 }

// Add joins the receipts of two receivers.
func (r Receipt) Add(o Receipt) Receipt { return Receipt{r.Count + o.Count, r.Sum + o.Sum} }

// Expected is the receipt for each messages of every sender.
func Expected(payload string, senders, each int) Receipt {
	n, s := uint64(each), uint64(senders)
	if payload == "tuple" {
		return Receipt{n * s, s * (n * (n - 1) / 2)}
	}
	r := Receipt{Count: n * s}
	// The sums do not depend on the size.
	for k, b := range Binaries(8) {
		times := n / variants
		if uint64(k) < n%variants {
			times++
		}
		r.Sum += s * times * Sum(b)
	}
	return r
}

// Check compares what came with what was sent.
func (r Receipt) Check(want Receipt) error {
	switch {
	case r.Count < want.Count:
		return fmt.Errorf("lost %d of %d messages", want.Count-r.Count, want.Count)
	case r.Count > want.Count:
		return fmt.Errorf("%d messages came, %d were sent", r.Count, want.Count)
	case r.Sum != want.Sum:
		return fmt.Errorf("the %d messages that came are not those that were sent: checksum %d, want %d", r.Count, r.Sum, want.Sum)
	}
	return nil
}
