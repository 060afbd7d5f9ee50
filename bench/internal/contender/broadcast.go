package contender

import "time"

// Broadcasts measures broadcasts to so many subscribers. prepare has them
// subscribe, outside the clock. The function it returns makes each broadcasts, of
// the tuples that one sender sends, and returns what all subscribers together
// confirm.
func Broadcasts(j Job, subscribers int, prepare func(each int) (run func() (Receipt, error), err error)) (Figures, error) {
	if _, err := broadcasts(max(1, j.Warmup), subscribers, prepare); err != nil {
		return nil, err
	}
	took, err := broadcasts(j.Count, subscribers, prepare)
	if err != nil {
		return nil, err
	}
	f := rates(Job{}, j.Count*subscribers, took)
	f["count"] = float64(j.Count)
	return f, nil
}

func broadcasts(each, subscribers int, prepare func(int) (func() (Receipt, error), error)) (time.Duration, error) {
	run, err := prepare(each)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	got, err := run()
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	return took, got.Check(Expected("tuple", subscribers, each))
}
