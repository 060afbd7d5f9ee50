package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"github.com/truss-beam/truss/bench/internal/contender"
)

// Calls are the floor of gen_server calls and erpc in Go: frames of as many bytes as
// Truss's, with a number by which the caller gets its answer. There are no terms, no
// monitors and no mailboxes; what is left is the kernel's and the scheduler's.

// call is what goes to and fro in one.
type call struct {
	scenario       string
	request, reply int // bytes; TestCallBytes in bench/truss holds them against what Truss nodes write
	spawn          bool
}

func calls() map[kind]call {
	return map[kind]call{
		calling:  {"call", 202, 84, false},
		spawning: {"erpc", 124, 162, true},
	}
}

// serve answers each request with the number that is in it, in a goroutine of its own
// if calls of this kind are.
func (c call) serve(conn net.Conn) error {
	out := newBatched(conn)
	defer close(out.wake)
	from := bufio.NewReaderSize(conn, large)
	for b := make([]byte, c.request); ; {
		if _, err := io.ReadFull(from, b); err != nil {
			return err
		}
		number := binary.BigEndian.Uint32(b)
		answer := func() {
			reply := make([]byte, c.reply)
			binary.BigEndian.PutUint32(reply, number)
			out.write(reply)
		}
		if c.spawn {
			go answer()
		} else {
			answer()
		}
	}
}

// drive has every caller wait for its answer before it asks again.
func (c call) drive(conn net.Conn, j contender.Job) (contender.Figures, error) {
	out := newBatched(conn)
	defer close(out.wake)
	answers := make([]chan uint32, 2*j.Senders) // those of the warm-up, and the others
	for i := range answers {
		answers[i] = make(chan uint32, 1)
	}
	var lost error
	over := make(chan struct{})
	go func() {
		defer close(over)
		lost = c.dispatch(conn, answers)
	}()
	var callers atomic.Uint32
	return contender.Trips(j, func(work func(func() error) error) error {
		b := make([]byte, c.request)
		me := callers.Add(1) - 1
		binary.BigEndian.PutUint32(b, me)
		return work(func() error {
			out.write(b)
			select {
			case <-answers[me]:
				return nil
			case <-over:
				return lost
			}
		})
	})
}

// dispatch gives the answers to who waits for them.
func (c call) dispatch(conn net.Conn, answers []chan uint32) error {
	from := bufio.NewReaderSize(conn, large)
	for b := make([]byte, c.reply); ; {
		if _, err := io.ReadFull(from, b); err != nil {
			return err
		}
		number := binary.BigEndian.Uint32(b)
		if int(number) >= len(answers) {
			return fmt.Errorf("an answer to %d", number)
		}
		answers[number] <- number
	}
}

// batched writes what several goroutines say with as few system calls as there can be
// without waiting: what comes while one write is under way goes out in the next.
type batched struct {
	mu    sync.Mutex
	queue []byte
	wake  chan struct{}
}

func newBatched(conn net.Conn) *batched {
	b := &batched{wake: make(chan struct{}, 1)}
	go b.run(conn)
	return b
}

func (b *batched) write(frame []byte) {
	b.mu.Lock()
	b.queue = append(b.queue, frame...)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// run writes until wake is closed, or the connection: its reader notices that, too.
func (b *batched) run(conn net.Conn) {
	var spare []byte
	for range b.wake {
		b.mu.Lock()
		spare, b.queue = b.queue, spare[:0]
		b.mu.Unlock()
		if _, err := conn.Write(spare); err != nil {
			return
		}
	}
}
