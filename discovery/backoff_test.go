package discovery

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// checkPauses compares the pauses between times with seconds, allowing for 10 % of jitter and nothing else.
func checkPauses(t *testing.T, times []time.Time, seconds ...float64) {
	t.Helper()
	if len(times) <= len(seconds) {
		t.Fatalf("%d events, want more than %d", len(times), len(seconds))
	}
	for i, s := range seconds {
		low := time.Duration(s * float64(time.Second))
		got := times[i+1].Sub(times[i])
		if got < low || got >= low+low/jitterPart {
			t.Errorf("pause %d is %v, want %v to %v", i+1, got, low, low+low/jitterPart)
		}
	}
}

func TestBackoffPause(t *testing.T) {
	for _, tt := range []struct {
		backoff  Backoff
		failures int
		want     time.Duration
	}{
		{Backoff{}, 1, time.Second},
		{Backoff{}, 2, 2 * time.Second},
		{Backoff{}, 5, 16 * time.Second},
		{Backoff{}, 6, 30 * time.Second},
		{Backoff{}, 1 << 30, 30 * time.Second},
		{Backoff{Min: 3 * time.Second, Max: 5 * time.Second}, 2, 5 * time.Second},
		{Backoff{Min: time.Minute}, 7, time.Minute},
	} {
		if got := tt.backoff.withDefaults().pause(tt.failures); got != tt.want {
			t.Errorf("%+v after %d failures: %v, want %v", tt.backoff, tt.failures, got, tt.want)
		}
	}
}

func TestDeadPeerIsTriedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		c := new(fakeCluster)
		c.refuseWith(errors.New("connection refused"))
		stop := start(t, Config{Logger: log.logger()}, c, fixed("app@10.0.0.2"))
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		tries := c.tries("app@10.0.0.2")
		checkPauses(t, tries, 1, 2, 4, 8, 16, 30, 30, 30)
		checkPauses(t, tries[len(tries)-4:], 30, 30, 30)
		if n := log.count("connection refused"); n != 1 {
			t.Errorf("%d attempts with one reason made %d lines", len(tries), n)
		}

		c.refuseWith(errors.New("cookie mismatch"))
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := log.count("cookie mismatch"); n != 1 {
			t.Errorf("a new reason was logged %d times", n)
		}
		stop()
	})
}

func TestSuccessResetsBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(fakeCluster)
		c.refuseWith(errors.New("down"))
		stop := start(t, Config{}, c, fixed("app@10.0.0.2"))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		c.refuseWith(nil)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(c.Nodes()) != 1 {
			t.Fatal("not connected")
		}
		before := len(c.tries("app@10.0.0.2"))
		c.refuseWith(errors.New("down"))
		c.set("app@10.0.0.2", false)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		checkPauses(t, c.tries("app@10.0.0.2")[before:], 1, 2, 4, 8, 16, 30)
		stop()
	})
}

// A peer that takes the connection and drops it at once must not be called in a circle.
func TestConnectionThatDoesNotLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logBuffer
		c := new(fakeCluster)
		c.refuse = func(_ context.Context, name string) error {
			time.AfterFunc(10*time.Millisecond, func() { c.set(name, false) })
			return nil
		}
		stop := start(t, Config{Logger: log.logger()}, c, fixed("app@10.0.0.2"))
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(c.tries("app@10.0.0.2")); n < 90 || n > 130 { // every 30 s, plus up to 5.5 s until the loss is noticed
			t.Errorf("%d attempts in an hour", n)
		}
		if n := log.count("did not last"); n != 1 {
			t.Errorf("logged %d times", n)
		}
		stop()
	})
}

func TestPollJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var times []time.Time
		err := Poll(ctx, func(Update) { times = append(times, time.Now()) }, func(context.Context) (Update, time.Duration) {
			return Update{}, 5 * time.Second
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Poll returned %v", err)
		}
		pauses := make([]float64, len(times)-1)
		different := false
		for i := range pauses {
			pauses[i] = 5
			different = different || times[i+1].Sub(times[i]) != times[1].Sub(times[0])
		}
		checkPauses(t, times, pauses...)
		if !different {
			t.Error("there is no jitter at all")
		}
	})
}

func TestPollDoesNotReportWhatItSawWhileBeingStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := Poll(ctx, func(u Update) { t.Errorf("reported %v", u) }, func(ctx context.Context) (Update, time.Duration) {
			cancel()
			return Update{Err: ctx.Err()}, 0
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Poll returned %v", err)
		}
	})
}
