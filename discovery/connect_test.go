package discovery

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// addrCluster can be told the address; those in dead do not answer.
type addrCluster struct {
	fakeCluster
	dead  []string
	addrs []string
}

func (c *addrCluster) ConnectAddr(_ context.Context, name, addr string) error {
	c.mu.Lock()
	c.addrs = append(c.addrs, addr)
	dead := slices.Contains(c.dead, addr)
	c.mu.Unlock()
	if dead {
		return errors.New(addr + ": connection refused")
	}
	c.set(name, true)
	return nil
}

func TestAddresses(t *testing.T) {
	const name = "app@10.0.0.2"
	one, two := "10.0.0.2:9001", "[fdaa::2]:9001"
	with := []Peer{{Name: name, Addrs: []string{one}}, {Name: name, Addrs: []string{one, two}}} // named twice: both hold
	for _, tt := range []struct {
		name  string
		peers []Peer
		dead  []string
		addrs []string
		names int
	}{
		{"the first that works", with, nil, []string{one}, 0},
		{"in turn", with, []string{one}, []string{one, two}, 0},
		{"no address", peers(name), nil, nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &addrCluster{dead: tt.dead}
				stop := start(t, Config{}, c, script(func(_ context.Context, report func(Update)) error {
					report(Update{Peers: tt.peers})
					return nil
				}))
				synctest.Wait()
				if !slices.Equal(c.addrs, tt.addrs) || len(c.tries(name)) != tt.names {
					t.Errorf("tried %v and the name %d times, want %v and %d", c.addrs, len(c.tries(name)), tt.addrs, tt.names)
				}
				if !slices.Equal(c.Nodes(), []string{name}) {
					t.Errorf("connected to %v", c.Nodes())
				}
				stop()
			})
		})
	}
}

func TestClusterWithoutAddressesIsGivenTheName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(fakeCluster)
		stop := start(t, Config{}, c, script(func(_ context.Context, report func(Update)) error {
			report(Update{Peers: []Peer{{Name: "app@10.0.0.2", Addrs: []string{"10.0.0.2:9001"}}}})
			return nil
		}))
		synctest.Wait()
		if len(c.Nodes()) != 1 {
			t.Error("not connected")
		}
		stop()
	})
}

// A machine that is back at another port is called at once, whatever pause its old address had earned.
func TestNewAddressIsTriedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, fresh := "10.0.0.2:9001", "10.0.0.2:9002"
		c := &addrCluster{dead: []string{old}}
		stop := start(t, Config{}, c, script(func(ctx context.Context, report func(Update)) error {
			report(Update{Peers: []Peer{{Name: "app@10.0.0.2", Addrs: []string{old}}}})
			sleep(ctx, 32*time.Second) // within the pause of 30 s that begins at 31 s
			report(Update{Peers: []Peer{{Name: "app@10.0.0.2", Addrs: []string{fresh}}}})
			return nil
		}))
		time.Sleep(32*time.Second + time.Millisecond)
		synctest.Wait()
		if len(c.Nodes()) != 1 {
			t.Errorf("not connected; tried %v", c.addrs)
		}
		stop()
	})
}

func TestConnectedEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen events
		c := &fakeCluster{refuse: func(context.Context, string) error { time.Sleep(3 * time.Second); return nil }}
		stop := start(t, Config{Observer: &seen}, c, fixed("app@10.0.0.2"))
		time.Sleep(time.Minute)
		synctest.Wait()
		got := eventsOf[Connected](&seen)
		if len(got) != 1 || got[0].Peer.Name != "app@10.0.0.2" || got[0].Took != 3*time.Second {
			t.Errorf("events %v", got)
		}
		if n := len(eventsOf[Discovered](&seen)); n != 1 {
			t.Errorf("%d Discovered", n)
		}
		stop()
	})
}

// hiddenCluster is a hidden node: it is connected, and its list is empty.
type hiddenCluster struct{ fakeCluster }

func (c *hiddenCluster) Nodes() []string { return nil }

func TestConnectionsThatAreNotListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen events
		var log logBuffer
		c := new(hiddenCluster)
		stop := start(t, Config{Observer: &seen, Logger: log.logger()}, c, fixed("app@10.0.0.2"))
		time.Sleep(time.Hour)
		synctest.Wait()
		checkPauses(t, c.tries("app@10.0.0.2"), 1, 2, 4, 8, 16, 30, 30)
		if n := len(eventsOf[Connected](&seen)) + len(eventsOf[ConnectFailed](&seen)); n != 1 || log.count("connected") != 1 || log.count("WARN") != 0 {
			t.Errorf("%d events, %d lines", n, log.count("\n"))
		}
		c.refuseWith(errors.New("down"))
		time.Sleep(time.Minute)
		c.refuseWith(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if f, n := len(eventsOf[ConnectFailed](&seen)), len(eventsOf[Connected](&seen)); f < 2 || n != 2 {
			t.Errorf("after it was down for a minute: %d Connected, %d ConnectFailed", n, f)
		}
		stop()
	})
}

// A peer that restarts soon after it was connected is no trouble worth a warning.
func TestEarlyRestartIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen events
		var log logBuffer
		c := new(fakeCluster)
		stop := start(t, Config{Observer: &seen, Logger: log.logger()}, c, fixed("app@10.0.0.2"))
		time.Sleep(10 * time.Second)
		c.set("app@10.0.0.2", false)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if len(c.Nodes()) != 1 || log.count("WARN") != 0 || len(eventsOf[ConnectFailed](&seen)) != 0 || len(eventsOf[Connected](&seen)) != 2 {
			t.Errorf("connected to %v, %d warnings, events %v", c.Nodes(), log.count("WARN"), seen.all)
		}
		stop()
	})
}
