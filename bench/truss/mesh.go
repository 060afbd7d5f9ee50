package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/bench/internal/contender"
)

// driveMesh joins count nodes of this program into a full mesh over loopback. The
// clock runs from the first Connect until every node lists all the others.
func driveMesh(j contender.Job) (contender.Figures, error) {
	asked := float64(j.Count)
	var err error
	if j.Count, err = affordable(j.Count); err != nil {
		return nil, err
	}
	nodes := make([]*truss.Node, j.Count)
	for i := range nodes {
		if nodes[i], err = start(j, fmt.Sprintf("mesh%d_%s", i, j.Name)); err != nil {
			return nil, err
		}
	}
	rss, err := residentBytes(syscall.Getpid())
	if err != nil {
		return nil, err
	}
	began, cpu := time.Now(), cpuTime()
	if err := connectAll(nodes); err != nil {
		return nil, err
	}
	if err := awaitMesh(nodes); err != nil {
		return nil, err
	}
	took, used := time.Since(began).Seconds(), cpuTime()-cpu
	links := float64(j.Count * (j.Count - 1) / 2)
	now, err := residentBytes(syscall.Getpid())
	if err != nil {
		return nil, err
	}
	return contender.Figures{
		"count": float64(j.Count), "asked": asked, "links": links, "seconds": took, "us_per_link": took / links * 1e6,
		"cpu_us_per_link": used.Seconds() / links * 1e6, "rss_bytes_per_link": (now - rss) / links,
	}, nil
}

// affordable is how many nodes this program can have open files for: each link
// has two ends here, and dials use some for a moment. It raises the limit as far
// as it may.
func affordable(nodes int) (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	for nodes > 2 && uint64(nodes*nodes+4*nodes+100) > limit.Cur {
		nodes--
	}
	return nodes, nil
}

// connectAll has every node connect to those after it, all at the same time, as
// a cluster that starts does.
func connectAll(nodes []*truss.Node) error {
	errs := make([]error, len(nodes))
	var all sync.WaitGroup
	for i, a := range nodes {
		all.Go(func() {
			for _, b := range nodes[i+1:] {
				if errs[i] = a.Connect(context.Background(), b.Name()); errs[i] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func awaitMesh(nodes []*truss.Node) error {
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		missing := 0
		for _, node := range nodes {
			missing += len(nodes) - 1 - len(node.Nodes())
		}
		if missing == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d ends of links are missing", missing)
		}
	}
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
