package simnet

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestListenAddresses(t *testing.T) {
	for _, tt := range []struct{ network, listen, addr, dial string }{
		{"tcp", "10.0.0.2:4369", "10.0.0.2:4369", "10.0.0.2:4369"},
		{"tcp", ":4369", "[::]:4369", "10.0.0.2:4369"},
		{"tcp", ":4369", "[::]:4369", "[fd00::2]:4369"},
		{"tcp", "[::]:4369", "[::]:4369", "10.0.0.2:4369"},
		{"tcp", "0.0.0.0:4369", "[::]:4369", "[fd00::2]:4369"},
		{"tcp4", ":4369", "0.0.0.0:4369", "10.0.0.2:4369"},
		{"tcp6", ":4369", "[::]:4369", "[fd00::2]:4369"},
		{"tcp", "[fd00::2]:4369", "[fd00::2]:4369", "[fd00::2]:4369"},
		{"tcp", "b.internal:4369", "10.0.0.2:4369", "b.internal:4369"},
		{"tcp", ":0", "[::]:49152", "[::ffff:10.0.0.2]:49152"},
	} {
		t.Run(tt.network+" "+tt.listen+" "+tt.dial, func(t *testing.T) {
			n := New(Options{})
			a, b := n.Host("10.0.0.1", "fd00::1"), n.Host("10.0.0.2", "fd00::2", "b.internal")
			l, err := b.Listen(t.Context(), tt.network, tt.listen)
			if err != nil {
				t.Fatal(err)
			}
			if got := l.Addr().String(); got != tt.addr {
				t.Errorf("Addr = %s, want %s", got, tt.addr)
			}
			c, err := a.Dial(t.Context(), "tcp", tt.dial)
			if err != nil {
				t.Fatal(err)
			}
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if c.LocalAddr().String() != s.RemoteAddr().String() || c.RemoteAddr().String() != s.LocalAddr().String() {
				t.Errorf("ends disagree: %v->%v and %v->%v", c.LocalAddr(), c.RemoteAddr(), s.LocalAddr(), s.RemoteAddr())
			}
			if _, ok := c.RemoteAddr().(*net.TCPAddr); !ok {
				t.Errorf("RemoteAddr is a %T", c.RemoteAddr())
			}
		})
	}
}

func TestListenErrors(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, tt := range []struct {
		name, first, network, address string
		ctx                           context.Context
		want                          error
	}{
		{"taken", "10.0.0.1:5", "tcp", "10.0.0.1:5", nil, syscall.EADDRINUSE},
		{"all after one", "10.0.0.1:5", "tcp", ":5", nil, syscall.EADDRINUSE},
		{"one after all", ":5", "tcp4", "127.0.0.1:5", nil, syscall.EADDRINUSE},
		{"IPv4 part of all", ":5", "tcp4", ":5", nil, syscall.EADDRINUSE},
		{"not ours", "", "tcp", "10.0.0.2:5", nil, syscall.EADDRNOTAVAIL},
		{"context ended", "", "tcp", ":5", ended, context.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := New(Options{})
			h := n.Host("10.0.0.1")
			n.Host("10.0.0.2")
			if tt.first != "" {
				if _, err := h.Listen(t.Context(), "tcp", tt.first); err != nil {
					t.Fatal(err)
				}
			}
			ctx := tt.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			_, err := h.Listen(ctx, tt.network, tt.address)
			fails(t, "listen", err, tt.want)
		})
	}
	h := New(Options{}).Host("10.0.0.1")
	for _, bad := range [][2]string{{"udp", ":5"}, {"tcp", "10.0.0.1"}, {"tcp", ":http"}, {"tcp", "nobody:5"}, {"tcp6", "10.0.0.1:5"}} {
		if l, err := h.Listen(t.Context(), bad[0], bad[1]); err == nil {
			t.Errorf("Listen%q = %v, want an error", bad, l.Addr())
		}
	}
}

func TestSamePortOnSeveralAddresses(t *testing.T) {
	h := New(Options{}).Host("10.0.0.1", "10.0.0.2", "fd00::1")
	for _, address := range []string{"10.0.0.1:4369", "10.0.0.2:4369", "127.0.0.1:4369", "127.0.0.2:4369", "[::1]:4369", "[fd00::1]:4369"} {
		l, err := h.Listen(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		c, err := h.Dial(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		write(t, c, address)
		read(t, s, address)
	}
}

func TestLoopbackIsTheHostsOwn(t *testing.T) {
	n := New(Options{})
	a, b := n.Host("10.0.0.1"), n.Host("10.0.0.2")
	if _, err := b.Listen(t.Context(), "tcp", "127.0.0.1:5"); err != nil {
		t.Fatal(err)
	}
	_, err := a.Dial(t.Context(), "tcp", "127.0.0.1:5")
	fails(t, "dial", err, syscall.ECONNREFUSED)
	_, err = a.Dial(t.Context(), "tcp", "10.0.0.2:5")
	fails(t, "dial", err, syscall.ECONNREFUSED)
	for _, address := range []string{"127.0.0.1:5", "localhost:5", ":5"} {
		c, err := b.Dial(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.LocalAddr().(*net.TCPAddr).IP.String(); got != "127.0.0.1" {
			t.Errorf("spoke to %s from %s", address, got)
		}
	}
}

func TestDialErrors(t *testing.T) {
	n := New(Options{})
	a := n.Host("10.0.0.1")
	n.Host("10.0.0.2", "fd00::2")
	for address, want := range map[string]error{
		"10.0.0.2:5":  syscall.ECONNREFUSED,
		"10.9.9.9:5":  syscall.EHOSTUNREACH,
		"[fd00::2]:5": syscall.ENETUNREACH, // we have no IPv6 address to speak from
	} {
		_, err := a.Dial(t.Context(), "tcp", address)
		fails(t, "dial", err, want)
	}
	var dns *net.DNSError
	if _, err := a.Dial(t.Context(), "tcp", "nobody.internal:5"); !errors.As(err, &dns) || !dns.IsNotFound {
		t.Errorf("unknown name: %v", err)
	}
}

func TestDialTriesEveryAddressOfAName(t *testing.T) {
	n := New(Options{})
	a, b := n.Host("10.0.0.1"), n.Host("fd00::2", "10.0.0.2", "10.0.0.3", "b")
	if _, err := b.Listen(t.Context(), "tcp", "10.0.0.3:5"); err != nil {
		t.Fatal(err)
	}
	c, err := a.Dial(t.Context(), "tcp", "b:5")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.RemoteAddr().String(); got != "10.0.0.3:5" {
		t.Errorf("reached %s", got)
	}
	names, err := a.LookupHost(t.Context(), "b")
	if want := []string{"fd00::2", "10.0.0.2", "10.0.0.3"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("LookupHost = %q, %v, want %q", names, err, want)
	}
}

func TestDialIntoAPartition(t *testing.T) {
	for _, fault := range []struct {
		name string
		do   func(*Network)
	}{
		{"both ways", func(n *Network) { n.Partition([]string{"10.0.0.1"}) }},
		{"SYN lost", func(n *Network) { n.Block("10.0.0.1", "10.0.0.2") }},
		{"SYN-ACK lost", func(n *Network) { n.Block("10.0.0.2", "10.0.0.1") }},
	} {
		t.Run(fault.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := New(Options{Link: Link{Latency: time.Second}})
				a, b := n.Host("10.0.0.1"), n.Host("10.0.0.2")
				if _, err := b.Listen(t.Context(), "tcp", ":5"); err != nil {
					t.Fatal(err)
				}
				fault.do(n)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				start := time.Now()
				_, err := a.Dial(ctx, "tcp", "10.0.0.2:5")
				fails(t, "dial", err, context.DeadlineExceeded)
				fails(t, "dial", err, os.ErrDeadlineExceeded)
				if d := time.Since(start); d != time.Minute {
					t.Errorf("gave up after %v, want the context's minute", d)
				}
				cancel()

				ctx, cancel = context.WithCancel(t.Context())
				go func() { time.Sleep(time.Second); cancel() }()
				_, err = a.Dial(ctx, "tcp", "10.0.0.2:5")
				fails(t, "dial", err, context.Canceled)

				go func() { time.Sleep(time.Hour); n.Heal() }()
				start = time.Now()
				if _, err := a.Dial(t.Context(), "tcp", "10.0.0.2:5"); err != nil {
					t.Fatal(err)
				}
				if d := time.Since(start); d != time.Hour+2*time.Second {
					t.Errorf("connected after %v, want the hour and a round trip", d)
				}
			})
		})
	}
}

func TestFullBacklogMakesDialsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Options{})
		a, b := n.Host("10.0.0.1"), n.Host("10.0.0.2")
		l, err := b.Listen(t.Context(), "tcp", ":5")
		if err != nil {
			t.Fatal(err)
		}
		var first net.Conn
		for i := range backlogSize {
			c, err := a.Dial(t.Context(), "tcp", "10.0.0.2:5")
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = c
			}
		}
		dialled := make(chan error, 1)
		go func() {
			_, err := a.Dial(t.Context(), "tcp", "10.0.0.2:5")
			dialled <- err
		}()
		synctest.Wait()
		if len(dialled) != 0 {
			t.Fatalf("dial %d did not wait", backlogSize+1)
		}
		if _, err := l.Accept(); err != nil {
			t.Fatal(err)
		}
		if err := <-dialled; err != nil {
			t.Fatal(err)
		}
		l.Close() // resets the rest, not the accepted one
		if got := n.Conns("10.0.0.1", "10.0.0.2"); got != 1 {
			t.Errorf("%d connections outlive the listener, want 1", got)
		}
		write(t, first, "still here")
		fails(t, "close", l.Close(), net.ErrClosed)
	})
}

// TestClosedConnectionsAreForgotten guards against a network that grows with its age.
func TestClosedConnectionsAreForgotten(t *testing.T) {
	n := New(Options{})
	a, b := n.Host("10.0.0.1"), n.Host("10.0.0.2")
	l, err := b.Listen(t.Context(), "tcp", ":5")
	if err != nil {
		t.Fatal(err)
	}
	dial := func() net.Conn {
		c, err := a.Dial(t.Context(), "tcp", "10.0.0.2:5")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for range 3 {
		c := dial()
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		s.Close()
	}
	dial().Close() // never accepted
	l.Close()
	if len(n.links) != 0 {
		t.Errorf("%d links are kept", len(n.links))
	}
}
