package simnet

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// silent checks that nothing arrives at c for an hour.
func silent(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(time.Hour))
	readFails(t, c, os.ErrDeadlineExceeded)
	c.SetReadDeadline(time.Time{})
}

func TestPartitionIsSilentAndHealDelivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Options{})
		near, far := pair(t, n)
		c := n.Host("10.0.0.3", "c")
		toC, fromA := connect(t, n.Host("10.0.0.1"), c, ":7")
		write(t, near, "before")
		n.Partition([]string{"10.0.0.1", "c"}, []string{"10.0.0.2"})
		read(t, far, "before") // it had arrived
		write(t, near, "one")  // the sender's kernel takes it
		write(t, far, "two")
		silent(t, far)
		silent(t, near)
		write(t, toC, "same side")
		read(t, fromA, "same side")
		near.Close()
		silent(t, far)
		n.Heal()
		read(t, far, "one")
		readFails(t, far, io.EOF)
	})
}

func TestPartitionFillsTheBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Options{Buffer: 4})
		near, far := pair(t, n)
		n.Partition([]string{"10.0.0.2"})
		near.SetWriteDeadline(time.Now().Add(time.Minute))
		if k, err := near.Write([]byte("abcdef")); k != 4 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Write = %d, %v; want 4 and a timeout", k, err)
		}
		n.Heal()
		read(t, far, "abcd")
	})
}

func TestPartitionReplacesTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Options{})
		near, far := pair(t, n)
		n.Partition([]string{"10.0.0.1"})
		n.Host("10.0.0.3")
		n.Partition([]string{"10.0.0.3"})
		write(t, near, "together again")
		read(t, far, "together again")
	})
}

func TestBlockIsOneWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Options{})
		near, far := pair(t, n)
		n.Block("10.0.0.1", "10.0.0.2")
		write(t, near, "lost")
		silent(t, far)
		write(t, far, "open")
		read(t, near, "open")
		n.Unblock("10.0.0.1", "10.0.0.2")
		read(t, far, "lost")
	})
}

func TestCutResetsBothEndsNow(t *testing.T) {
	n := New(Options{})
	near, far := pair(t, n)
	if got := n.Conns("10.0.0.1", "10.0.0.2"); got != 1 {
		t.Fatalf("%d connections, want 1", got)
	}
	n.Partition([]string{"10.0.0.1"}) // a cut does not care
	n.Cut("10.0.0.2", "10.0.0.1")
	for _, c := range []net.Conn{near, far} {
		readFails(t, c, syscall.ECONNRESET)
		writeFails(t, c, syscall.ECONNRESET)
	}
	if got := n.Conns("10.0.0.1", "10.0.0.2"); got != 0 {
		t.Fatalf("%d connections after the cut, want 0", got)
	}
}

func TestKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Options{})
		near, far := pair(t, n)
		b := n.Host("10.0.0.2")
		l, err := b.Listen(t.Context(), "tcp", ":4369")
		if err != nil {
			t.Fatal(err)
		}
		accepted := make(chan error, 1)
		go func() {
			_, err := l.Accept()
			accepted <- err
		}()
		synctest.Wait()
		b.Kill()
		fails(t, "accept", <-accepted, net.ErrClosed)
		readFails(t, far, net.ErrClosed)
		readFails(t, near, syscall.ECONNRESET)
		_, err = n.Host("10.0.0.1").Dial(t.Context(), "tcp", "10.0.0.2:4369")
		fails(t, "dial", err, syscall.ECONNREFUSED)
		connect(t, n.Host("10.0.0.1"), b, ":4369") // the program starts again
	})
}

func TestKillBehindAPartitionIsSeenAtHeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Options{})
		near, _ := pair(t, n)
		n.Partition([]string{"10.0.0.1"})
		n.Host("10.0.0.2").Kill()
		silent(t, near)
		n.Heal()
		readFails(t, near, syscall.ECONNRESET)
	})
}

func TestKillEndsTheHostsDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Options{})
		a := n.Host("10.0.0.1")
		n.Host("10.0.0.2")
		n.Partition([]string{"10.0.0.1"})
		done := make(chan error)
		go func() {
			_, err := a.Dial(context.Background(), "tcp", "10.0.0.2:1")
			done <- err
		}()
		synctest.Wait()
		a.Kill()
		fails(t, "dial", <-done, net.ErrClosed)
	})
}

func TestLatencyAndBandwidth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		elapsed := func(want time.Duration) {
			t.Helper()
			if got := time.Since(start); got != want {
				t.Fatalf("%v have passed, want %v", got, want)
			}
			start = time.Now()
		}
		n := New(Options{Link: Link{Latency: 10 * time.Millisecond}})
		near, far := pair(t, n)
		elapsed(20 * time.Millisecond) // SYN and SYN-ACK
		write(t, near, "x")
		elapsed(0)
		read(t, far, "x")
		elapsed(10 * time.Millisecond)

		n.SetLink("10.0.0.1", "10.0.0.2", Link{Latency: time.Millisecond, Bandwidth: 1000})
		write(t, near, string(make([]byte, 500)))
		write(t, near, string(make([]byte, 500)))
		read(t, far, string(make([]byte, 500)))
		elapsed(501 * time.Millisecond)
		read(t, far, string(make([]byte, 500)))
		elapsed(500 * time.Millisecond)
		write(t, near, "last words")
		near.Close()
		read(t, far, "last words")
		readFails(t, far, io.EOF)
		elapsed(11 * time.Millisecond)
	})
}

func TestWriterMayReuseItsBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pair(t, New(Options{Link: Link{Latency: time.Second}}))
		b := []byte("first")
		near.Write(b)
		copy(b, "again")
		near.Write(b)
		read(t, far, "firstagain")
	})
}

func TestFasterLinkKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Options{Link: Link{Latency: time.Second}})
		near, far := pair(t, n)
		write(t, near, "slow ")
		n.SetLink("10.0.0.1", "10.0.0.2", Link{})
		write(t, near, "fast")
		read(t, far, "slow fast")
	})
}

func TestWhatFlewIntoAPartitionIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Options{Link: Link{Latency: time.Second}})
		near, far := pair(t, n)
		write(t, near, "arrives ")
		time.Sleep(time.Second)
		write(t, near, "flies")
		n.Partition([]string{"10.0.0.1"})
		read(t, far, "arrives ")
		silent(t, far)
		n.Heal()
		start := time.Now()
		read(t, far, "flies")
		if d := time.Since(start); d != time.Second {
			t.Fatalf("sent again in %v, want the link's second", d)
		}
	})
}

func TestLoopbackKnowsNoFaults(t *testing.T) {
	n := New(Options{Link: Link{Latency: time.Hour}})
	a := n.Host("10.0.0.1")
	near, far := connect(t, a, a, "127.0.0.1:0")
	n.Partition([]string{"10.0.0.1"})
	write(t, near, "home")
	read(t, far, "home")
}

func TestScriptMistakesPanic(t *testing.T) {
	n := New(Options{})
	n.Host("10.0.0.1")
	n.Host("10.0.0.2")
	for name, f := range map[string]func(){
		"unknown host":     func() { n.Cut("10.0.0.1", "10.0.0.9") },
		"two hosts as one": func() { n.Host("10.0.0.1", "10.0.0.2") },
		"only a name":      func() { n.Host("alone") },
		"loopback":         func() { n.Host("127.0.0.5") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}
