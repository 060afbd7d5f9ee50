package simnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// pair returns both ends of a connection from 10.0.0.1 to 10.0.0.2.
func pair(t *testing.T, n *Network) (near, far net.Conn) {
	t.Helper()
	a, b := n.Host("10.0.0.1"), n.Host("10.0.0.2")
	return connect(t, a, b, "10.0.0.2:0")
}

// connect listens on b, dials from a, and closes both ends with the test.
func connect(t *testing.T, a, b *Host, address string) (near, far net.Conn) {
	t.Helper()
	l, err := b.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := l.Addr().(*net.TCPAddr)
	target := at.IP.String()
	if at.IP.IsUnspecified() {
		target = b.String()
	}
	near, err = a.Dial(t.Context(), "tcp", net.JoinHostPort(target, strconv.Itoa(at.Port)))
	if err != nil {
		t.Fatal(err)
	}
	far, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

func write(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if n, err := c.Write([]byte(s)); n != len(s) || err != nil {
		t.Fatalf("Write(%q) = %d, %v", s, n, err)
	}
}

func read(t *testing.T, c net.Conn, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != want {
		t.Fatalf("read %q, %v; want %q", b, err, want)
	}
}

// fails checks one operation's error, and that it is dressed as net dresses it.
func fails(t *testing.T, op string, err, want error) {
	t.Helper()
	var oe *net.OpError
	if !errors.Is(err, want) || !errors.As(err, &oe) || oe.Op != op {
		t.Fatalf("%s error = %#v (%v), want a *net.OpError for %q with %v in it", op, err, err, op, want)
	}
}

func readFails(t *testing.T, c net.Conn, want error) {
	t.Helper()
	_, err := c.Read(make([]byte, 1))
	if want == io.EOF {
		if err != io.EOF {
			t.Fatalf("Read = %v, want EOF", err)
		}
		return
	}
	fails(t, "read", err, want)
}

func writeFails(t *testing.T, c net.Conn, want error) {
	t.Helper()
	_, err := c.Write([]byte("x"))
	fails(t, "write", err, want)
}

func TestBothWaysAndClose(t *testing.T) {
	near, far := pair(t, New(Options{}))
	write(t, near, "ping")
	read(t, far, "ping")
	write(t, far, "pong")
	read(t, near, "pong")
	if err := near.Close(); err != nil {
		t.Fatal(err)
	}
	fails(t, "close", near.Close(), net.ErrClosed)
	readFails(t, near, net.ErrClosed)
	writeFails(t, near, net.ErrClosed)
	fails(t, "set", near.SetDeadline(time.Time{}), net.ErrClosed)
	readFails(t, far, io.EOF)
	write(t, far, "into the void") // as TCP: only the answer tells
	writeFails(t, far, syscall.EPIPE)
	readFails(t, far, io.EOF)
}

func TestCloseWrite(t *testing.T) {
	near, far := pair(t, New(Options{}))
	write(t, near, "request")
	if err := near.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	writeFails(t, near, syscall.EPIPE)
	read(t, far, "request")
	readFails(t, far, io.EOF)
	write(t, far, "reply")
	read(t, near, "reply")
}

func TestCloseWithUnreadBytesResets(t *testing.T) {
	near, far := pair(t, New(Options{}))
	write(t, far, "seen")
	write(t, near, "never read")
	far.Close()
	read(t, near, "seen") // it had arrived before the RST
	readFails(t, near, syscall.ECONNRESET)
	writeFails(t, near, syscall.ECONNRESET)
}

func TestWriterWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pair(t, New(Options{Buffer: 8}))
		sent := 0
		go func() { sent, _ = near.Write(make([]byte, 20)) }()
		synctest.Wait() // durably blocked, or this would hang
		if sent != 0 {
			t.Fatal("20 bytes fitted into 8")
		}
		for _, want := range []int{8, 8, 4} {
			synctest.Wait()
			if n, err := far.Read(make([]byte, 100)); n != want || err != nil {
				t.Fatalf("Read = %d, %v, want %d", n, err, want)
			}
		}
		synctest.Wait()
		if sent != 20 {
			t.Fatalf("Write returned %d, want 20", sent)
		}
	})
}

func TestWritesDoNotInterleave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pair(t, New(Options{Buffer: 3}))
		const each = 50
		for _, letter := range []byte("abcd") {
			go near.Write(bytes.Repeat([]byte{letter}, each))
		}
		synctest.Wait() // the second writer too must be durably blocked
		got := make([]byte, 4*each)
		if _, err := io.ReadFull(far, got); err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(got); i += each {
			if part := got[i : i+each]; len(bytes.Trim(part, string(part[:1]))) != 0 {
				t.Fatalf("bytes of two writes are mixed: %q", part)
			}
		}
	})
}

func TestBlockedWriterIsFreed(t *testing.T) {
	for _, tt := range []struct {
		name string
		act  func(n *Network, near, far net.Conn)
		want error
	}{
		{"by its own close", func(_ *Network, near, _ net.Conn) { near.Close() }, net.ErrClosed},
		{"by the peer's close", func(_ *Network, _, far net.Conn) { far.Close() }, syscall.ECONNRESET},
		{"by a cut", func(n *Network, _, _ net.Conn) { n.Cut("10.0.0.1", "10.0.0.2") }, syscall.ECONNRESET},
		{"by its deadline", func(_ *Network, near, _ net.Conn) { near.SetWriteDeadline(time.Now().Add(time.Hour)) }, os.ErrDeadlineExceeded},
		{"by the peer's death", func(n *Network, _, _ net.Conn) { n.Host("10.0.0.2").Kill() }, syscall.ECONNRESET},
		{"by its own death", func(n *Network, _, _ net.Conn) { n.Host("10.0.0.1").Kill() }, net.ErrClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := New(Options{Buffer: 4})
				near, far := pair(t, n)
				type result struct {
					n   int
					err error
				}
				done := make(chan result)
				go func() {
					k, err := near.Write(make([]byte, 10))
					done <- result{k, err}
				}()
				synctest.Wait()
				tt.act(n, near, far)
				r := <-done
				fails(t, "write", r.err, tt.want)
				if r.n != 4 {
					t.Errorf("%d bytes were taken, want 4", r.n)
				}
			})
		})
	}
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pair(t, New(Options{}))
		start := time.Now()
		near.SetReadDeadline(start.Add(3 * time.Second))
		readFails(t, near, os.ErrDeadlineExceeded)
		if d := time.Since(start); d != 3*time.Second {
			t.Fatalf("the deadline took %v", d)
		}
		write(t, far, "late")
		readFails(t, near, os.ErrDeadlineExceeded) // an expired deadline hides bytes, as in net
		near.SetReadDeadline(time.Time{})
		read(t, near, "late")

		near.SetReadDeadline(time.Now().Add(time.Minute))
		near.SetReadDeadline(time.Now().Add(time.Hour)) // the first timer must not count
		start = time.Now()
		readFails(t, near, os.ErrDeadlineExceeded)
		if d := time.Since(start); d != time.Hour {
			t.Fatalf("the moved deadline took %v", d)
		}
		near.SetDeadline(time.Now().Add(-1))
		readFails(t, near, os.ErrDeadlineExceeded)
		writeFails(t, near, os.ErrDeadlineExceeded)
		var ne net.Error
		if _, err := near.Read(make([]byte, 1)); !errors.As(err, &ne) || !ne.Timeout() {
			t.Fatalf("%v is no timeout", err)
		}
	})
}

// TestWithoutSynctest moves data with many goroutines on real time, for the race detector.
func TestWithoutSynctest(t *testing.T) {
	n := New(Options{Buffer: 1000, Link: Link{Latency: 50 * time.Microsecond}})
	b := n.Host("10.0.0.2")
	l, err := b.Listen(t.Context(), "tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			c, err := n.Host("10.0.0.1").Dial(context.Background(), "tcp", "10.0.0.2:"+port)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			sent := bytes.Repeat([]byte{byte(i)}, 20_000)
			go func() {
				c.Write(sent)
				c.(interface{ CloseWrite() error }).CloseWrite()
			}()
			if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("echo returned %d bytes, %v", len(got), err)
			}
		})
	}
	wg.Wait()
	l.Close()
}
