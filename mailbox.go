package truss

import (
	"sync"
	"sync/atomic"
)

// mailbox is a process's queue of messages. Any goroutine may put; the process's
// own takes, and Demonitor, which is anybody's.
//
// Until the first message it is little more than a lock: most of a great many processes
// wait for one.
type mailbox struct {
	limit int32 // how many messages of others may wait; 0 is any number

	// mu guards all of this, and what of queues is its.
	waiting bool // the owner has found nothing, and must be woken
	woke    bool // and has been, since it last waited
	closed  bool // the process is dead: what is put is dropped
	mu      sync.Mutex
	queues  atomic.Pointer[queues] // nil until the first message

	// Where the owner waits: until it first waits for something else besides, a Cond, for
	// a channel is twice as large. The channel has a capacity of 1, and takes the part of
	// woke.
	cond sync.Cond
	wake chan struct{}
}

// queues are where a mailbox has its messages: two, so that who puts and who takes
// seldom meet. Messages arrive in one, and move to the other all at once when that has
// nothing left.
type queues struct {
	taking sync.Mutex // guards what messages are taken from; locked before the mailbox's mu
	queue  fifo       // messages
	urgent *fifo      // those with priority; nil until the first one
	taken  int        // messages, ever

	// The memory of the first two chunks: of a great many processes each has one message
	// at a time, and what takes time is how many places it touches. It lies here so that
	// who takes and who puts many are not in each other's cache lines.
	room [2][1]Message

	// Guarded by the mailbox's mu.
	arrived       batch // since the owner last looked
	arrivedUrgent *batch
	dropped       uint64 // how many the limit has cost
	full          bool   // and whether that has been told of since it last was half empty

	pressing atomic.Bool  // arrivedUrgent is not empty
	held     atomic.Int64 // messages in urgent and queue; kept only for a limit
}

func newQueues() *queues {
	q := new(queues)
	q.arrived.last, q.queue.spare = q.room[0][:0], q.room[1][:0]
	return q
}

// priority is how a message stands to the others of a mailbox.
type priority uint8

const (
	ordinary priority = iota
	expected          // the process waits for it, or is owed it: the limit is not for it
	urgent            // ahead of those that are not
)

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
	q, limit := b.queues.Load(), int(b.limit)
	if q == nil {
		q = newQueues()
		b.queues.Store(q)
	}
	if q.full && q.count() <= limit/2 {
		q.full = false
	}
	if limit == 0 && how != urgent {
		q.arrived.add(messages...)
		messages = nil
	}
	for _, m := range messages {
		switch {
		case limit > 0 && how != expected && q.count() >= limit:
			q.dropped++
			r.overflow = r.overflow || !q.full
			q.full = true
		case how == urgent:
			if q.arrivedUrgent == nil {
				q.arrivedUrgent = new(batch)
			}
			q.arrivedUrgent.add(m)
			q.pressing.Store(true)
		default:
			q.arrived.add(m)
		}
	}
	r.asleep = b.waiting
	b.waiting = false
	return r
}

// rouse wakes the owner.
func (b *mailbox) rouse() {
	b.mu.Lock()
	wake := b.wake
	b.woke = b.woke || wake == nil
	b.mu.Unlock()
	if wake == nil {
		b.cond.Signal()
		return
	}
	select {
	case wake <- struct{}{}:
	default: // the owner has a wake-up waiting already
	}
}

// wait waits until the owner, who calls it, is roused.
func (b *mailbox) wait() {
	b.mu.Lock()
	if wake := b.wake; wake != nil {
		b.mu.Unlock()
		<-wake
		return
	}
	b.cond.L = &b.mu
	for !b.woke {
		b.cond.Wait()
	}
	b.woke = false
	b.mu.Unlock()
}

// woken is where the owner, who calls it, receives when it is roused.
func (b *mailbox) woken() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wake == nil {
		b.wake = make(chan struct{}, 1)
		if b.woke {
			b.woke = false
			b.wake <- struct{}{}
		}
	}
	return b.wake
}

// empty tells whether nothing has arrived since the owner last looked.
func (b *mailbox) empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queues.Load()
	return q == nil || q.arrived.len()+q.arrivedUrgent.len() == 0
}

// position is how far a mailbox has been looked through, when so many messages had
// been taken. It counts for nothing once another has: of those before it, maybe.
type position struct{ urgent, queue, taken int }

// take removes the first message at or after position from that match accepts
// (nil accepts every one). If there is none it returns the position to go on
// from once more has been put, which the owner is woken for: messages refused once
// are not looked at again.
func (b *mailbox) take(from position, match func(Message) bool) (m Message, next position, ok bool) {
	q := b.queues.Load()
	if q == nil {
		if q = b.awaitFirst(); q == nil {
			return m, from, false
		}
	}
	q.taking.Lock()
	defer q.taking.Unlock()
	if match == nil && q.queue.n > 0 && q.urgent.len() == 0 && !q.pressing.Load() {
		b.took(q) // nearly every take is of the first message, whatever it is
		return q.queue.takeFirst(), from, true
	}
	next = from
	if next.taken != q.taken {
		next = position{taken: q.taken}
	}
	for {
		if next.urgent < q.urgent.len() {
			if m, next.urgent, ok = q.urgent.take(next.urgent, match); ok {
				break
			}
		}
		if q.pressing.Load() {
			b.look(q)
			continue
		}
		if m, next.queue, ok = q.queue.take(next.queue, match); ok || !b.look(q) {
			break
		}
	}
	if ok {
		b.took(q)
	}
	return m, next, ok
}

// took notes that a message is taken. q.taking is held.
func (b *mailbox) took(q *queues) {
	q.taken++
	if b.limit > 0 {
		q.held.Add(-1)
	}
}

// awaitFirst is look of a mailbox that has had no message yet; if it has one now, it
// returns the queues.
func (b *mailbox) awaitFirst() *queues {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.queues.Load()
	b.waiting = q == nil
	return q
}

// look moves what has arrived to where it is taken from, and tells whether that was
// anything; if not, the owner waits from now on. q.taking is held.
func (b *mailbox) look(q *queues) (any bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := q.arrived.len() + q.arrivedUrgent.len()
	if b.limit > 0 {
		q.held.Add(int64(n))
	}
	if q.arrivedUrgent.len() > 0 {
		if q.urgent == nil {
			q.urgent = new(fifo)
		}
		q.urgent.move(q.arrivedUrgent)
	}
	q.queue.move(&q.arrived)
	q.pressing.Store(false)
	b.waiting = n == 0
	return n > 0
}

// count is the number of messages of a mailbox with a limit. Its mu is held.
func (q *queues) count() int {
	return q.arrived.len() + q.arrivedUrgent.len() + int(q.held.Load())
}

// load tells how many messages wait, and how many the limit has dropped.
func (b *mailbox) load() (waiting int, dropped uint64) {
	q := b.queues.Load()
	if q == nil {
		return 0, 0
	}
	q.taking.Lock()
	defer q.taking.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	return q.arrived.len() + q.arrivedUrgent.len() + q.queue.len() + q.urgent.len(), q.dropped
}

// close drops what is there and what comes, and wakes the owner to see that.
func (b *mailbox) close() {
	b.mu.Lock()
	b.closed = true // from now on nobody makes queues
	b.mu.Unlock()
	if q := b.queues.Load(); q != nil {
		q.taking.Lock()
		b.mu.Lock()
		q.arrived, q.arrivedUrgent = batch{}, nil
		q.queue, q.urgent = fifo{}, nil
		q.pressing.Store(false)
		b.mu.Unlock()
		q.taking.Unlock()
	}
	b.rouse()
}
