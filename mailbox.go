package truss

import "sync"

// mailbox is a process's queue of messages. Any goroutine may put; only the
// process's own takes.
type mailbox struct {
	wake chan struct{} // capacity 1: something was put since the owner last looked

	mu     sync.Mutex // guards the fields below
	queue  []Message  // queue[head:] are waiting, oldest first
	head   int
	closed bool // the process is dead: what is put is dropped
}

func newMailbox() mailbox { return mailbox{wake: make(chan struct{}, 1)} }

func (b *mailbox) put(m Message) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return
	}
	b.queue = append(b.queue, m)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default: // the owner has a wake-up waiting already
	}
}

// take removes the first message at or after position from that match accepts
// (nil accepts every one). If there is none it returns the position to go on
// from once more has been put: messages refused once are not looked at again.
func (b *mailbox) take(from int, match func(Message) bool) (m Message, next int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := b.head + from; i < len(b.queue); i++ {
		if match == nil || match(b.queue[i]) {
			return b.remove(i), i - b.head, true
		}
	}
	return Message{}, len(b.queue) - b.head, false
}

// remove takes message i out, keeping the order of the others.
func (b *mailbox) remove(i int) Message {
	m := b.queue[i]
	copy(b.queue[b.head+1:i+1], b.queue[b.head:i])
	b.queue[b.head] = Message{}
	b.head++
	switch {
	case b.head == len(b.queue):
		b.rewind()
	case b.head >= 1024 && b.head*2 >= len(b.queue):
		// More than half is already taken: move the rest down, or a queue that is
		// never quite empty would grow for ever.
		n := copy(b.queue, b.queue[b.head:])
		clear(b.queue[n:])
		b.queue, b.head = b.queue[:n], 0
	}
	return m
}

// rewind starts over at the front of the array, and lets go of one that a burst
// made large (4096 messages are 256 KiB).
func (b *mailbox) rewind() {
	b.head = 0
	if cap(b.queue) > 4096 {
		b.queue = nil
		return
	}
	b.queue = b.queue[:0]
}

func (b *mailbox) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queue) - b.head
}

func (b *mailbox) close() {
	b.mu.Lock()
	b.closed, b.queue, b.head = true, nil, 0
	b.mu.Unlock()
}
