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

// driveMesh joins count nodes into a full mesh over loopback, in this program if it
// may have as many open files, or else in as few as may. The clock runs from the
// order to connect until every node lists all the others.
func driveMesh(j contender.Job) (contender.Figures, error) {
	programs, err := programs(j.Count)
	if err != nil {
		return nil, err
	}
	first := (j.Count + programs - 1) / programs
	others, err := startShares(j, first, programs)
	if err != nil {
		return nil, err
	}
	defer others.end()
	nodes, err := startShare(j, 0, first)
	if err != nil {
		return nil, err
	}
	rss, err := residentBytes(syscall.Getpid())
	if err != nil {
		return nil, err
	}
	began, cpu := time.Now(), cpuTime()
	if err := others.tell("go"); err != nil {
		return nil, err
	}
	if err := formShare(j, nodes, 0); err != nil {
		return nil, err
	}
	if err := others.await("formed"); err != nil {
		return nil, err
	}
	took, used := time.Since(began).Seconds(), cpuTime()-cpu
	links := float64(j.Count * (j.Count - 1) / 2)
	now, err := residentBytes(syscall.Getpid())
	if err != nil {
		return nil, err
	}
	f := contender.Figures{"count": float64(j.Count), "programs": float64(programs), "links": links, "seconds": took, "us_per_link": took / links * 1e6}
	if programs == 1 { // or it would be what this one's share takes
		f["cpu_us_per_link"], f["rss_bytes_per_link"] = used.Seconds()/links*1e6, (now-rss)/links
	}
	return f, nil
}

// programs is in how many programs so many nodes can be: each node's links take an
// open file each, and dials use some for a moment. It raises the limit on open
// files as far as it may.
func programs(nodes int) (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	for n := 1; n <= nodes; n++ {
		if share := (nodes + n - 1) / n; uint64(share*(nodes+4)+100) <= limit.Cur {
			return n, nil
		}
	}
	return 0, fmt.Errorf("the limit on open files, %d, allows no node of a mesh of %d", limit.Cur, nodes)
}

func meshName(j contender.Job, i int) string { return fmt.Sprintf("mesh%d_%s", i, j.Name) }

// startShare starts the nodes from one number to another.
func startShare(j contender.Job, from, to int) ([]*truss.Node, error) {
	var nodes []*truss.Node
	for i := from; i < min(to, j.Count); i++ {
		node, err := start(j, meshName(j, i))
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

// formShare connects nodes, the first of which has the number from, to all those
// after them, and waits until they list all the others.
func formShare(j contender.Job, nodes []*truss.Node, from int) error {
	if err := connectAll(j, nodes, from); err != nil {
		return err
	}
	return awaitMesh(nodes, j.Count-1)
}

// connectAll has every node connect to those after it, all at the same time, as
// a cluster that starts does.
func connectAll(j contender.Job, nodes []*truss.Node, from int) error {
	errs := make([]error, len(nodes))
	var all sync.WaitGroup
	for i, node := range nodes {
		all.Go(func() {
			for peer := from + i + 1; peer < j.Count; peer++ {
				if errs[i] = node.Connect(context.Background(), meshName(j, peer)); errs[i] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// awaitMesh waits for one node after the other: to look at all of them again and again
// would take the time that is measured.
func awaitMesh(nodes []*truss.Node, each int) error {
	deadline := time.Now().Add(30 * time.Second)
	for _, node := range nodes {
		for missing := 1; missing > 0; {
			if missing = each - len(node.Nodes()); missing > 0 {
				if time.Now().After(deadline) {
					return fmt.Errorf("%s misses %d nodes", node.Name(), missing)
				}
				time.Sleep(time.Millisecond)
			}
		}
	}
	return nil
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
