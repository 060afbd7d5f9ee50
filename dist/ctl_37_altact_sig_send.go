package dist

import (
	"fmt"
	"math/big"

	"github.com/truss-beam/truss/etf"
)

// Flags of ALTACT_SIG_SEND. Others are ignored.
const (
	AltactPriority = 1  // ahead of the mailbox, if the receiver made the alias or name so
	AltactToken    = 2  // Token is there
	AltactAlias    = 4  // to the alias Ref
	AltactName     = 8  // to ToName
	AltactExit     = 16 // an exit signal, the payload is its reason; else a message
)

// ALTACT_SIG_SEND (OTP 28, EEP 76) carries what older signals cannot: with
// priority, or an exit signal to an alias. If negotiated, OTP uses it for every
// send to an alias. Flags tells which of To, ToName and Ref it goes to.
func (c *Control) writeAltactSigSend(w *tupleWriter) {
	w.uint(c.Flags)
	w.pid(c.From)
	switch {
	case c.Flags&AltactAlias != 0:
		w.ref(c.Ref)
	case c.Flags&AltactName != 0:
		w.atom(c.ToName)
	default:
		w.pid(c.To)
	}
	if c.Flags&AltactToken != 0 {
		w.term(c.Token)
	}
}

// As lenient as OTP 29: unknown and even bignum flags pass, From may be anything
// (then it is zero), elements that follow are skipped. A target of another type
// than the flags say is an error.
func (c *Control) readAltactSigSend(r *tupleReader) {
	c.Flags = r.altactFlags()
	if r.err == nil && r.d.Kind() == etf.KindPid {
		c.From = r.pid("From")
	} else {
		r.skip("From")
	}
	switch {
	case c.Flags&AltactAlias != 0:
		c.Ref = r.ref("alias")
	case c.Flags&AltactName != 0:
		c.ToName = r.atom("name")
	default:
		c.To = r.pid("To")
	}
	read := 4
	if c.Flags&AltactToken != 0 {
		read++
		if r.arity < read {
			r.fail("trace token", fmt.Errorf("announced but absent"))
		}
		c.Token = r.term("trace token")
	}
	for ; read < r.arity && r.err == nil; read++ {
		r.skip("extra element")
	}
}

// altactFlags reads an integer of any size and keeps its lowest 64 bits.
func (r *tupleReader) altactFlags() uint64 {
	switch n := r.term("flags").(type) {
	case int64:
		return uint64(n)
	case *big.Int:
		low := new(big.Int).And(n, new(big.Int).SetUint64(1<<64-1))
		return low.Uint64()
	default:
		r.fail("flags", fmt.Errorf("not an integer"))
		return 0
	}
}
