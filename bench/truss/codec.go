package main

import (
	"encoding/base64"
	"os"
	"runtime"
	"time"

	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/bench/internal/realistic"
	"github.com/truss-beam/truss/etf"
)

// realisticTerm is the encoded term that the comparison gives to every codec.
func realisticTerm() ([]byte, error) {
	return base64.StdEncoding.DecodeString(os.Getenv("BENCH_TERM"))
}

func driveEncode(j contender.Job) (contender.Figures, error) {
	b, err := realisticTerm()
	if err != nil {
		return nil, err
	}
	var value any
	if j.Dynamic {
		value, err = etf.Decode(b)
	} else {
		value = realistic.New()
	}
	if err != nil {
		return nil, err
	}
	// As whoever sends many terms would: into one buffer. See README.md.
	var e etf.Encoder
	var buf []byte
	return timed(j, func() (err error) {
		buf, err = e.Append(append(buf[:0], 131), value)
		return err
	})
}

func driveDecode(j contender.Job) (contender.Figures, error) {
	b, err := realisticTerm()
	if err != nil {
		return nil, err
	}
	if j.Dynamic {
		return timed(j, func() error {
			_, err := etf.Decode(b)
			return err
		})
	}
	f, err := timed(j, func() error {
		var page realistic.Page
		return etf.Unmarshal(b, &page)
	})
	if err != nil {
		return nil, err
	}
	f["allocs_held"] = float64(realistic.Held(realistic.New()))
	return f, nil
}

// timed runs one operation again and again, and counts its allocations.
func timed(j contender.Job, op func() error) (contender.Figures, error) {
	for range max(1, j.Warmup) {
		if err := op(); err != nil {
			return nil, err
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	for range j.Count {
		if err := op(); err != nil {
			return nil, err
		}
	}
	took := time.Since(start).Seconds()
	runtime.ReadMemStats(&after)
	n := float64(j.Count)
	return contender.Figures{
		"count": n, "seconds": took, "rate": n / took,
		"allocs_each": float64(after.Mallocs-before.Mallocs) / n,
		"bytes_each":  float64(after.TotalAlloc-before.TotalAlloc) / n,
	}, nil
}
