package truss

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
)

// numbered is a message that says who it is.
func numbered(i int) Message { return signalMessage(i) }

// TestMailboxModel compares the mailbox with two slices, over random puts and
// selective takes: every take gets the oldest that fits, urgent ones first, and none
// is lost, doubled or looked at twice by one receive.
func TestMailboxModel(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		var b mailbox
		var urgents, others []int
		last, from, looking := 0, position{}, 0 // looking is what the receive under way wants, modulo 5
		seen := map[int]bool{}
		for range 3000 {
			if random.IntN(3) > 0 {
				last++
				if random.IntN(4) == 0 {
					b.put(numbered(last), urgent)
					urgents = append(urgents, last)
				} else {
					b.put(numbered(last), ordinary)
					others = append(others, last)
				}
				continue
			}
			fits := func(i int) bool { return i%5 == looking }
			m, next, ok := b.take(from, func(m Message) bool {
				i := m.Signal().(int)
				if seen[i] {
					t.Fatalf("seed %d: %d is looked at twice", seed, i)
				}
				seen[i] = true
				return fits(i)
			})
			queue := &urgents
			i := slices.IndexFunc(urgents, fits)
			if i < 0 {
				queue = &others
				i = slices.IndexFunc(others, fits)
			}
			if ok != (i >= 0) {
				t.Fatalf("seed %d: take finds %v, the model %d", seed, ok, i)
			}
			if !ok {
				from = next
				continue
			}
			if got := m.Signal().(int); got != (*queue)[i] {
				t.Fatalf("seed %d: take finds %d, the model %d", seed, got, (*queue)[i])
			}
			*queue = slices.Delete(*queue, i, i+1)
			from, looking = position{}, random.IntN(5)
			clear(seen)
		}
		if waiting, _ := b.load(); waiting != len(urgents)+len(others) {
			t.Fatalf("seed %d: %d messages wait, want %d", seed, waiting, len(urgents)+len(others))
		}
	}
}

func TestMailboxLimit(t *testing.T) {
	b := mailbox{limit: 4}
	overflows := 0
	put := func(i int, how priority) {
		if b.put(numbered(i), how) {
			overflows++
		}
	}
	for i := range 6 {
		put(i, ordinary)
	}
	put(6, urgent)
	put(7, expected)
	if waiting, dropped := b.load(); waiting != 5 || dropped != 3 || overflows != 1 {
		t.Errorf("%d wait, %d dropped, told %d times; want 5, 3, 1", waiting, dropped, overflows)
	}
	for _, want := range []int{0, 1, 2} {
		if m, _, _ := b.take(position{}, nil); m.Signal() != want {
			t.Errorf("took %v, want %d: the newest are to be dropped", m.Signal(), want)
		}
	}
	for i := range 4 { // two wait: two more fit, and the next overflow is told of again
		put(10+i, ordinary)
	}
	if waiting, dropped := b.load(); waiting != 4 || dropped != 5 || overflows != 2 {
		t.Errorf("%d wait, %d dropped, told %d times; want 4, 5, 2", waiting, dropped, overflows)
	}
}

// TestAliasesEndWithProcess: the table keeps none of a process that has ended, nor of
// calls that are over.
func TestAliasesEndWithProcess(t *testing.T) {
	n, err := Start(t.Context(), Config{Name: "a@127.0.0.1", Cookie: "secret", NoListen: true, Hidden: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	p, err := n.Spawn(func(ctx context.Context, p *Process) error {
		for range 10 {
			p.Alias()
			if err := n.Send(ctx, p.Alias(AliasOnce), 1); err != nil {
				return err
			}
			if err := p.Call(ctx, "net_kernel", "hello", nil); err != nil {
				return err
			}
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.bound().aliases) != 10 {
			t.Errorf("the process has %d aliases, want 10", len(p.bound().aliases))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Context().Done()
	n.aliases.mu.Lock()
	defer n.aliases.mu.Unlock()
	if len(n.aliases.m) != 0 {
		t.Errorf("%d aliases are left", len(n.aliases.m))
	}
}

// A backlog comes and goes without garbage, though it is many chunks long.
func TestMailboxReusesChunks(t *testing.T) {
	const messages = 20 * chunkSize
	var b mailbox
	all := make([]Message, messages)
	allocations := testing.AllocsPerRun(20, func() {
		b.putQuietly(ordinary, all...)
		for range messages {
			if _, _, ok := b.take(position{}, nil); !ok {
				t.Fatal("a message is lost")
			}
		}
	})
	// The list of the chunks is made anew, and the race detector takes some of them.
	if allocations > 15 {
		t.Errorf("%.0f allocations for %d messages", allocations, messages)
	}
}
