package simnet_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/truss-beam/truss/internal/simnet"
)

// A partition is silent: only a deadline notices. Healing delivers.
func Example() {
	ctx := context.Background()
	n := simnet.New(simnet.Options{})
	a, b := n.Host("10.0.0.1"), n.Host("10.0.0.2", "b.internal")

	l, _ := b.Listen(ctx, "tcp", ":4369")
	c, _ := a.Dial(ctx, "tcp", "b.internal:4369")
	s, _ := l.Accept()
	fmt.Println(c.RemoteAddr(), "has accepted", s.RemoteAddr())

	n.Partition([]string{"10.0.0.1"}, []string{"b.internal"})
	c.Write([]byte("are you there?"))
	s.SetReadDeadline(time.Now().Add(time.Millisecond))
	buf := make([]byte, 100)
	_, err := s.Read(buf)
	fmt.Println("timed out:", errors.Is(err, os.ErrDeadlineExceeded))

	n.Heal()
	s.SetReadDeadline(time.Time{})
	k, _ := s.Read(buf)
	fmt.Printf("%s\n", buf[:k])

	b.Kill()
	_, err = c.Read(buf)
	var oe *net.OpError
	fmt.Println(errors.As(err, &oe), oe)
	// Output:
	// 10.0.0.2:4369 has accepted 10.0.0.1:49152
	// timed out: true
	// are you there?
	// true read tcp 10.0.0.1:49152->10.0.0.2:4369: read: connection reset by peer
}
