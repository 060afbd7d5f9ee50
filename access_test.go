package truss_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/trusstest"
)

func TestAllow(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		picky := c.Start("picky", func(config *truss.Config) { config.Allow = []string{a.Name()} })
		if err := a.Ping(ctx, picky.Name()); err != nil {
			t.Error("who is on the list:", err)
		}
		if err := b.Connect(ctx, picky.Name()); !errors.Is(err, dist.ErrNotAllowed) {
			t.Error("who is not:", err)
		}
		if err := picky.Connect(ctx, b.Name()); !errors.Is(err, dist.ErrNotAllowed) {
			t.Error("to one who is not:", err)
		}
	})
}

func TestCookies(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a := c.Start("a", func(config *truss.Config) {
			config.Cookies = map[string]string{"b@10.0.0.2": "secret"}
		})
		b := c.Start("b", func(config *truss.Config) { config.Cookie = "secret" })
		other := c.Start("other")
		for _, peer := range []*truss.Node{b, other} {
			if err := a.Ping(ctx, peer.Name()); err != nil {
				t.Error(err)
			}
		}
		if err := b.Connect(ctx, other.Name()); !errors.Is(err, dist.ErrCookie) {
			t.Error("different cookies:", err)
		}
	})
}

func TestAutoConnectOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a := c.Start("a", func(config *truss.Config) { config.AutoConnect = truss.AutoConnectOnce })
		b := c.Start("b")
		to := truss.Name{Name: "x", Node: b.Name()}
		if err := a.Send(ctx, to, 1); err != nil {
			t.Fatal("the first time:", err)
		}
		if err := a.Disconnect(ctx, b.Name()); err != nil {
			t.Fatal(err)
		}
		if err := a.Send(ctx, to, 1); !errors.Is(err, truss.ErrNoConnection) {
			t.Error("the second time:", err)
		}
		if err := a.Connect(ctx, b.Name()); err != nil {
			t.Error("Connect:", err)
		}
	})
}

// TestHandshakeFlood: connections that say nothing are bounded, and do not keep
// out one that does.
func TestHandshakeFlood(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a, b := c.Start("a"), c.Start("b")
		var sockets []net.Conn
		for range 2000 {
			socket, err := c.Dial("b", fmt.Sprintf("10.0.0.1:%d", a.Port()))
			if err != nil {
				t.Fatal(err)
			}
			defer socket.Close()
			sockets = append(sockets, socket)
		}
		synctest.Wait()
		if n := stillOpen(sockets); n > 512 {
			t.Errorf("%d silent connections are held", n)
		}
		if err := b.Ping(ctx, a.Name()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if n := stillOpen(sockets); n != 0 {
			t.Errorf("%d silent connections are held after a minute", n)
		}
	})
}

// stillOpen counts the connections that the other end has not closed.
func stillOpen(sockets []net.Conn) (n int) {
	for _, socket := range sockets {
		_ = socket.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := socket.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			n++
		}
	}
	return n
}

// TestNameFrom: a node without a name gets one from the node it asks, and both
// can talk.
func TestNameFrom(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		a := c.Start("a")
		unnamed := func(config *truss.Config) { config.Name, config.NameFrom = "10.0.0.2", a.Name() }
		b := c.Start("b", unnamed)
		if !strings.HasSuffix(b.Name(), "@10.0.0.2") || len(b.Name()) < len("1234567890123@10.0.0.2") {
			t.Errorf("the name is %q", b.Name())
		}
		synctest.Wait()
		if got := a.HiddenNodes(); !slices.Equal(got, []string{b.Name()}) {
			t.Errorf("a has %v", got)
		}
		for _, pair := range [][2]*truss.Node{{a, b}, {b, a}} {
			if err := pair[0].Ping(ctx, pair[1].Name()); err != nil {
				t.Error(err)
			}
		}
		if _, err := c.TryStart("c", func(config *truss.Config) {
			config.Name, config.NameFrom = "10.0.0.3", "nobody@10.0.0.1"
		}); err == nil || !strings.Contains(err.Error(), "no name from nobody@10.0.0.1") {
			t.Error("from a node that is not there:", err)
		}
	})
}
