package contender

import (
	"errors"
	"slices"
	"sync"
	"time"
)

// Figures are the results of one run by name: rate (units per second), seconds,
// count, mb_per_s, p50_us, p99_us and what else a scenario yields.
type Figures map[string]float64

// IdleLimit is how long a receiver waits for a message that does not come
// before it says what it has.
const IdleLimit = 5 * time.Second

// Flow measures messages in one direction. run sends so many messages from each
// sender, taking the payloads in turn, and returns what the receivers confirm.
func Flow(j Job, run func(each int, payloads [][]byte) (Receipt, error)) (Figures, error) {
	payloads := Binaries(max(j.Size, 8))
	if warm := j.Warmup / j.Senders; warm > 0 {
		if err := confirmed(j, warm, payloads, run); err != nil {
			return nil, err
		}
	}
	each := max(1, j.Count/j.Senders)
	start := time.Now()
	if err := confirmed(j, each, payloads, run); err != nil {
		return nil, err
	}
	return rates(j, each*j.Senders, time.Since(start)), nil
}

func confirmed(j Job, each int, payloads [][]byte, run func(int, [][]byte) (Receipt, error)) error {
	got, err := run(each, payloads)
	if err != nil {
		return err
	}
	return got.Check(Expected(j.Payload, j.Senders, each))
}

func rates(j Job, count int, took time.Duration) Figures {
	f := Figures{"count": float64(count), "seconds": took.Seconds(), "rate": float64(count) / took.Seconds()}
	if j.Payload == "binary" {
		f["mb_per_s"] = f["rate"] * float64(j.Size) / 1e6
	}
	return f
}

// A Caller runs work in whatever makes round trips in this system, a process of
// the node or just this goroutine, and returns when it has returned. trip, which
// it gives to work, makes one round trip.
type Caller func(work func(trip func() error) error) error

// Trips measures something that is asked and answered, by as many callers at
// once as there are senders.
func Trips(j Job, caller Caller) (Figures, error) {
	if _, err := together(j.Senders, max(1, j.Warmup/j.Senders), caller); err != nil {
		return nil, err
	}
	each := max(1, j.Count/j.Senders)
	start := time.Now()
	took, err := together(j.Senders, each, caller)
	if err != nil {
		return nil, err
	}
	f := rates(Job{}, each*j.Senders, time.Since(start))
	f.latencies(took)
	return f, nil
}

// together has every caller make its round trips, and returns how long each took.
func together(callers, each int, caller Caller) ([]time.Duration, error) {
	errs := make([]error, callers)
	took := make([][]time.Duration, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			errs[i] = caller(func(trip func() error) error {
				took[i] = make([]time.Duration, 0, each)
				for range each {
					start := time.Now()
					if err := trip(); err != nil {
						return err
					}
					took[i] = append(took[i], time.Since(start))
				}
				return nil
			})
		})
	}
	all.Wait()
	return slices.Concat(took...), errors.Join(errs...)
}

// Mixed measures round trips while something else, a stream of so many payloads, goes on.
// The stream is the fixed work; trips are made until it is over.
func Mixed(j Job, stream func(count int, payloads [][]byte) (Receipt, error), caller Caller) (Figures, error) {
	if _, err := together(1, 50, caller); err != nil {
		return nil, err
	}
	payloads := Binaries(j.Size)
	if j.Warmup > 0 {
		if _, err := beside(j.Warmup, payloads, stream, caller); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	took, err := beside(j.Count, payloads, stream, caller)
	if err != nil {
		return nil, err
	}
	f := rates(Job{Payload: "binary", Size: j.Size}, j.Count, time.Since(start))
	f["trips"] = float64(len(took))
	f.latencies(took)
	return f, nil
}

// beside returns how long the round trips took that were made while count payloads
// were streamed.
func beside(count int, payloads [][]byte, stream func(int, [][]byte) (Receipt, error), caller Caller) (took []time.Duration, err error) {
	var got Receipt
	var failed error
	over := make(chan struct{})
	go func() {
		defer close(over)
		got, failed = stream(count, payloads)
	}()
	err = caller(func(trip func() error) error {
		for {
			began := time.Now()
			if err := trip(); err != nil {
				return err
			}
			took = append(took, time.Since(began))
			select {
			case <-over:
				return nil
			default:
			}
		}
	})
	<-over
	if err := errors.Join(err, failed); err != nil {
		return nil, err
	}
	return took, got.Check(Expected("binary", 1, count))
}

func (f Figures) latencies(all []time.Duration) {
	slices.Sort(all)
	f["p50_us"] = micros(Percentile(all, 50))
	f["p99_us"] = micros(Percentile(all, 99))
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// Percentile returns the smallest of the sorted durations that p percent of them
// do not exceed (the nearest rank).
func Percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*p + 99) / 100
	return sorted[max(rank, 1)-1]
}
