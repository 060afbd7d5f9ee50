package epmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss/internal/simnet"
)

func TestErrorsAnswerTheQuestion(t *testing.T) {
	bubble(t, &Server{}, func(t *testing.T, here, there *simnet.Host) {
		ctx := t.Context()
		for _, name := range []string{"jobs", "web"} {
			reg, err := from(here).Register(ctx, "127.0.0.1", Registration{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			defer reg.Close()
		}
		_, unknown := from(there).Lookup(ctx, "10.0.0.1", "app")
		_, nobody := from(here).Lookup(ctx, "10.0.0.2", "app")
		_, nowhere := from(here).Lookup(ctx, "10.0.0.3", "app")
		_, taken := from(here).Register(ctx, "127.0.0.1", Registration{Name: "web"})
		_, refused := from(there).Register(ctx, "10.0.0.1", Registration{Name: "app"})
		_, full := from(here).Register(ctx, "10.0.0.1", Registration{Name: "web@10.0.0.1"})
		_, nul := from(here).Lookup(ctx, "10.0.0.1", "a\x00")
		_, empty := from(here).Names(ctx, "")
		for _, tt := range []struct {
			err, is error
			text    string
		}{
			{unknown, ErrUnknownName, "epmd at 10.0.0.1 knows no node named app; it has: web, jobs"},
			{nobody, ErrUnreachable, "no epmd at 10.0.0.2:4369: dial tcp 10.0.0.2:4369: connect: connection refused"},
			{nowhere, ErrUnreachable, "no epmd at 10.0.0.3:4369: dial tcp 10.0.0.3:4369: connect: no route to host"},
			{taken, ErrNameTaken, "name is taken: web is registered by another program (epmd at 127.0.0.1:4369: name is taken)"},
			{refused, ErrRefused, "epmd at 10.0.0.1:4369 closed the connection without an answer"},
			{full, ErrInvalid, `invalid name "web@10.0.0.1": it is the part before the @, 1 to 255 characters of UTF-8 without NUL`},
			{nul, ErrInvalid, `invalid name "a\x00": 1 to 255 characters of UTF-8 without NUL are possible`},
			{empty, ErrInvalid, "invalid host: it is empty"},
		} {
			if !errors.Is(tt.err, tt.is) || tt.err.Error() != tt.text {
				t.Errorf("got  %v\nwant %s", tt.err, tt.text)
			}
		}
	})
}

func TestUnknownNameListsSome(t *testing.T) {
	err := &UnknownNameError{Host: "h", Name: "a"}
	for i := range maxListed + 5 {
		err.Known = append(err.Known, NamePort{Name: fmt.Sprint("n", i)})
	}
	if !strings.HasSuffix(err.Error(), ", n19 and 5 more") {
		t.Error(err)
	}
}

// TestClientTimesOut: an epmd that is stopped accepts and says nothing.
func TestClientTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(simnet.Options{})
		here, there := n.Host("10.0.0.1"), n.Host("10.0.0.2")
		if _, err := there.Listen(t.Context(), "tcp", ":4369"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err := from(here).Names(t.Context(), "10.0.0.2")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began = time.Now()
		_, err = from(here).Lookup(ctx, "10.0.0.2", "a")
		if !errors.Is(err, context.Canceled) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestRegisteredEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		c := &Client{Port: 1, Dial: func(context.Context, string, string) (net.Conn, error) { return near, nil }}
		go func() {
			readRequest(far)
			far.Write([]byte{'v', 0, 0, 0, 0, 7})
			time.Sleep(time.Hour)
			far.Write([]byte{1})
		}()
		reg, err := c.Register(t.Context(), "h", Registration{Name: "a"})
		if err != nil || reg.Creation() != 7 || reg.Err() != nil {
			t.Fatal(reg, err)
		}
		began := time.Now()
		<-reg.Done()
		if time.Since(began) != time.Hour || !errors.Is(reg.Err(), ErrProtocol) {
			t.Errorf("%v after %v", reg.Err(), time.Since(began))
		}
		reg.Close()
		far.Close()
	})
	bubble(t, &Server{}, func(t *testing.T, here, _ *simnet.Host) {
		reg, err := from(here).Register(t.Context(), "::1", Registration{Name: "a"})
		if err != nil {
			t.Fatal(err)
		}
		reg.Close()
		reg.Close()
		if !errors.Is(reg.Err(), net.ErrClosed) {
			t.Error(reg.Err())
		}
		synctest.Wait()
		if names, err := from(here).Names(t.Context(), "::1"); err != nil || len(names) != 0 {
			t.Error(names, err)
		}
	})
}

func TestClientPort(t *testing.T) {
	var dialled string
	c := &Client{Dial: func(_ context.Context, _, addr string) (net.Conn, error) {
		dialled = addr
		return nil, errors.New("not today")
	}}
	for env, want := range map[string]string{"": "[::1]:4369", "5000": "[::1]:5000", "x": ""} {
		t.Setenv("ERL_EPMD_PORT", env)
		dialled = ""
		_, err := c.Names(t.Context(), "::1")
		if dialled != want || errors.Is(err, ErrInvalid) != (want == "") {
			t.Errorf("ERL_EPMD_PORT=%q: dialled %s, %v", env, dialled, err)
		}
	}
}
