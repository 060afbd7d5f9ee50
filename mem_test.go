package truss_test

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/trusstest"
)

func memory() (bytes uint64) {
	heap, stacks := heapAndStacks()
	return heap + stacks
}

func heapAndStacks() (heap, stacks uint64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.StackInuse
}

// idleProcesses spawns processes that wait for a message.
func idleProcesses(t testing.TB, n *truss.Node, count int) (all []*truss.Process) {
	all = make([]*truss.Process, 0, count)
	for range count {
		p, err := n.Spawn(func(ctx context.Context, p *truss.Process) error {
			_, err := p.Receive(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func quietNode(t testing.TB) *truss.Node {
	n, err := truss.Start(t.Context(), truss.Config{
		Name: "a@127.0.0.1", Cookie: "c", Hidden: true, NoListen: true, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// TestIdleProcessBytes: 3,000, of which the goroutine's stack is 2,048: one that has not
// grown. With the race detector everything takes more stack.
func TestIdleProcessBytes(t *testing.T) {
	n := quietNode(t)
	const processes = 20_000
	heap, stacks := heapAndStacks()
	all := idleProcesses(t, n, processes)
	heapAfter, stacksAfter := heapAndStacks()
	runtime.KeepAlive(all)
	if each := float64(heapAfter-heap) / processes; each > 3000-2048 {
		t.Errorf("an idle process takes %.0f bytes beside its stack", each)
	}
	if each := float64(stacksAfter-stacks) / processes; each > idleStack*1.05 {
		t.Errorf("its stack takes %.0f", each)
	}
}

// TestIdleConnectionHasNoWriter: a connection that only ticks has one goroutine, not two,
// and another writer when there is something to say again.
func TestIdleConnectionHasNoWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, b := c.Start("a"), c.Start("b")
		c.Connect(a, b)
		got := make(chan int, 1)
		_, err := b.Spawn(func(ctx context.Context, p *truss.Process) error {
			for {
				m, err := p.Receive(ctx)
				if err != nil {
					return err
				}
				var i int
				if err := m.Unmarshal(&i); err != nil {
					return err
				}
				got <- i
			}
		}, truss.Registered("sink"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if err := a.Send(t.Context(), truss.Name{Name: "sink", Node: b.Name()}, i); err != nil {
				t.Fatal(err)
			}
			if <-got != i {
				t.Fatal("another message arrived")
			}
			synctest.Wait()
			if writers() == 0 {
				t.Fatal("this test would see no writer if there were one")
			}
			time.Sleep(10 * time.Minute) // ticks alone
			synctest.Wait()
			if n := writers(); n != 0 {
				t.Errorf("idle connections have %d writers", n)
			}
			if len(a.Nodes()) != 1 {
				t.Fatal("the connection is lost: nothing has ticked")
			}
		}
	})
}

// writers is how many writer goroutines there are.
func writers() int {
	b := make([]byte, 1<<20)
	return strings.Count(string(b[:runtime.Stack(b, true)]), "(*conn).writeLoop(")
}

// BenchmarkIdleProcess reports what a process that waits for a message costs,
// goroutine included.
func BenchmarkIdleProcess(b *testing.B) {
	n := quietNode(b)
	for b.Loop() {
		before := memory()
		all := idleProcesses(b, n, 10_000)
		b.ReportMetric(float64(memory()-before)/float64(len(all)), "B/process")
		for _, p := range all {
			if err := n.Send(b.Context(), p, 1); err != nil {
				b.Fatal(err)
			}
			<-p.Context().Done()
		}
	}
}

// BenchmarkIdleConnection reports what a connection that only ticks costs one
// node, the in-memory network's share included.
func BenchmarkIdleConnection(b *testing.B) {
	const nodes = 100
	for b.Loop() {
		c := trusstest.New(b)
		hub := c.Start("hub")
		var others []*truss.Node
		for i := range nodes {
			others = append(others, c.Start(string(rune('a'+i%26))+string(rune('a'+i/26))))
		}
		before := memory()
		for _, other := range others {
			c.Connect(hub, other)
		}
		b.ReportMetric(float64(memory()-before)/nodes/2, "B/end")
		for _, n := range append(others, hub) {
			n.Close()
		}
	}
}
