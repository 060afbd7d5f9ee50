package simmesh

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/trusstest"
)

func TestSimulatedMesh(t *testing.T) {
	n := 10
	if text := os.Getenv("BENCH_NODES"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := fits(n); err != nil {
		print(contender.Result{Error: err.Error()})
		return
	}
	var f contender.Figures
	synctest.Test(t, func(t *testing.T) { f = mesh(t, n) })
	print(contender.Result{Figures: f})
}

func print(r contender.Result) {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // NaN: a mistake in this file
	}
	fmt.Println(string(b))
}

// bytesPerLink is what a link takes at most, with an eighth to spare: 1,000 nodes' were
// 8,572,064 kB of resident memory (VmHWM), 17,600 bytes each. That is two connections'
// ends with a goroutine each, the cable, and what the garbage collector has not collected
// yet: figures' bytes_per_link, after a collection, is 13,300.
const bytesPerLink = 20_000

// fits refuses a mesh that this machine's memory cannot hold.
func fits(n int) error {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return nil // not Linux: try
	}
	var total, free, available uint64
	if _, err := fmt.Sscanf(string(b), "MemTotal: %d kB\nMemFree: %d kB\nMemAvailable: %d kB", &total, &free, &available); err != nil {
		return fmt.Errorf("/proc/meminfo: %w", err)
	}
	links := uint64(n) * uint64(n-1) / 2
	if need := links * bytesPerLink; need > available*1024 {
		return fmt.Errorf("%d links of %d bytes take %d GB of memory, %d GB are available", links, bytesPerLink, need>>30, available>>20)
	}
	return nil
}

func mesh(t *testing.T, n int) contender.Figures {
	c := trusstest.New(t)
	nodes := make([]*truss.Node, n)
	var group []string
	for i := range nodes {
		name := fmt.Sprintf("n%d", i)
		nodes[i] = c.Start(name)
		if i < n/2 {
			group = append(group, name)
		}
	}
	before, start := memory(), cpu()
	join(t, nodes)
	formed, used := cpu()-start, memory()-before

	start = cpu()
	c.Partition(group...)
	time.Sleep(3 * time.Minute) // longer than the net tick
	seen(t, nodes, func(i int) int {
		if i < n/2 {
			return n/2 - 1
		}
		return n - n/2 - 1
	})
	c.Heal()
	join(t, nodes)
	healed := cpu() - start
	links := float64(n * (n - 1) / 2)
	return contender.Figures{
		"count": float64(n), "links": links, "formed_and_healed": 1,
		"form_cpu_ms_per_node": ms(formed) / float64(n), "heal_cpu_ms_per_node": ms(healed) / float64(n),
		"form_cpu_us_per_link": ms(formed) / links * 1e3, "bytes_per_link": used / links, "bytes_per_node": used / float64(n),
	}
}

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

// join has every node connect to those after it, all at once, and checks that
// each lists all the others.
func join(t *testing.T, nodes []*truss.Node) {
	ctx := context.Background()
	var all sync.WaitGroup
	for i, a := range nodes {
		all.Go(func() {
			for _, b := range nodes[i+1:] {
				if err := a.Connect(ctx, b.Name()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	synctest.Wait()
	seen(t, nodes, func(int) int { return len(nodes) - 1 })
}

func seen(t *testing.T, nodes []*truss.Node, want func(i int) int) {
	for i, node := range nodes {
		if got := len(node.Nodes()); got != want(i) {
			t.Fatalf("%s sees %d others, want %d", node.Name(), got, want(i))
		}
	}
}

// cpu is the processor time of this program: the wall clock stands still here.
func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // cannot fail with these arguments
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func memory() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse + m.StackInuse)
}
