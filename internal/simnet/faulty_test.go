package simnet

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// onBoth runs a test over a simnet connection and over real loopback TCP.
func onBoth(t *testing.T, f func(t *testing.T, near, far net.Conn)) {
	t.Run("simnet", func(t *testing.T) {
		near, far := pair(t, New(Options{}))
		f(t, near, far)
	})
	t.Run("tcp", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		near, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		far, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { near.Close(); far.Close() })
		f(t, near, far)
	})
}

func TestCutAfterWrite(t *testing.T) {
	onBoth(t, func(t *testing.T, near, far net.Conn) {
		c := Faulty(near, Faults{CutAfterWrite: 5})
		n, err := c.Write([]byte("abc"))
		if n != 3 || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
		read(t, far, "abc")
		n, err = c.Write([]byte("defgh"))
		if n != 2 {
			t.Fatalf("Write = %d, %v, want 2 bytes", n, err)
		}
		fails(t, "write", err, syscall.ECONNRESET)
		writeFails(t, c, syscall.ECONNRESET)
		readFails(t, c, syscall.ECONNRESET)
		if got, err := io.ReadAll(far); err == nil || len(got) > 2 {
			t.Errorf("the peer read %q, %v; want at most 2 bytes and an error", got, err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		if err := c.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("second Close = %v", err)
		}
	})
}

func TestCutAfterRead(t *testing.T) {
	onBoth(t, func(t *testing.T, near, far net.Conn) {
		c := Faulty(near, Faults{CutAfterRead: 4})
		write(t, far, "abcdefgh")
		read(t, c, "abcd")
		readFails(t, c, syscall.ECONNRESET)
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the peer's Read = %v, want a reset", err)
		}
	})
}

func TestPieces(t *testing.T) {
	near, far := pair(t, New(Options{}))
	c := Faulty(near, Faults{ReadPiece: 2})
	write(t, far, "abcde")
	for _, want := range []int{2, 2, 1} {
		if n, err := c.Read(make([]byte, 10)); n != want || err != nil {
			t.Fatalf("Read = %d, %v, want %d", n, err, want)
		}
	}
	counter := &writeCounter{Conn: near}
	write(t, Faulty(counter, Faults{WritePiece: 3}), "abcdefgh")
	read(t, far, "abcdefgh")
	if counter.writes != 3 {
		t.Errorf("8 bytes went out in %d writes of at most 3", counter.writes)
	}
}

type writeCounter struct {
	net.Conn
	writes int
}

func (c *writeCounter) Write(b []byte) (int, error) { c.writes++; return c.Conn.Write(b) }

func TestWriteDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pair(t, New(Options{}))
		c := Faulty(near, Faults{WritePiece: 1, WriteDelay: time.Second})
		start := time.Now()
		for _, letter := range []byte("ab") {
			go c.Write(bytes.Repeat([]byte{letter}, 3))
		}
		got := make([]byte, 6)
		if _, err := io.ReadFull(far, got); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 6*time.Second {
			t.Errorf("six pieces took %v", d)
		}
		if s := string(got); s != "aaabbb" && s != "bbbaaa" {
			t.Errorf("pieces of two writes are mixed: %q", s)
		}
		done := make(chan error)
		go func() {
			_, err := c.Write([]byte("never"))
			done <- err
		}()
		synctest.Wait()
		c.Close() // ends the pause
		fails(t, "write", <-done, net.ErrClosed)
		if d := time.Since(start); d != 6*time.Second {
			t.Errorf("Close waited for the pause")
		}
	})
}

func TestFaultyCloseWrite(t *testing.T) {
	near, far := pair(t, New(Options{}))
	c := Faulty(near, Faults{})
	write(t, c, "all")
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	read(t, far, "all")
	readFails(t, far, io.EOF)
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if err := Faulty(a, Faults{}).(interface{ CloseWrite() error }).CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("CloseWrite of a pipe = %v", err)
	}
}
