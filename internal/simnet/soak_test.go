package simnet

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestRandomFaults plays random schedules of silent faults over a full mesh
// that sends all the time. However the bytes were delayed, each stream must arrive
// whole and in order once the network is healed. The loud faults come last:
// what arrives then must still be a prefix. A failure names its seed; run it again with
//
//	SIMNET_SEED=n go test ./internal/simnet -run TestRandomFaults
func TestRandomFaults(t *testing.T) {
	first, count := 1, 40
	if s := os.Getenv("SIMNET_SEED"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		first, count = n, 1
	}
	for seed := first; seed < first+count; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { soak(t, uint64(seed)) })
		})
	}
}

var soakHosts = []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}

func soak(t *testing.T, seed uint64) {
	const size = 5000
	rng := rand.New(rand.NewPCG(seed, 0))
	n := New(Options{Buffer: 1 + rng.IntN(2000)})
	loud := rng.IntN(2) == 0
	type result struct {
		got int
		err error
	}
	results := make(chan result)
	streams := 0
	for i, from := range soakHosts {
		for _, to := range soakHosts[i+1:] {
			near, far := connect(t, n.Host(from), n.Host(to), ":0")
			for _, ends := range [][2]net.Conn{{near, far}, {far, near}} {
				streams++
				chunk := 1 + rng.IntN(700)
				go sendCounted(ends[0], size, chunk)
				go func() {
					got, err := readCounted(ends[1])
					results <- result{got, err}
				}()
			}
		}
	}
	for range 30 {
		time.Sleep(time.Duration(rng.IntN(1000)) * time.Millisecond)
		disturb(n, rng)
	}
	if loud {
		n.Cut("10.0.0.1", "10.0.0.2")
		n.Host("10.0.0.3").Kill()
	}
	n.Heal()
	whole := 0
	for range streams {
		r := <-results
		switch {
		case r.err == nil && r.got == size:
			whole++
		case loud && (errors.Is(r.err, syscall.ECONNRESET) || errors.Is(r.err, net.ErrClosed)):
		default:
			t.Errorf("a stream ended after %d of %d bytes: %v", r.got, size, r.err)
		}
	}
	if whole < 4 { // 1-4 and 2-4 know no loud fault
		t.Errorf("%d streams arrived whole", whole)
	}
}

// disturb does one random silent thing to the network.
func disturb(n *Network, rng *rand.Rand) {
	a := soakHosts[rng.IntN(len(soakHosts))]
	b := soakHosts[rng.IntN(len(soakHosts))]
	switch rng.IntN(5) {
	case 0:
		n.Partition([]string{a, b})
	case 1:
		n.Block(a, b)
	case 2:
		n.Unblock(a, b)
	case 3:
		n.SetLink(a, b, Link{Latency: time.Duration(rng.IntN(300)) * time.Millisecond, Bandwidth: rng.IntN(2) * (500 + rng.IntN(5000))})
	case 4:
		n.Heal()
	}
}

// sendCounted writes bytes that count, and ends the stream.
func sendCounted(c net.Conn, size, chunk int) {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i % 251)
	}
	for len(b) > 0 {
		k := min(chunk, len(b))
		if _, err := c.Write(b[:k]); err != nil {
			return
		}
		b = b[k:]
	}
	c.(interface{ CloseWrite() error }).CloseWrite()
}

// readCounted reads to the end and checks that the bytes count.
func readCounted(c net.Conn) (got int, err error) {
	b := make([]byte, 333)
	for {
		n, err := c.Read(b)
		for _, x := range b[:n] {
			if x != byte(got%251) {
				return got, fmt.Errorf("byte %d is %d", got, x)
			}
			got++
		}
		if err == io.EOF {
			return got, nil
		}
		if err != nil {
			return got, err
		}
	}
}
