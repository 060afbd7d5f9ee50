package truss

import (
	"sync"
	"sync/atomic"
)

// mailbox is a process's queue of messages. Any goroutine may put; the process's
// own takes, and Demonitor, which is anybody's.
//
// It is two queues, so that who puts and who takes seldom meet: messages arrive in
// one, and move to the other all at once when that has nothing left.
type mailbox struct {
	wake  chan struct{} // capacity 1: something was put while the owner waited
	limit int           // how many messages of others may wait; 0 is any number

	taking sync.Mutex // guards what messages are taken from; locked before mu
	urgent fifo       // messages with priority
	queue  fifo       // all others
	taken  int        // messages, ever

	// mu guards what follows.
	mu            sync.Mutex
	arrived       batch // since the owner last looked
	arrivedUrgent batch
	waiting       bool   // the owner has found nothing, and must be woken
	closed        bool   // the process is dead: what is put is dropped
	dropped       uint64 // how many the limit has cost
	full          bool   // and whether that has been told of since it last was half empty

	pressing atomic.Bool  // arrivedUrgent is not empty
	held     atomic.Int64 // messages in urgent and queue; kept only for a limit
}

// priority is how a message stands to the others of a mailbox.
type priority uint8

const (
	ordinary priority = iota
	expected          // the process waits for it, or is owed it: the limit is not for it
	urgent            // ahead of those that are not
)

func newMailbox() mailbox { return mailbox{wake: make(chan struct{}, 1)} }

// reception is what becomes of messages that are put in a mailbox.
type reception struct {
	asleep   bool // the owner is to be roused
	overflow bool // the limit has dropped some, for the first time since the mailbox was half empty
}

// put adds a message and wakes the owner. It tells whether the limit has dropped it,
// for the first time since the mailbox was half empty.
func (b *mailbox) put(m Message, how priority) (overflow bool) {
	r := b.putQuietly(how, m)
	if r.asleep {
		b.rouse()
	}
	return r.overflow
}

// putQuietly is put of several messages, for who may have more before the owner need
// look.
func (b *mailbox) putQuietly(how priority, messages ...Message) (r reception) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return r
	}
	if b.full && b.count() <= b.limit/2 {
		b.full = false
	}
	for _, m := range messages {
		switch {
		case b.limit > 0 && how != expected && b.count() >= b.limit:
			b.dropped++
			r.overflow = r.overflow || !b.full
			b.full = true
		case how == urgent:
			b.arrivedUrgent.add(m)
			b.pressing.Store(true)
		default:
			b.arrived.add(m)
		}
	}
	r.asleep = b.waiting
	b.waiting = false
	return r
}

// rouse wakes the owner.
func (b *mailbox) rouse() {
	select {
	case b.wake <- struct{}{}:
	default: // the owner has a wake-up waiting already
	}
}

// empty tells whether nothing has arrived since the owner last looked.
func (b *mailbox) empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.arrived.len()+b.arrivedUrgent.len() == 0
}

// position is how far a mailbox has been looked through, when so many messages had
// been taken. It counts for nothing once another has: of those before it, maybe.
type position struct{ urgent, queue, taken int }

// take removes the first message at or after position from that match accepts
// (nil accepts every one). If there is none it returns the position to go on
// from once more has been put, which the owner is woken for: messages refused once
// are not looked at again.
func (b *mailbox) take(from position, match func(Message) bool) (m Message, next position, ok bool) {
	b.taking.Lock()
	defer b.taking.Unlock()
	next = from
	if next.taken != b.taken {
		next = position{taken: b.taken}
	}
	for {
		if next.urgent < b.urgent.len() {
			if m, next.urgent, ok = b.urgent.take(next.urgent, match); ok {
				break
			}
		}
		if b.pressing.Load() {
			b.look()
			continue
		}
		if m, next.queue, ok = b.queue.take(next.queue, match); ok || !b.look() {
			break
		}
	}
	if ok {
		b.taken++
		if b.limit > 0 {
			b.held.Add(-1)
		}
	}
	return m, next, ok
}

// look moves what has arrived to where it is taken from, and tells whether that was
// anything; if not, the owner waits from now on. b.taking is held.
func (b *mailbox) look() (any bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.arrived.len() + b.arrivedUrgent.len()
	if b.limit > 0 {
		b.held.Add(int64(n))
	}
	b.urgent.move(&b.arrivedUrgent)
	b.queue.move(&b.arrived)
	b.pressing.Store(false)
	b.waiting = n == 0
	return n > 0
}

// count is the number of messages of a mailbox with a limit. b.mu is held.
func (b *mailbox) count() int {
	return b.arrived.len() + b.arrivedUrgent.len() + int(b.held.Load())
}

// load tells how many messages wait, and how many the limit has dropped.
func (b *mailbox) load() (waiting int, dropped uint64) {
	b.taking.Lock()
	defer b.taking.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.arrived.len() + b.arrivedUrgent.len() + b.queue.len() + b.urgent.len(), b.dropped
}

// close drops what is there and what comes, and wakes the owner to see that.
func (b *mailbox) close() {
	b.taking.Lock()
	b.mu.Lock()
	b.closed, b.arrived, b.arrivedUrgent = true, batch{}, batch{}
	b.urgent, b.queue = fifo{}, fifo{}
	b.pressing.Store(false)
	b.mu.Unlock()
	b.taking.Unlock()
	b.rouse()
}
