package truss

import "sync"

// mailbox is a process's queue of messages. Any goroutine may put; only the
// process's own takes.
type mailbox struct {
	wake  chan struct{} // capacity 1: something was put since the owner last looked
	limit int           // how many messages of others may wait; 0 is any number

	mu      sync.Mutex // guards the fields below
	urgent  fifo       // messages with priority
	queue   fifo       // all others
	closed  bool       // the process is dead: what is put is dropped
	dropped uint64     // how many the limit has cost
	full    bool       // and whether that has been told of since it last was half empty
}

// priority is how a message stands to the others of a mailbox.
type priority uint8

const (
	ordinary priority = iota
	expected          // the process waits for it, or is owed it: the limit is not for it
	urgent            // ahead of those that are not
)

func newMailbox() mailbox { return mailbox{wake: make(chan struct{}, 1)} }

// put adds a message. It tells whether the limit has dropped it, for the first
// time since the mailbox was half empty.
func (b *mailbox) put(m Message, how priority) (overflow bool) {
	b.mu.Lock()
	switch {
	case b.closed:
	case b.limit > 0 && how != expected && b.waiting() >= b.limit:
		b.dropped++
		overflow = !b.full
		b.full = true
	case how == urgent:
		b.urgent.put(m)
	default:
		b.queue.put(m)
	}
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default: // the owner has a wake-up waiting already
	}
	return overflow
}

// position is how far a mailbox has been looked through.
type position struct{ urgent, queue int }

// take removes the first message at or after position from that match accepts
// (nil accepts every one). If there is none it returns the position to go on
// from once more has been put: messages refused once are not looked at again.
func (b *mailbox) take(from position, match func(Message) bool) (m Message, next position, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, next.urgent, ok = b.urgent.take(from.urgent, match)
	if !ok {
		m, next.queue, ok = b.queue.take(from.queue, match)
	}
	if b.full && b.waiting() <= b.limit/2 {
		b.full = false
	}
	return m, next, ok
}

// waiting is the number of messages. b.mu is held.
func (b *mailbox) waiting() int { return b.urgent.len() + b.queue.len() }

// load tells how many messages wait, and how many the limit has dropped.
func (b *mailbox) load() (waiting int, dropped uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting(), b.dropped
}

func (b *mailbox) close() {
	b.mu.Lock()
	b.closed, b.urgent, b.queue = true, fifo{}, fifo{}
	b.mu.Unlock()
}

// fifo is a queue of messages that any one can be taken out of.
type fifo struct {
	all  []Message // all[head:] are waiting, oldest first
	head int
}

func (q *fifo) len() int { return len(q.all) - q.head }

func (q *fifo) put(m Message) { q.all = append(q.all, m) }

func (q *fifo) take(from int, match func(Message) bool) (m Message, next int, ok bool) {
	for i := q.head + from; i < len(q.all); i++ {
		if match == nil || match(q.all[i]) {
			return q.remove(i), i - q.head, true
		}
	}
	return Message{}, q.len(), false
}

// remove takes message i out, keeping the order of the others.
func (q *fifo) remove(i int) Message {
	m := q.all[i]
	copy(q.all[q.head+1:i+1], q.all[q.head:i])
	q.all[q.head] = Message{}
	q.head++
	switch {
	case q.head == len(q.all):
		q.rewind()
	case q.head >= 1024 && q.head*2 >= len(q.all):
		// More than half is already taken: move the rest down, or a queue that is
		// never quite empty would grow for ever.
		n := copy(q.all, q.all[q.head:])
		clear(q.all[n:])
		q.all, q.head = q.all[:n], 0
	}
	return m
}

// rewind starts over at the front of the array, and lets go of one that a burst
// made large (4096 messages are 256 KiB).
func (q *fifo) rewind() {
	q.head = 0
	if cap(q.all) > 4096 {
		q.all = nil
		return
	}
	q.all = q.all[:0]
}
