package dist

import (
	"fmt"

	"github.com/truss-beam/truss/etf"
)

// Flags of SPAWN_REPLY. Leaving one out for a link or monitor that was asked for
// makes the peer miss or leak it.
const (
	SpawnFlagLink    = 1
	SpawnFlagMonitor = 2
)

// SPAWN_REPLY answers the request Ref of To: Result is the child, and Flags tells
// which of the link and monitor asked for are in place, or else an atom (badopt,
// system_limit, notsup…). It goes before all signals of the child.
func (c *Control) writeSpawnReply(w *tupleWriter) {
	w.ref(c.Ref)
	w.pid(c.To)
	w.uint(c.Flags)
	w.term(c.Result)
}

func (c *Control) readSpawnReply(r *tupleReader) {
	c.Ref = r.ref("reference")
	c.To = r.pid("To")
	c.Flags = r.uint("flags")
	c.Result = r.spawnResult()
}

// spawnResult reads a pid or an atom; anything else closes the connection.
func (r *tupleReader) spawnResult() etf.Term {
	if r.err != nil {
		return nil
	}
	switch kind := r.d.Kind(); kind {
	case etf.KindPid:
		return r.pid("result")
	case etf.KindAtom:
		return r.atom("result")
	}
	r.fail("result", fmt.Errorf("neither pid nor atom"))
	return nil
}
