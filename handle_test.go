package truss

import (
	"strings"
	"testing"

	"github.com/truss-beam/truss/dist"
)

// TestHandlers: every op that a peer may send has a handler.
func TestHandlers(t *testing.T) {
	for op := range dist.Op(64) {
		known := !strings.HasPrefix(op.String(), "op ") && op != dist.OpUnlink
		if has := handler(op) != nil; has != known {
			t.Errorf("op %d, %v: has a handler: %v, is an op: %v", op, op, has, known)
		}
	}
}
