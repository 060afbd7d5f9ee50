package discovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestRunConnectsToWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(fakeCluster)
		c.set("app@10.0.0.2", true)
		stop := start(t, Config{}, c, fixed("app@10.0.0.1", "app@10.0.0.2", "app@10.0.0.3", "app@10.0.0.3"))
		synctest.Wait()
		if got, want := c.Nodes(), []string{"app@10.0.0.2", "app@10.0.0.3"}; !slices.Equal(got, want) {
			t.Errorf("connected to %v, want %v", got, want)
		}
		if n := len(c.tries("app@10.0.0.1")); n != 0 {
			t.Errorf("it called itself %d times", n)
		}
		if n := len(c.tries("app@10.0.0.2")); n != 0 {
			t.Errorf("it called a connected peer %d times", n)
		}
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v, want context.Canceled", err)
		}
	})
}

func TestRunReconcilesEveryTickAfterTheStrategyIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(fakeCluster)
		stop := start(t, Config{}, c, fixed("app@10.0.0.2"))
		for range 3 {
			time.Sleep(time.Hour) // long enough not to be a connection that did not last
			c.set("app@10.0.0.2", false)
			time.Sleep(5*time.Second + 5*time.Second/jitterPart)
			synctest.Wait()
			if len(c.Nodes()) != 1 {
				t.Fatal("a lost peer is not back after one tick")
			}
		}
		stop()
	})
}

func TestRunLimitsParallelAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		c := &fakeCluster{refuse: func(context.Context, string) error {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return nil
		}}
		var names []string
		for i := range 50 {
			names = append(names, fmt.Sprintf("app@10.0.1.%d", i))
		}
		stop := start(t, Config{Parallel: 4}, c, fixed(names...))
		time.Sleep(13*time.Second + time.Millisecond) // 50 attempts of 1 s, 4 at a time
		synctest.Wait()
		if n := len(c.Nodes()); n != 50 {
			t.Errorf("%d of 50 are connected", n)
		}
		if most.Load() != 4 {
			t.Errorf("%d attempts at once, want 4", most.Load())
		}
		stop()
	})
}

// With more dead peers than slots, the living ones behind them still have their turn.
func TestRunDoesNotStarveBehindDeadPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeCluster{refuse: func(ctx context.Context, name string) error {
			if name == "app@10.0.9.9" {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}}
		names := []string{"app@10.0.9.9"}
		for i := range 20 {
			names = append(names, fmt.Sprintf("app@10.0.1.%d", i))
		}
		stop := start(t, Config{Parallel: 2, ConnectTimeout: time.Second}, c, fixed(names...))
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if !slices.Equal(c.Nodes(), []string{"app@10.0.9.9"}) {
			t.Errorf("connected to %v", c.Nodes())
		}
		stop()
	})
}

func TestRunEndsWhileConnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeCluster{refuse: func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		stop := start(t, Config{}, c, fixed("app@10.0.0.2"))
		synctest.Wait()
		before := time.Now()
		stop() // synctest fails if a goroutine is left
		if took := time.Since(before); took != 0 {
			t.Errorf("stopping took %v", took)
		}
	})
}

func TestConnectTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen events
		c := &fakeCluster{refuse: func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		stop := start(t, Config{Observer: &seen}, c, fixed("app@10.0.0.2"))
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		failed := eventsOf[ConnectFailed](&seen)
		if len(failed) != 1 || !errors.Is(failed[0].Err, context.DeadlineExceeded) {
			t.Errorf("after 10 s: %v, want one deadline exceeded", failed)
		}
		stop()
	})
}

func TestStrategyEndings(t *testing.T) {
	broken := fmt.Errorf("%w: no such thing", ErrConfig)
	for _, tt := range []struct {
		name     string
		strategy script
		want     error
		logged   string
	}{
		{"switched off", func(context.Context, func(Update)) error { return nil }, nil, ""},
		{"can never work", func(context.Context, func(Update)) error { return broken }, broken, "no such thing"},
		{"reported, then can never work", func(_ context.Context, report func(Update)) error {
			report(Update{Peers: peers("app@10.0.0.2")})
			return broken
		}, broken, "no such thing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log logBuffer
				err := Config{Logger: log.logger()}.Run(t.Context(), new(fakeCluster), tt.strategy)
				if !errors.Is(err, tt.want) {
					t.Errorf("Run returned %v, want %v", err, tt.want)
				}
				if tt.logged != "" && log.count(tt.logged) != 1 {
					t.Errorf("%q is in the log %d times", tt.logged, log.count(tt.logged))
				}
			})
		})
	}
}

func TestFailedStrategyIsStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starts []time.Time
		var seen events
		var log logBuffer
		stop := start(t, Config{Observer: &seen, Logger: log.logger()}, new(fakeCluster), script(func(context.Context, func(Update)) error {
			starts = append(starts, time.Now())
			return errors.New("stream closed")
		}))
		time.Sleep(time.Minute)
		synctest.Wait()
		checkPauses(t, starts, 1, 2, 4, 8, 16)
		if n := len(eventsOf[StrategyFailed](&seen)); n != len(starts) {
			t.Errorf("%d StrategyFailed for %d failures", n, len(starts))
		}
		if n := log.count("stream closed"); n != 1 {
			t.Errorf("the same failure was logged %d times", n)
		}
		stop()
	})
}

func TestTroubleOfTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		c := new(fakeCluster)
		updates := []Update{
			{Peers: peers("app@10.0.0.2")},
			{Err: errors.New("SERVFAIL")}, // nothing new is known: the set stands
			{Err: errors.New("SERVFAIL")},
			{Err: errors.New("timeout"), Peers: peers("app@10.0.0.3")},
			{Peers: peers("app@10.0.0.3")},
		}
		s := script(func(ctx context.Context, report func(Update)) error {
			return Poll(ctx, report, func(context.Context) (Update, time.Duration) {
				u := updates[0]
				updates = updates[min(1, len(updates)-1):]
				return u, time.Minute
			})
		})
		stop := start(t, Config{Logger: log.logger()}, c, s)
		time.Sleep(90 * time.Second) // one SERVFAIL
		c.set("app@10.0.0.2", false)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if !slices.Contains(c.Nodes(), "app@10.0.0.2") {
			t.Error("an error of the source made Run forget a peer")
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if !slices.Contains(c.Nodes(), "app@10.0.0.3") {
			t.Error("what came with an error was not used")
		}
		for text, want := range map[string]int{"SERVFAIL": 1, "timeout": 1, "answers again": 1} {
			if got := log.count(text); got != want {
				t.Errorf("%q is in the log %d times, want %d", text, got, want)
			}
		}
		stop()
	})
}

func TestPeerNoLongerReportedIsNotCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeCluster{refuse: func(context.Context, string) error { return errors.New("down") }}
		stop := start(t, Config{}, c, script(func(ctx context.Context, report func(Update)) error {
			report(Update{Peers: peers("app@10.0.0.2")})
			sleep(ctx, time.Minute)
			report(Update{Peers: peers("app@10.0.0.3")})
			return nil
		}))
		time.Sleep(time.Minute)
		synctest.Wait()
		before := len(c.tries("app@10.0.0.2"))
		time.Sleep(time.Hour)
		synctest.Wait()
		if after := len(c.tries("app@10.0.0.2")); before == 0 || after != before {
			t.Errorf("%d attempts while reported, %d after", before, after)
		}
		stop()
	})
}
