package epmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The tests in this file talk to Erlang's own programs, on loopback and random
// ports. Where those are absent the tests say what was not tried; with
// TRUSS_INTEROP=require, as in CI, that is a failure.

// TestInteropServer: real nodes, started as anybody would, register with an epmd
// of ours, find each other and our names there, and leave it.
func TestInteropServer(t *testing.T) {
	for _, o := range otps(t) {
		t.Run("OTP "+o.release, func(t *testing.T) {
			port := quietPort(t)
			listeners, err := Listen(t.Context(), nil, []string{"127.0.0.1", "::1"}, port)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			var serving sync.WaitGroup
			serving.Go(func() { new(Server).Serve(ctx, listeners...) })
			defer func() { cancel(); serving.Wait() }()
			client := &Client{Port: port}
			reg, err := client.Register(t.Context(), "127.0.0.1", Registration{Name: "go", Port: 4711, Extra: []byte("hi")})
			if err != nil {
				t.Fatal(err)
			}
			defer reg.Close()

			a := beam(t, o, port, "-name", "a@127.0.0.1")
			a.eval(t, "ok.")
			b := beam(t, o, port, "-name", "b@127.0.0.1", "-hidden")
			b.eval(t, "ok.")
			if got := b.eval(t, "{ok, L} = net_adm:names(), lists:sort([N || {N, _} <- L])."); got != `["a","b","go"]` {
				t.Errorf("net_adm:names() at b: %s", got)
			}
			// 5 is the version erl_epmd settles on: the lower of its highest and ours.
			if got := b.eval(t, `erl_epmd:port_please("go", {127,0,0,1}).`); got != "{port,4711,6}" && got != "{port,4711,5}" {
				t.Errorf("port_please at b: %s", got)
			}
			if got := b.eval(t, `erl_epmd:port_please("nobody", {127,0,0,1}).`); got != "noport" {
				t.Errorf("port_please for nobody: %s", got)
			}
			if got := b.eval(t, "net_adm:ping('a@127.0.0.1')."); got != "pong" {
				t.Errorf("b pings a: %s", got)
			}
			entry, err := client.Lookup(t.Context(), "127.0.0.1", "a")
			hidden, errHidden := client.Lookup(t.Context(), "::1", "b")
			// A hidden BEAM node registers as a visible one; only C nodes say that they hide.
			for _, e := range []Entry{entry, hidden} {
				if e.Hidden || e.High != 6 || e.Low != 5 || e.Protocol != 0 || e.Extra != nil {
					t.Errorf("registered as %+v", e)
				}
			}
			if err != nil || errHidden != nil {
				t.Error(err, errHidden)
			}
			c := beam(t, o, port, "-name", "c@::1", "-proto_dist", "inet6_tcp")
			if got := c.eval(t, "node()."); got != "'c@::1'" {
				t.Errorf("the node over IPv6 is %s", got)
			}
			// Erlang's own tool, too, takes ours for its own.
			tool := func(arg string) string {
				out, _ := o.command(t.Context(), "epmd", "-port", strconv.Itoa(port), arg).Output()
				return string(out)
			}
			if out := tool("-names"); !strings.Contains(out, fmt.Sprintf("up and running on port %d with data:\n", port)) || !strings.Contains(out, "name go at port 4711\n") {
				t.Errorf("epmd -names: %s", out)
			}
			if out := tool("-kill"); !strings.Contains(out, "Killing not allowed") {
				t.Errorf("epmd -kill: %s", out)
			}
			creation := func(p *process) int {
				n, err := strconv.Atoi(p.eval(t, "erlang:system_info(creation)."))
				if err != nil {
					t.Error(err)
				}
				return n
			}
			first := creation(a)
			a.kill()
			until(t, 5*time.Second, "a is gone, b, c and go are not", func() bool { return nameSet(client) == "b c go" })
			again := beam(t, o, port, "-name", "a@127.0.0.1")
			if second := creation(again); second != first+1 {
				t.Errorf("creation %d, and after a restart %d", first, second)
			}
		})
	}
}

// TestInteropClient asks the real daemon everything.
func TestInteropClient(t *testing.T) {
	for _, o := range otps(t) {
		t.Run("OTP "+o.release, func(t *testing.T) {
			ctx := t.Context()
			c := &Client{Port: quietPort(t)}
			daemon := startProcess(t, o.command(ctx, "epmd", "-port", strconv.Itoa(c.Port), "-address", "127.0.0.1"))
			until(t, 10*time.Second, "epmd is up", func() bool { return nameSet(c) == "" })

			reg, err := c.Register(ctx, "127.0.0.1", Registration{Name: "wéb", Port: 4711, Hidden: true, Extra: []byte{0, 1}})
			if err != nil || reg.Creation() < uint32(time.Now().Unix()-60) {
				t.Fatal(reg, err)
			}
			e, err := c.Lookup(ctx, "127.0.0.1", "wéb")
			if want := "{wéb 4711 true 0 6 5 [0 1]}"; err != nil || fmt.Sprint(e) != want {
				t.Errorf("%v, %v, want %s", e, err, want)
			}
			if _, err := c.Lookup(ctx, "127.0.0.1", "app"); err == nil || err.Error() != "epmd at 127.0.0.1 knows no node named app; it has: wéb" {
				t.Error(err)
			}
			if _, err := c.Register(ctx, "127.0.0.1", Registration{Name: "wéb"}); !errors.Is(err, ErrNameTaken) {
				t.Error(err)
			}
			if lines, err := c.Dump(ctx, "127.0.0.1"); err != nil || len(lines) != 1 || !strings.HasPrefix(lines[0], "active name     <wéb> at port 4711, fd = ") {
				t.Error(lines, err)
			}
			if err := c.Stop(ctx, "127.0.0.1", "wéb"); !errors.Is(err, ErrRefused) {
				t.Error(err)
			}
			if err := c.Kill(ctx, "127.0.0.1"); !errors.Is(err, ErrBusy) {
				t.Error(err)
			}
			reg.Close()
			until(t, 5*time.Second, "the name is gone", func() bool { return nameSet(c) == "" })
			if err := c.Kill(ctx, "127.0.0.1"); err != nil {
				t.Error(err)
			}
			if err := daemon.cmd.Wait(); err != nil {
				t.Errorf("epmd ended with %v", err)
			}
		})
	}
}

// TestTakeoverOfRealProcesses kills the process that serves with SIGKILL, twice,
// with real nodes among the members where there are any.
func TestTakeoverOfRealProcesses(t *testing.T) {
	port := quietPort(t)
	client := &Client{Port: port}
	members := map[string]*process{}
	state := map[string]string{} // "serving creation"
	for _, name := range []string{"one", "two", "three"} {
		members[name] = member(t, name, port)
		state[name] = members[name].line(t, "= ")
	}
	beams := map[string]*process{}
	for _, o := range otpsIfAny(t) {
		name := "beam" + o.release
		beams[name] = beam(t, o, port, "-name", name+"@127.0.0.1")
		state[name] = beams[name].eval(t, "erlang:system_info(creation).")
	}
	for len(members) > 1 {
		var server string
		var left []string
		for name, p := range members {
			fmt.Fprintln(p.in)
			answer := p.line(t, "= ")
			if strings.HasPrefix(answer, "true") {
				server = name
			} else {
				left = append(left, name)
			}
			if _, creation, _ := strings.Cut(answer, " "); !strings.HasSuffix(state[name], " "+creation) {
				t.Errorf("%s: creation %s, at first %s", name, creation, state[name])
			}
		}
		if server == "" || len(left) != len(members)-1 {
			t.Fatalf("serving: %q, not serving: %v", server, left)
		}
		members[server].kill()
		delete(members, server)
		slices.Sort(left)
		until(t, 5*time.Second, fmt.Sprint(left, " are registered again"), func() bool {
			names := " " + nameSet(client) + " "
			return !slices.ContainsFunc(left, func(n string) bool { return !strings.Contains(names, " "+n+" ") })
		})
		for name := range beams {
			left = append(left, name)
		}
		slices.Sort(left)
		until(t, 5*time.Second, fmt.Sprint(left, " are all there is"), func() bool { return nameSet(client) == strings.Join(left, " ") })
		for name, p := range beams {
			if got := p.eval(t, "erlang:system_info(creation)."); got != state[name] {
				t.Errorf("%s: creation %s, at first %s", name, got, state[name])
			}
		}
	}
}

// TestInteropDaemonIsJoined: where a BEAM node came first its epmd daemon is
// there, and a member joins that; when it dies the member serves, and the BEAM
// node comes back to it.
func TestInteropDaemonIsJoined(t *testing.T) {
	for _, o := range otps(t) {
		t.Run("OTP "+o.release, func(t *testing.T) {
			port := quietPort(t)
			client := &Client{Port: port}
			t.Cleanup(func() { client.Kill(context.Background(), "127.0.0.1") }) // the daemon, if all else fails
			erl := beam(t, o, port, "-name", "a@127.0.0.1")
			erl.eval(t, "ok.")
			m, err := Join(t.Context(), Config{Name: "go", Port: 1, Addr: fmt.Sprint("127.0.0.1:", port), ListenAddrs: []string{"127.0.0.1"}})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if m.Serving() || nameSet(client) != "a go" {
				t.Errorf("serving: %t, names: %s", m.Serving(), nameSet(client))
			}
			if err := client.Kill(t.Context(), "127.0.0.1"); err != nil { // the daemon was started with the relaxed check
				t.Fatal(err)
			}
			until(t, 5*time.Second, "a and go are registered again", func() bool { return nameSet(client) == "a go" })
			if !m.Serving() {
				t.Error("who serves?")
			}
		})
	}
}
