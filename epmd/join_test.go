package epmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss/internal/simnet"
)

// program is one of several programs on a host, to be killed alone: as with
// SIGKILL, the kernel closes what it had open and it takes notice of nothing.
type program struct {
	host *simnet.Host
	*Membership

	mu        sync.Mutex
	dead      bool
	conns     []net.Conn
	listeners []net.Listener
	dials     []time.Time
}

func (p *program) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dials = append(p.dials, time.Now())
	if p.dead {
		return nil, errors.New("killed")
	}
	c, err := p.host.Dial(ctx, network, addr)
	if err == nil {
		p.conns = append(p.conns, c)
	}
	return c, err
}

func (p *program) Listen(ctx context.Context, network, addr string) (net.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		return nil, errors.New("killed")
	}
	l, err := p.host.Listen(ctx, network, addr)
	if err == nil {
		l = &ownedListener{l, p}
		p.listeners = append(p.listeners, l)
	}
	return l, err
}

type ownedListener struct {
	net.Listener
	p *program
}

func (l *ownedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	if err == nil {
		l.p.conns = append(l.p.conns, c)
	}
	return c, err
}

func (p *program) kill() {
	p.mu.Lock()
	p.dead = true
	closeAll(p.listeners)
	for _, c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
}

func start(t *testing.T, host *simnet.Host, cfg Config) *program {
	t.Helper()
	p, err := tryStart(t, host, cfg)
	if err != nil {
		t.Fatalf("%s: %v", cfg.Name, err)
	}
	return p
}

func tryStart(t *testing.T, host *simnet.Host, cfg Config) (*program, error) {
	p := &program{host: host}
	cfg.Dial, cfg.Listen = p.Dial, p.Listen
	var err error
	p.Membership, err = Join(t.Context(), cfg)
	if err == nil {
		t.Cleanup(func() { p.Close() })
	}
	return p, err
}

// registeredNames asks from another host, as peers do.
func registeredNames(t *testing.T, from *simnet.Host) string {
	t.Helper()
	names, err := (&Client{Port: 4369, Dial: from.Dial}).Names(t.Context(), "10.0.0.1")
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, n := range names {
		all = append(all, n.Name)
	}
	slices.Sort(all) // they come newest first, which the retries' jitter decides
	return strings.Join(all, " ")
}

// hosts runs a test in fake time with two hosts and no epmd.
func hosts(t *testing.T, test func(t *testing.T, here, there *simnet.Host)) {
	t.Helper()
	t.Setenv("ERL_EPMD_PORT", "")
	t.Setenv("ERL_EPMD_ADDRESS", "")
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(simnet.Options{})
		test(t, n.Host("10.0.0.1"), n.Host("10.0.0.2"))
	})
}

// TestTakeover: the program that serves dies again and again, and the rest are
// registered again in time, with the creations they had.
func TestTakeover(t *testing.T) {
	hosts(t, func(t *testing.T, here, there *simnet.Host) {
		const count = 12
		var all []*program
		var creations []uint32
		for i := range count {
			all = append(all, start(t, here, Config{Name: fmt.Sprintf("n%02d", i), Port: uint16(i)}))
			creations = append(creations, all[i].Creation())
			time.Sleep(1500 * time.Millisecond)
		}
		for len(all) > 1 {
			var server *program
			var rest []*program
			var names []string
			for _, p := range all {
				if p.Serving() {
					if server != nil {
						t.Fatalf("%s and %s both serve", server.node.Name, p.node.Name)
					}
					server = p
					continue
				}
				rest = append(rest, p)
				names = append(names, p.node.Name)
			}
			if server == nil {
				t.Fatal("nobody serves")
			}
			server.kill()
			killedAt := time.Now()
			want := strings.Join(names, " ")
			for registeredNames(t, there) != want {
				time.Sleep(10 * time.Millisecond)
				if took := time.Since(killedAt); took > 5*time.Second {
					t.Fatalf("%d left, after %v: %s, want %s", len(rest), took, registeredNames(t, there), want)
				}
			}
			t.Logf("%2d left: whole again after %v", len(rest), time.Since(killedAt))
			all = rest
		}
		for _, p := range all {
			if want := creations[p.node.Port]; p.Creation() != want {
				t.Errorf("%s: creation %d, at first %d", p.node.Name, p.Creation(), want)
			}
		}
	})
}

// TestRetriesAreSpread: while nobody can serve, every program tries, each in
// its own time and never faster than every 200 ms.
func TestRetriesAreSpread(t *testing.T) {
	hosts(t, func(t *testing.T, here, _ *simnet.Host) {
		ctx, cancel := context.WithCancel(t.Context())
		l, err := here.Listen(ctx, "tcp", ":4369")
		if err != nil {
			t.Fatal(err)
		}
		var serving sync.WaitGroup
		serving.Go(func() { new(Server).Serve(ctx, l) })
		var all []*program
		for i := range 8 {
			all = append(all, start(t, here, Config{Name: fmt.Sprint("n", i), Addr: "127.0.0.1", Mode: ModeJoin}))
		}
		cancel()
		serving.Wait()
		time.Sleep(time.Minute)
		first := map[time.Time]bool{}
		for _, p := range all {
			p.mu.Lock()
			dials := p.dials
			p.mu.Unlock()
			first[dials[1]] = true
			for i := 2; i < len(dials); i++ {
				if gap := dials[i].Sub(dials[i-1]); gap < 200*time.Millisecond || gap > 500*time.Millisecond {
					t.Errorf("%s: %v between retries", p.node.Name, gap)
				}
			}
			if len(dials) < 120 {
				t.Errorf("%s: %d tries in a minute", p.node.Name, len(dials))
			}
		}
		if len(first) < 7 { // nanoseconds of jitter: two alike are less likely than 1 in 10 million
			t.Errorf("8 programs retried at %d different times", len(first))
		}
	})
}

// TestRealEpmdComesAndGoes: what binds the port first serves, ours or not.
func TestRealEpmdComesAndGoes(t *testing.T) {
	hosts(t, func(t *testing.T, here, there *simnet.Host) {
		a, b := start(t, here, Config{Name: "a"}), start(t, here, Config{Name: "b"})
		if !a.Serving() || b.Serving() {
			t.Fatalf("serving: a %t, b %t", a.Serving(), b.Serving())
		}
		a.kill()
		daemon := startDaemon(t, here)
		time.Sleep(time.Second)
		if b.Serving() || registeredNames(t, there) != "b" {
			t.Errorf("b serves: %t, the daemon has: %s", b.Serving(), registeredNames(t, there))
		}
		c := start(t, here, Config{Name: "c"})
		if c.Serving() {
			t.Error("c serves beside the daemon")
		}
		daemon()
		time.Sleep(2 * time.Second)
		if b.Serving() == c.Serving() || registeredNames(t, there) != "b c" {
			t.Errorf("without the daemon: b serves: %t, c serves: %t, there are: %s", b.Serving(), c.Serving(), registeredNames(t, there))
		}
	})
}

// startDaemon serves until the function it returns is called.
func startDaemon(t *testing.T, host *simnet.Host) (stop func()) {
	l, err := host.Listen(t.Context(), "tcp", ":4369")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() { new(Server).Serve(ctx, l) })
	return func() { cancel(); serving.Wait() }
}

// TestManyStartAtOnce: one binds, the others find it.
func TestManyStartAtOnce(t *testing.T) {
	hosts(t, func(t *testing.T, here, there *simnet.Host) {
		var starting sync.WaitGroup
		all := make([]*program, 20)
		for i := range all {
			starting.Go(func() {
				p, err := tryStart(t, here, Config{Name: fmt.Sprintf("n%02d", i)})
				if err != nil {
					t.Error(err)
				}
				all[i] = p
			})
		}
		starting.Wait()
		if t.Failed() {
			return
		}
		servers := 0
		for _, p := range all {
			if p.Serving() {
				servers++
			}
		}
		if names := registeredNames(t, there); servers != 1 || strings.Count(names, " ") != 19 {
			t.Errorf("%d serve, names: %s", servers, names)
		}
	})
}

func TestCloseHandsOver(t *testing.T) {
	hosts(t, func(t *testing.T, here, there *simnet.Host) {
		a, b := start(t, here, Config{Name: "a"}), start(t, here, Config{Name: "b"})
		a.Close()
		a.Close()
		time.Sleep(time.Second)
		if a.Serving() || !b.Serving() || registeredNames(t, there) != "b" {
			t.Errorf("a serves %t, b serves %t, names: %s", a.Serving(), b.Serving(), registeredNames(t, there))
		}
		again := start(t, here, Config{Name: "a"})
		if again.Serving() {
			t.Error("the second a serves beside b")
		}
	})
}

func TestJoinFails(t *testing.T) {
	hosts(t, func(t *testing.T, here, _ *simnet.Host) {
		_, err := tryStart(t, here, Config{Name: "a", Mode: ModeJoin})
		if !errors.Is(err, ErrUnreachable) {
			t.Errorf("only joining where there is nothing: %v", err)
		}
		_, err = tryStart(t, here, Config{Name: "a", Addr: "10.0.0.9"})
		if !errors.Is(err, ErrUnreachable) || !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Errorf("an epmd on another machine: %v", err)
		}
		_, err = tryStart(t, here, Config{Name: "a", ListenAddrs: []string{"10.0.0.1"}})
		if !errors.Is(err, ErrUnreachable) {
			t.Errorf("serving elsewhere than at Addr: %v", err)
		}
		_, err = tryStart(t, here, Config{Name: "a@b"})
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("a full name: %v", err)
		}
		a := start(t, here, Config{Name: "a", Mode: ModeServe})
		if !a.Serving() {
			t.Error("a does not serve")
		}
		_, err = tryStart(t, here, Config{Name: "a"})
		if !errors.Is(err, ErrNameTaken) {
			t.Errorf("the name is in use: %v", err)
		}
		_, err = tryStart(t, here, Config{Name: "b", Mode: ModeServe})
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("only serving where there is one: %v", err)
		}
	})
}

// TestJoinGivesUp: something holds the port that is no epmd.
func TestJoinGivesUp(t *testing.T) {
	hosts(t, func(t *testing.T, here, _ *simnet.Host) {
		l, err := here.Listen(t.Context(), "tcp", ":4369")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Write([]byte("220 mail ready\r\n"))
				c.Close()
			}
		}()
		defer l.Close()
		began := time.Now()
		_, err = tryStart(t, here, Config{Name: "a"})
		if err == nil || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// TestStolenName: while there was no epmd somebody else took the name. We keep
// asking, and have it back when he goes.
func TestStolenName(t *testing.T) {
	hosts(t, func(t *testing.T, here, there *simnet.Host) {
		stop := startDaemon(t, here)
		a := start(t, here, Config{Name: "a", Port: 1})
		stop()
		stop = startDaemon(t, here)
		defer stop()
		thief, err := from(here).Register(t.Context(), "127.0.0.1", Registration{Name: "a", Port: 2})
		if err != nil {
			t.Fatal(err)
		}
		port := func() uint16 {
			e, err := from(there).Lookup(t.Context(), "10.0.0.1", "a")
			if err != nil {
				t.Fatal(err)
			}
			return e.Port
		}
		time.Sleep(3 * time.Second)
		if p := port(); p != 2 {
			t.Errorf("port %d", p)
		}
		thief.Close()
		time.Sleep(time.Second)
		if p := port(); p != 1 {
			t.Errorf("port %d", p)
		}
		if a.Serving() {
			t.Error("a serves")
		}
	})
}

// TestMachinesOnOneLoopback: as many epmds on one port as there are addresses.
func TestMachinesOnOneLoopback(t *testing.T) {
	hosts(t, func(t *testing.T, here, _ *simnet.Host) {
		for i := 2; i < 5; i++ {
			p := start(t, here, Config{Name: "app", Port: uint16(i), Addr: fmt.Sprint("127.0.0.", i)})
			if !p.Serving() {
				t.Errorf("machine %d does not serve", i)
			}
		}
		for i := 2; i < 5; i++ {
			e, err := from(here).Lookup(t.Context(), fmt.Sprint("127.0.0.", i), "app")
			if err != nil || int(e.Port) != i {
				t.Errorf("machine %d: %+v, %v", i, e, err)
			}
		}
	})
}
