package epmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss/internal/simnet"
)

// bubble runs a test in fake time with an epmd on host 10.0.0.1 and a second host.
func bubble(t *testing.T, s *Server, test func(t *testing.T, here, there *simnet.Host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(simnet.Options{})
		here, there := n.Host("10.0.0.1", "fd00::1"), n.Host("10.0.0.2", "fd00::2")
		serveOn(t, s, here, 4369)
		test(t, here, there)
	})
}

func from(h *simnet.Host) *Client { return &Client{Port: 4369, Dial: h.Dial} }

func TestOtherHostsMayOnlyAsk(t *testing.T) {
	bubble(t, &Server{Relaxed: true}, func(t *testing.T, here, there *simnet.Host) {
		ctx := t.Context()
		for _, addr := range []string{"127.0.0.1", "127.0.0.9", "::1", "10.0.0.1", "fd00::1"} {
			reg, err := from(here).Register(ctx, addr, Registration{Name: "web", Port: 1})
			if err != nil {
				t.Fatalf("from this host, by %s: %v", addr, err)
			}
			reg.Close()
			synctest.Wait()
		}
		reg, err := from(here).Register(ctx, "::1", Registration{Name: "web", Port: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer reg.Close()
		for _, addr := range []string{"10.0.0.1", "fd00::1"} {
			_, errAlive := from(there).Register(ctx, addr, Registration{Name: "other", Port: 1})
			_, errDump := from(there).Dump(ctx, addr)
			for what, err := range map[string]error{
				"register": errAlive, "dump": errDump,
				"kill": from(there).Kill(ctx, addr), "stop": from(there).Stop(ctx, addr, "web"),
			} {
				if !errors.Is(err, ErrRefused) {
					t.Errorf("%s from another host: %v, want ErrRefused", what, err)
				}
			}
			if e, err := from(there).Lookup(ctx, addr, "web"); err != nil || e.Port != 1 {
				t.Errorf("lookup from another host: %+v, %v", e, err)
			}
			if names, err := from(there).Names(ctx, addr); err != nil || len(names) != 1 {
				t.Errorf("names from another host: %v, %v", names, err)
			}
		}
	})
}

// TestSlowLoris: a byte now and then buys no time.
func TestSlowLoris(t *testing.T) {
	bubble(t, &Server{}, func(t *testing.T, here, _ *simnet.Host) {
		began := time.Now()
		slow, silent := listenTo(dialTest(t, here, 4369)), listenTo(dialTest(t, here, 4369))
		for range 30 {
			time.Sleep(3 * time.Second)
			slow.Write([]byte{1}) // a request of 257 bytes, in 13 minutes
			synctest.Wait()
			if slow.ended() || silent.ended() {
				break
			}
		}
		if lived := time.Since(began); lived != 60*time.Second {
			t.Errorf("closed after %v, want 60 s", lived)
		}
		synctest.Wait()
		if !slow.ended() || !silent.ended() {
			t.Errorf("slow ended %t, silent ended %t", slow.ended(), silent.ended())
		}
	})
}

// TestRefusedIsNotHeldForEver: Erlang's epmd keeps a refused connection open; so do we, for a while.
func TestRefusedIsNotHeldForEver(t *testing.T) {
	bubble(t, &Server{}, func(t *testing.T, here, _ *simnet.Host) {
		reg, err := from(here).Register(t.Context(), "127.0.0.1", Registration{Name: "web", Port: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer reg.Close()
		again := listenTo(dialTest(t, here, 4369))
		again.Write(request("web").append(nil))
		synctest.Wait()
		if got := again.take(); !bytes.Equal(got, []byte{'v', 1, 0, 0, 0, 99}) || again.ended() {
			t.Fatalf("got %x, ended %t", got, again.ended())
		}
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		if !again.ended() {
			t.Error("a refused connection is held")
		}
		if reg.Err() != nil {
			t.Error("a registration is not", reg.Err())
		}
	})
}

// TestLimits: other hosts cannot take more than half of the connections, nobody
// more than all, and those beyond are closed at once.
func TestLimits(t *testing.T) {
	bubble(t, &Server{MaxConns: 8, MaxNames: 2}, func(t *testing.T, here, there *simnet.Host) {
		open := func(h *simnet.Host) *listened {
			c, err := h.Dial(t.Context(), "tcp", "10.0.0.1:4369")
			if err != nil {
				t.Fatal(err)
			}
			l := listenTo(c)
			t.Cleanup(func() { l.Close() })
			synctest.Wait()
			return l
		}
		var remote []*listened
		for i := range 6 {
			remote = append(remote, open(there))
			if remote[i].ended() != (i >= 4) {
				t.Errorf("connection %d from another host: ended %t", i, remote[i].ended())
			}
		}
		for i := range 2 {
			reg, err := from(here).Register(t.Context(), "127.0.0.1", Registration{Name: fmt.Sprint("n", i)})
			if err != nil {
				t.Fatalf("this host is kept out: %v", err)
			}
			defer reg.Close()
		}
		if _, err := from(here).Register(t.Context(), "127.0.0.1", Registration{Name: "n2"}); !errors.Is(err, ErrNameTaken) {
			t.Errorf("a name too many: %v", err)
		}
		synctest.Wait()
		for i := range 3 {
			if c := open(here); c.ended() != (i >= 2) {
				t.Errorf("connection %d from this host: ended %t", i, c.ended())
			}
		}
		remote[0].Close()
		synctest.Wait()
		if c := open(there); c.ended() {
			t.Error("a place that became free is not given again")
		}
	})
}

// TestHostile throws what a scanner or a broken client would; each costs its own
// connection, and the names stay.
func TestHostile(t *testing.T) {
	bubble(t, &Server{}, func(t *testing.T, here, there *simnet.Host) {
		reg, err := from(here).Register(t.Context(), "127.0.0.1", Registration{Name: "web", Port: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer reg.Close()
		for name, data := range map[string]string{
			"http":          "GET / HTTP/1.1\r\nHost: example\r\n\r\n",
			"tls":           "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
			"zero length":   "\x00\x00",
			"too long":      "\x0b\xf2" + strings.Repeat("n", 4000),
			"unknown op":    "\x00\x01Z",
			"reply as op":   "\x00\x06v\x00\x00\x00\x00\x01",
			"short alive":   "\x00\x02x\x00",
			"alive overrun": "\x00\x0ex\x00\x01M\x00\x00\x06\x00\x05\xff\xffa\x00\x00",
		} {
			for _, h := range []*simnet.Host{here, there} {
				c, err := h.Dial(t.Context(), "tcp", "10.0.0.1:4369")
				if err != nil {
					t.Fatal(err)
				}
				l := listenTo(c)
				l.Write([]byte(data))
				l.Write([]byte("and more"))
				synctest.Wait()
				if got := l.take(); len(got) > 0 {
					t.Errorf("%s from %s: answered %q", name, h, got)
				}
				if !l.ended() {
					t.Errorf("%s from %s: the connection is open", name, h)
				}
				l.Close()
			}
		}
		if e, err := from(there).Lookup(t.Context(), "10.0.0.1", "web"); err != nil || reg.Err() != nil {
			t.Errorf("the registration suffered: %+v, %v, %v", e, err, reg.Err())
		}
	})
}

// TestMemoryIsBounded: readers that ask for a large list and never read it hold
// little more than a connection, since the list is not copied for each.
func TestMemoryIsBounded(t *testing.T) {
	const readers, names = 200, 200
	bubble(t, &Server{}, func(t *testing.T, here, there *simnet.Host) {
		for i := range names {
			reg, err := from(here).Register(t.Context(), "127.0.0.1", Registration{Name: fmt.Sprintf("%03d%s", i, strings.Repeat("é", 252))})
			if err != nil {
				t.Fatal(err)
			}
			defer reg.Close()
		}
		synctest.Wait()
		before := heap()
		for range readers {
			c, err := there.Dial(t.Context(), "tcp", "10.0.0.1:4369")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.Write(appendRequest(nil, opNames, ""))
		}
		synctest.Wait()
		// Each list is 100 KB; simnet's buffer holds 64 KB of it, which is the kernel's
		// share. The server's own has to stay under 16 KB.
		each := (heap() - before) / readers
		t.Logf("%d bytes held for each reader, simnet's included", each)
		if each > 64<<10+16<<10 {
			t.Error("that is more than 80 KB")
		}
		time.Sleep(time.Minute + time.Second) // and then they are gone
		synctest.Wait()
		if _, err := from(there).Lookup(t.Context(), "10.0.0.1", "nobody"); !errors.Is(err, ErrUnknownName) {
			t.Error(err)
		}
	})
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestKillEndsServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here := simnet.New(simnet.Options{}).Host("10.0.0.1")
		addrs, err := BindList("10.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		listeners, err := Listen(t.Context(), here.Listen, addrs, 4369)
		if err != nil || len(listeners) != 3 {
			t.Fatal(len(listeners), err)
		}
		served := make(chan error, 1)
		go func() { served <- new(Server).Serve(t.Context(), listeners...) }()
		idle := listenTo(dialTest(t, here, 4369))
		if err := from(here).Kill(t.Context(), "10.0.0.1"); err != nil {
			t.Fatal(err)
		}
		if err := <-served; err != nil {
			t.Errorf("killed: %v, want nil", err)
		}
		synctest.Wait()
		if !idle.ended() {
			t.Error("a connection outlived the server")
		}
		if _, err := from(here).Names(t.Context(), "127.0.0.1"); !errors.Is(err, ErrUnreachable) {
			t.Errorf("killed, and answers: %v", err)
		}
	})
}

// TestAcceptFailures: passing ones are waited out, others end Serve.
func TestAcceptFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &failing{errs: []error{passing{}, passing{}, passing{}, errors.New("broken")}}
		began := time.Now()
		err := new(Server).Serve(t.Context(), l)
		if err == nil || err.Error() != "broken" {
			t.Errorf("Serve: %v", err)
		}
		if took := time.Since(began); took != 35*time.Millisecond {
			t.Errorf("paused %v, want 5+10+20 ms", took)
		}
		if !l.closed {
			t.Error("the listener is left open")
		}
	})
}

type passing struct{}

func (passing) Error() string   { return "too many open files" }
func (passing) Temporary() bool { return true }

type failing struct {
	errs   []error
	closed bool
}

func (l *failing) Accept() (net.Conn, error) {
	err := l.errs[0]
	l.errs = l.errs[1:]
	return nil, err
}
func (l *failing) Close() error   { l.closed = true; return nil }
func (l *failing) Addr() net.Addr { return &net.TCPAddr{} }

func TestServeWithEndedContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		here := simnet.New(simnet.Options{}).Host("10.0.0.1")
		l, err := here.Listen(t.Context(), "tcp", ":4369")
		if err != nil {
			t.Fatal(err)
		}
		if err := new(Server).Serve(ctx, l); err != nil {
			t.Error(err)
		}
		if _, err := here.Dial(t.Context(), "tcp", "127.0.0.1:4369"); err == nil {
			t.Error("the listener is left open")
		}
	})
}
