package truss

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/simnet"
)

// oneWay is the latency between twoNodes: what one sends as it gets a signal is
// with the other two of them after that was sent.
const oneWay = 10 * time.Millisecond

// twoNodes runs a test with two connected nodes on fake time.
func twoNodes(t *testing.T, test func(t *testing.T, ctx context.Context, a, b *Node)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		net := simnet.New(simnet.Options{Link: simnet.Link{Latency: oneWay}})
		start := func(addr string) *Node {
			n, err := Start(ctx, Config{
				Name: "n@" + addr, Cookie: "c", Network: net.Host(addr, addr), Logger: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		a, b := start("10.0.0.1"), start("10.0.0.2")
		defer func() {
			if err := errors.Join(a.Close(), b.Close()); err != nil {
				t.Error(err)
			}
		}()
		if err := a.Connect(ctx, b.Name()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		test(t, ctx, a, b)
	})
}

// settle waits until a request, its answer, and what the other makes of that have
// arrived, and all is quiet.
func settle() {
	time.Sleep(5 * oneWay)
	synctest.Wait()
}

// TestSpawnLimit: a node that runs as many processes for others as it may refuses
// the next, and no more than that.
func TestSpawnLimit(t *testing.T) {
	twoNodes(t, func(t *testing.T, ctx context.Context, a, b *Node) {
		r := SpawnRequest{Node: b.Name(), Module: "m", Function: "f"}
		for range 3 { // those that end make room
			for _, n := range []*Node{a, b} {
				if pid, err := n.SpawnRemote(ctx, r); err != nil || pid.Node != etf.Atom(b.Name()) {
					t.Fatal(pid, err)
				}
			}
			settle()
			if left := b.children.Load(); left != 0 {
				t.Errorf("%d processes are still counted", left)
			}
		}
		b.children.Store(maxChildren)
		for _, n := range []*Node{a, b} {
			var refused *SpawnError
			if _, err := n.SpawnRemote(ctx, r); !errors.As(err, &refused) || refused.Reason != "system_limit" || refused.Node != b.Name() {
				t.Errorf("%s: %v", n.Name(), err)
			}
		}
		b.children.Store(0)
		if _, err := a.SpawnRemote(ctx, r); err != nil {
			t.Error(err)
		}
		settle()
	})
}

// TestSpawnReplies: an answer to nothing is dropped; one that hands out a process
// of another node ends the connection; one that lacks a flag makes no link.
func TestSpawnReplies(t *testing.T) {
	twoNodes(t, func(t *testing.T, ctx context.Context, a, b *Node) {
		toA := b.connected(a.Name())
		reply := dist.Control{Op: dist.OpSpawnReply, Ref: a.newRef(), To: a.caller.pid, Flags: 3, Result: b.caller.pid}
		toA.signal(&reply, nil)
		reply.Result = etf.Atom("whatever")
		toA.signal(&reply, nil)
		settle()
		if len(a.caller.bound().links.ends) != 0 || a.caller.bound().monitors.len() != 0 {
			t.Error("an answer to nothing makes a link or monitor")
		}

		p, err := a.visitor()
		if err != nil {
			t.Fatal(err)
		}
		defer p.leave()
		s := &spawning{by: p, ref: reply.Ref, link: true, monitor: true, outcome: make(chan spawned, 1)}
		if !a.connected(b.Name()).addSpawning(s) {
			t.Fatal("not connected")
		}
		reply.Result, reply.Flags = b.caller.pid, dist.SpawnFlagMonitor
		toA.signal(&reply, nil)
		child, err := s.await(ctx)
		if err != nil || child.PID != b.caller.pid || child.Ref != reply.Ref {
			t.Errorf("%v, %v", child, err)
		}
		p.mu.Lock()
		if len(p.bound().links.ends) != 0 || p.bound().monitors.len() != 1 {
			t.Errorf("without the flag for it: %d links, %d monitors", len(p.bound().links.ends), p.bound().monitors.len())
		}
		p.mu.Unlock()

		reply.Result = a.caller.pid
		toA.signal(&reply, nil)
		settle()
		if a.connected(b.Name()) != nil {
			t.Error("a peer that hands out others' processes stays connected")
		}
	})
}

// TestSpawnForOthers: a request in another node's name ends the connection.
func TestSpawnForOthers(t *testing.T) {
	twoNodes(t, func(t *testing.T, ctx context.Context, a, b *Node) {
		ctl := dist.Control{
			Op: dist.OpSpawnRequest, Ref: b.newRef(), From: etf.Pid{Node: "c@10.0.0.3", ID: 1, Creation: 4}, Leader: b.caller.pid,
			Module: "m", Function: "f", Options: etf.List{etf.Atom("link")},
		}
		b.connected(a.Name()).signal(&ctl, etf.List{})
		settle()
		if a.connected(b.Name()) != nil || a.children.Load() != 0 {
			t.Error("a peer that speaks for others stays connected")
		}
	})
}

func TestParseSpawnOptions(t *testing.T) {
	for text, want := range map[string]struct {
		childOptions
		ok bool
	}{
		"[]":                      {childOptions{}, true},
		"[link]":                  {childOptions{link: true}, true},
		"[monitor, link]":         {childOptions{true, true}, true},
		"[{monitor, [priority]}]": {childOptions{monitor: true}, true},
		"[{priority, max}, {fullsweep_after, 0}, {min_heap_size, 233}, {min_bin_vheap_size, 1}, {max_heap_size, 1}, {max_heap_size, #{size => 1}}, {message_queue_data, off_heap}, {async_dist, true}, link]": {childOptions{link: true}, true},
		"link":                    {},
		"[link | monitor]":        {},
		"[{priority, 1}]":         {},
		"[{fullsweep_after, -1}]": {},
		"[{max_heap_size, big}]":  {},
		"[{link, 1}]":             {},
		"[{reply, yes}]":          {},
		"[{alias, explicit, 1}]":  {},
		"[{1, 2}]":                {},
		"[priority]":              {},
	} {
		got, ok := parseSpawnOptions(parse(t, text))
		if ok != want.ok || ok && got != want.childOptions {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
	}
}

// TestSpawnLeavesNothing: requester and child are both forgotten when they end.
func TestSpawnLeavesNothing(t *testing.T) {
	twoNodes(t, func(t *testing.T, ctx context.Context, a, b *Node) {
		before := [2]int{relatedOf(a, b), relatedOf(b, a)}
		for range 50 {
			p, err := a.visitor()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.SpawnRemote(ctx, SpawnRequest{Node: b.Name(), Module: "m", Function: "f", Link: true, Monitor: true}); err != nil {
				t.Error(err)
			}
			settle()
			p.leave()
		}
		settle()
		if after := [2]int{relatedOf(a, b), relatedOf(b, a)}; after != before {
			t.Errorf("the connections know of %v processes, %v before", after, before)
		}
		c := a.connected(b.Name())
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.spawnings) != 0 {
			t.Errorf("%d requests are still open", len(c.spawnings))
		}
	})
}

// relatedOf is of how many processes n's connection to peer knows.
func relatedOf(n, peer *Node) int {
	c := n.connected(peer.Name())
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.related)
}

// lateCase is one way in which nobody waits any more for the answer to a request
// that has been sent.
type lateCase struct {
	name          string
	link, monitor bool
	dies          bool // the requester, instead of its context
	noReply       bool // it does not wait, and gives its monitor up at once
	ends          string
}

// TestSpawnAbandoned: a child that starts though nobody waits for it any more is
// ended if it was to be linked: with abandoned, or the reason of the requester's
// own end. Without a link it lives, and is no longer monitored.
func TestSpawnAbandoned(t *testing.T) {
	for _, test := range []lateCase{
		{"abandoned, link", true, false, false, false, "abandoned"},
		{"abandoned, link and monitor", true, true, false, false, "abandoned"},
		{"abandoned, monitor", false, true, false, false, ""},
		{"abandoned", false, false, false, false, ""},
		{"dead, link", true, false, true, false, "enough"},
		{"dead, link and monitor", true, true, true, false, "enough"},
		{"dead, monitor", false, true, true, false, ""},
		{"no reply, monitor", false, true, false, true, ""},
		{"no reply, dead, monitor", false, true, true, true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			twoNodes(t, func(t *testing.T, ctx context.Context, a, b *Node) { abandon(t, ctx, a, b, test) })
		})
	}
}

func abandon(t *testing.T, ctx context.Context, a, b *Node, test lateCase) {
	var child *Process
	if err := b.Export("m", Funcs{"wait": func(ctx context.Context, p *Process) {
		child = p
		<-ctx.Done()
	}}); err != nil {
		t.Fatal(err)
	}
	p, err := a.Spawn(func(ctx context.Context, p *Process) error {
		short, cancel := context.WithTimeout(context.Background(), oneWay)
		defer cancel()
		if test.dies {
			time.AfterFunc(oneWay/2, func() { p.terminate(etf.Atom("enough")) })
		}
		child, err := p.SpawnRemote(short, SpawnRequest{
			Node: b.Name(), Module: "m", Function: "wait", Link: test.link, Monitor: test.monitor, NoReply: test.noReply,
		})
		var exit *ExitError
		if test.noReply {
			if err != nil {
				t.Errorf("the request: %v", err)
			}
			if !test.dies {
				p.Demonitor(child.Ref)
			}
		} else if !test.dies && !errors.Is(err, context.DeadlineExceeded) || test.dies && !errors.As(err, &exit) {
			t.Errorf("the request: %v", err)
		}
		<-ctx.Done()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	settle()
	if child == nil {
		t.Fatal("the child has not begun")
	}
	ends := ""
	if exit := new(ExitError); errors.As(child.exited(), &exit) {
		ends = etf.Format(exit.Reason)
	}
	if ends != test.ends {
		t.Errorf("the child ends with %q, want %q", ends, test.ends)
	}
	child.mu.Lock()
	if child.bound().watchers.len() != 0 || len(child.bound().links.ends) != 0 {
		t.Errorf("the child still has %d watchers and %d links", child.bound().watchers.len(), len(child.bound().links.ends))
	}
	child.mu.Unlock()
	waiting, _ := p.MailboxLoad()
	p.mu.Lock()
	if waiting != 0 || p.bound().monitors.len() != 0 || len(p.bound().links.ends) != 0 {
		t.Errorf("the requester has %d messages, %d monitors and %d links", waiting, p.bound().monitors.len(), len(p.bound().links.ends))
	}
	p.mu.Unlock()
}
