package contender_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss/bench/internal/contender"
)

func TestCommandLineRoundTrip(t *testing.T) {
	want := contender.Job{Role: "drive", Scenario: "send", Payload: "binary", Size: 64, Count: 10, Senders: 8, Warmup: 2,
		Name: "a@127.0.0.1", Peer: "b@127.0.0.1", EPMD: 1, Port: 2, PID: 3, Dynamic: true}
	got, err := contender.Parse(want.Args())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, wrong := range [][]string{nil, {"drive", "-count", "0"}, {"drive", "-senders", "0"}, {"drive", "-no"}, {"drive", "stray"}} {
		if _, err := contender.Parse(wrong); err == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}

func TestExpectedIsWhatSendersSend(t *testing.T) {
	for _, size := range []int{8, 64, 1000} {
		payloads := contender.Binaries(size)
		var sent contender.Receipt
		for range 3 {
			for i := range 37 {
				sent = sent.Add(contender.Receipt{Count: 1, Sum: contender.Sum(payloads[i%len(payloads)])})
			}
		}
		if err := sent.Check(contender.Expected("binary", 3, 37)); err != nil {
			t.Errorf("size %d: %v", size, err)
		}
	}
	if got := contender.Expected("tuple", 2, 4); got != (contender.Receipt{Count: 8, Sum: 12}) {
		t.Errorf("tuples: %+v", got)
	}
}

func TestCheckTellsLostDoubledAndChanged(t *testing.T) {
	want := contender.Receipt{Count: 10, Sum: 45}
	for got, text := range map[contender.Receipt]string{
		{Count: 7, Sum: 30}:  "lost 3 of 10",
		{Count: 11, Sum: 45}: "11 messages came",
		{Count: 10, Sum: 44}: "checksum 44",
	} {
		if err := got.Check(want); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%+v: %v", got, err)
		}
	}
	if err := want.Check(want); err != nil {
		t.Error(err)
	}
}

func TestFlowFailsOnLoss(t *testing.T) {
	j := contender.Job{Payload: "tuple", Count: 100, Senders: 2, Warmup: 10}
	f, err := contender.Flow(j, func(each int, _ [][]byte) (contender.Receipt, error) {
		return contender.Expected("tuple", 2, each), nil
	})
	if err != nil || f["count"] != 100 || f["rate"] <= 0 {
		t.Errorf("got %v, %v", f, err)
	}
	_, err = contender.Flow(j, func(each int, _ [][]byte) (contender.Receipt, error) {
		return contender.Receipt{Count: uint64(2*each) - 1}, nil
	})
	if err == nil || !strings.Contains(err.Error(), "lost 1 of 10") {
		t.Errorf("got %v", err)
	}
}

func TestTripsTimesEachCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trips := 0
		f, err := contender.Trips(contender.Job{Count: 100, Senders: 1}, func(work func(func() error) error) error {
			return work(func() error {
				trips++
				time.Sleep(time.Millisecond)
				return nil
			})
		})
		if err != nil || trips != 101 { // one to warm up
			t.Fatalf("%d trips, %v", trips, err)
		}
		if f["p50_us"] != 1000 || f["p99_us"] != 1000 || f["rate"] != 1000 {
			t.Errorf("got %v", f)
		}
	})
	wrong := errors.New("wrong")
	if _, err := contender.Trips(contender.Job{Count: 4, Senders: 2}, func(work func(func() error) error) error {
		return work(func() error { return wrong })
	}); !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
}

func TestMixedMakesTripsWhileItStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var streamed []int
		f, err := contender.Mixed(contender.Job{Size: 100, Count: 5, Warmup: 2}, func(count int, _ [][]byte) (contender.Receipt, error) {
			time.Sleep(time.Duration(count) * 200 * time.Millisecond)
			streamed = append(streamed, count)
			return contender.Expected("binary", 1, count), nil
		}, func(work func(func() error) error) error {
			return work(func() error {
				time.Sleep(3 * time.Millisecond)
				return nil
			})
		})
		if err != nil || f["trips"] != 334 || f["p99_us"] != 3000 || f["seconds"] > 1.1 || !slices.Equal(streamed, []int{2, 5}) {
			t.Errorf("got %v, %v, streamed %v", f, err, streamed)
		}
	})
}

func TestPercentileIsNearestRank(t *testing.T) {
	var all []time.Duration
	for i := range 200 {
		all = append(all, time.Duration(i+1))
	}
	for _, test := range []struct {
		of   []time.Duration
		p    int
		want time.Duration
	}{{all, 50, 100}, {all, 99, 198}, {all, 100, 200}, {all[:1], 99, 1}, {nil, 50, 0}} {
		if got := contender.Percentile(test.of, test.p); got != test.want {
			t.Errorf("p%d of %d: %d, want %d", test.p, len(test.of), got, test.want)
		}
	}
}

func TestIdleNoticesStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var progress atomic.Uint64
		stalled := make(chan string, 2)
		start := time.Now()
		stop := contender.Idle(&progress, func() { stalled <- fmt.Sprint(time.Since(start)) })
		for range 12 {
			time.Sleep(time.Second)
			progress.Add(1)
		}
		select {
		case at := <-stalled:
			t.Fatalf("stalled after %s although it went on", at)
		default:
		}
		if at := <-stalled; at != "20s" {
			t.Errorf("stalled after %s", at)
		}
		stop()
	})
}
