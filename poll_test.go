package truss_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

type pingMessage struct {
	_    struct{} `etf:"ping,tuple"`
	From etf.Pid
	N    int
}

func echoPings(ctx context.Context, p *truss.Process) error {
	for {
		m, err := p.Receive(ctx)
		if err != nil {
			return err
		}
		var ping pingMessage
		if err := m.Unmarshal(&ping); err != nil {
			return err
		}
		if err := p.Send(ctx, ping.From, ping.N); err != nil {
			return err
		}
	}
}

// TestPolling: a process that would poll for an hour has its answers, in order, and
// others on the same connection have their messages, large ones too; and it misses
// nothing else that can end its wait.
func TestPolling(t *testing.T) {
	x, y := benchNodes(t, func(c *truss.Config) { c.BusyWait = time.Hour })
	echo, err := y.Spawn(echoPings)
	if err != nil {
		t.Fatal(err)
	}
	sums := make(chan int, 1)
	const large, count = 300_000, 40
	sink, err := x.Spawn(func(ctx context.Context, p *truss.Process) error {
		sum := 0
		for range count {
			m, err := p.Receive(ctx)
			if err != nil {
				return err
			}
			b, err := m.Bytes()
			if err != nil {
				return err
			}
			sum += len(b) + int(b[len(b)-1])
			m.Release()
		}
		sums <- sum
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for i := range count {
			b := make([]byte, large)
			b[large-1] = byte(i)
			if err := y.Send(t.Context(), sink.PID(), b); err != nil {
				t.Error(err)
			}
		}
	}()
	visit(t, x, func(p *truss.Process) error {
		for n := range 3000 {
			if err := p.Send(t.Context(), echo.PID(), pingMessage{From: p.PID(), N: n}); err != nil {
				return err
			}
			m, err := p.Receive(t.Context())
			if err != nil {
				return err
			}
			var got int
			if err := m.Unmarshal(&got); err != nil || got != n {
				t.Fatalf("%v, %v; want %d", m, err, n)
			}
		}
		return nil
	})
	if got, want := <-sums, count*large+count*(count-1)/2; got != want {
		t.Errorf("the large messages sum up to %d, want %d", got, want)
	}

	// Each of these comes while the process polls: it has just had an answer.
	converse := func(p *truss.Process) error {
		if err := p.Send(t.Context(), echo.PID(), pingMessage{From: p.PID()}); err != nil {
			return err
		}
		_, err := p.Receive(t.Context())
		return err
	}
	visit(t, x, func(p *truss.Process) error {
		if err := converse(p); err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		if _, err := p.Receive(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("its context ends: %v", err)
		}
		go func() {
			if err := x.Send(t.Context(), p, etf.Atom("local")); err != nil {
				t.Error(err)
			}
		}()
		if m, err := p.Receive(t.Context()); err != nil || m.Tag() != "local" {
			t.Errorf("a local message: %v, %v", m, err)
		}
		ref, err := p.Monitor(t.Context(), echo.PID())
		if err != nil {
			return err
		}
		go y.Close()
		m, err := p.Receive(t.Context())
		if down, ok := m.Signal().(truss.Down); err != nil || !ok || down.Ref != ref {
			t.Errorf("the peer closes: %v, %v", m, err)
		}
		return nil
	})
}

func visit(t *testing.T, n *truss.Node, do func(p *truss.Process) error) {
	t.Helper()
	if err := n.Visit(do); err != nil {
		t.Error(err)
	}
}
