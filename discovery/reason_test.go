package discovery

import (
	"errors"
	"fmt"
	"net"
	"testing"
)

func TestReasonHasNoLocalPort(t *testing.T) {
	op := func(port int) error {
		return &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer"),
			Source: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: port}, Addr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 2), Port: 4369}}
	}
	wrap := func(a, b int) error { return fmt.Errorf("handshake: %w", errors.Join(op(a), op(b))) }
	if a, b := reason(wrap(49152, 49153)), reason(wrap(50000, 50001)); a != b {
		t.Errorf("two reasons for one trouble:\n%s\n%s", a, b)
	}
	if got, want := reason(op(49152)), "read tcp 10.0.0.2:4369: connection reset by peer"; got != want {
		t.Errorf("reason is %q, want %q", got, want)
	}
	if reason(nil) != "" {
		t.Error("nil has a reason")
	}
}
