package discovery

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// The strategy reports a and b, then the updates of the case, one each 10 s, the last of them for ever.
func TestPrune(t *testing.T) {
	const a, b = "app@10.0.0.2", "app@10.0.0.3"
	onlyB := Update{Peers: peers(b)}
	empty := Update{Peers: []Peer{}}
	broken := Update{Err: errors.New("SERVFAIL"), Peers: peers(b)}
	both := Update{Peers: peers(a, b)}
	for _, tt := range []struct {
		name    string
		prune   Prune
		updates []Update
		before  time.Duration // connected until here
		after   time.Duration // and gone here; 0: never gone
	}{
		{"by default never", Prune{}, []Update{onlyB}, 24 * time.Hour, 0},
		{"after 3 answers", Prune{After: 3}, []Update{onlyB}, 30 * time.Second, 34 * time.Second},
		{"after a minute", Prune{For: time.Minute}, []Update{onlyB}, 70 * time.Second, 90 * time.Second},
		{"both conditions", Prune{After: 1, For: time.Minute}, []Update{onlyB}, 70 * time.Second, 90 * time.Second},
		{"errors do not count", Prune{After: 1, For: time.Second}, []Update{broken}, 24 * time.Hour, 0},
		{"errors in between do not count", Prune{After: 2}, []Update{onlyB, broken, broken, broken, onlyB}, 50 * time.Second, 56 * time.Second},
		{"a return starts the count again", Prune{After: 2}, []Update{onlyB, both, onlyB, onlyB}, 40 * time.Second, 45 * time.Second},
		{"an empty answer does not count", Prune{After: 1}, []Update{empty}, 24 * time.Hour, 0},
		{"unless allowed", Prune{After: 1, AllowEmpty: true}, []Update{empty}, 9 * time.Second, 12 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := new(fakeCluster)
				updates := append([]Update{both}, tt.updates...)
				stop := start(t, Config{Prune: tt.prune}, c, script(func(ctx context.Context, report func(Update)) error {
					return Poll(ctx, report, func(context.Context) (Update, time.Duration) {
						u := updates[0]
						updates = updates[min(1, len(updates)-1):]
						return u, 10 * time.Second
					})
				}))
				begin := time.Now()
				time.Sleep(tt.before)
				synctest.Wait()
				if !slices.Contains(c.Nodes(), a) {
					t.Fatalf("disconnected before %v", tt.before)
				}
				if tt.after > 0 {
					time.Sleep(tt.after - time.Since(begin))
					synctest.Wait()
					if slices.Contains(c.Nodes(), a) {
						t.Errorf("still connected after %v", tt.after)
					}
					if !tt.prune.AllowEmpty && !slices.Contains(c.Nodes(), b) {
						t.Error("the peer that is reported was disconnected")
					}
				}
				stop()
			})
		})
	}
}

func TestPruneLeavesOthersConnectionsAlone(t *testing.T) {
	const a = "app@10.0.0.2"
	synctest.Test(t, func(t *testing.T) {
		c := new(fakeCluster)
		c.set(a, true) // connected by hand, before
		stop := start(t, Config{Prune: Prune{After: 1}}, c, script(func(ctx context.Context, report func(Update)) error {
			report(Update{Peers: peers(a)})
			sleep(ctx, time.Minute)
			report(Update{Peers: peers("app@10.0.0.3")})
			return nil
		}))
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(c.disconnected) > 0 {
			t.Errorf("disconnected %v", c.disconnected)
		}
		stop()
	})
}

// stubborn cannot be left.
type stubborn struct{ fakeCluster }

func (c *stubborn) Disconnect(ctx context.Context, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.disconnected = append(c.disconnected, name)
	return errors.New("no")
}

func TestFailedPruneIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(stubborn)
		var seen events
		stop := start(t, Config{Prune: Prune{After: 1}, Observer: &seen}, c, script(func(ctx context.Context, report func(Update)) error {
			report(Update{Peers: peers("app@10.0.0.2")})
			sleep(ctx, time.Second)
			report(Update{Peers: peers("app@10.0.0.3")})
			return nil
		}))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		n := len(c.disconnected)
		if n < 15 || n > 21 { // every 30 s, plus up to 5.5 s for the next tick
			t.Errorf("%d attempts to disconnect in 10 minutes", n)
		}
		if got := eventsOf[Disconnected](&seen); len(got) != n || got[0].Err == nil {
			t.Errorf("%d events for %d attempts", len(got), n)
		}
		stop()
	})
}
