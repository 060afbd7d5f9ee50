package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/bench/internal/contender"
)

// driveIdleProcesses measures what a process that waits in Receive takes, its
// goroutine included.
func driveIdleProcesses(j contender.Job) (contender.Figures, error) {
	node, err := start(j, j.Name)
	if err != nil {
		return nil, err
	}
	before := inUse()
	rss, err := residentBytes(os.Getpid())
	if err != nil {
		return nil, err
	}
	for range j.Count {
		_, err := node.Spawn(func(ctx context.Context, p *truss.Process) error {
			_, err := p.Receive(ctx)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	time.Sleep(200 * time.Millisecond) // until all of them wait
	return growth(j, before, inUse(), rss, os.Getpid())
}

// driveIdleConnections connects hidden nodes of this program to the server, which
// may be of any kind, and measures what each connection costs it.
func driveIdleConnections(j contender.Job) (contender.Figures, error) {
	asker, err := connected(j)
	if err != nil {
		return nil, err
	}
	before, err := collectServer(asker, j.Peer)
	if err != nil {
		return nil, err
	}
	rss, err := residentBytes(j.PID)
	if err != nil {
		return nil, err
	}
	for i := range j.Count {
		node, err := start(j, fmt.Sprintf("idle%d_%s", i, j.Name), func(c *truss.Config) { c.Hidden = true })
		if err != nil {
			return nil, err
		}
		if err := node.Connect(context.Background(), j.Peer); err != nil {
			return nil, err
		}
	}
	after, err := collectServer(asker, j.Peer)
	if err != nil {
		return nil, err
	}
	return growth(j, before, after, rss, j.PID)
}

func collectServer(node *truss.Node, peer string) (used uint64, err error) {
	err = within(node, func(ctx context.Context, p *truss.Process) error {
		if err := p.Send(ctx, truss.Name{Name: "sink", Node: peer}, collect{From: p.PID()}); err != nil {
			return err
		}
		m, err := p.Receive(ctx)
		if err != nil {
			return err
		}
		var reply collected
		err = m.Unmarshal(&reply)
		used = reply.Bytes
		return err
	})
	return used, err
}

func growth(j contender.Job, before, after uint64, rss float64, pid int) (contender.Figures, error) {
	now, err := residentBytes(pid)
	if err != nil {
		return nil, err
	}
	n := float64(j.Count)
	return contender.Figures{
		"count":            n,
		"inuse_bytes_each": (float64(after) - float64(before)) / n,
		"rss_bytes_each":   (now - rss) / n,
	}, nil
}

// residentBytes is the memory of a process as the kernel counts it.
func residentBytes(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/%d/statm: %q", pid, b)
	}
	pages, err := strconv.Atoi(string(fields[1]))
	return float64(pages * os.Getpagesize()), err
}
