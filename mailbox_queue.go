package truss

import (
	"slices"
	"sync"
)

// Messages wait in chunks: a queue then grows without moving what is in it, and a long
// one gives memory back as it gets shorter.

// chunkSize is how many messages the largest chunks hold: 4 KiB.
const chunkSize = 128

// chunks are large ones that a queue had no more use for, all empty. Without them a
// stream of messages that is ahead of its receiver costs 32 bytes of garbage for each:
// all there was, and a fifth of the receiver's time.
var chunks = sync.Pool{New: func() any { return new([chunkSize]Message) }}

// batch is messages in the order they were added.
type batch struct {
	full [][]Message // the older ones
	last []Message   // the youngest
}

// len is 0 of no batch, too.
func (b *batch) len() int {
	if b == nil {
		return 0
	}
	return len(b.full)*chunkSize + len(b.last)
}

func (b *batch) add(messages ...Message) {
	for len(messages) > 0 {
		if len(b.last) == chunkSize {
			b.full = append(b.full, b.last)
			b.last = chunks.Get().(*[chunkSize]Message)[:0]
		}
		n := min(len(messages), chunkSize-len(b.last))
		b.last = append(b.last, messages[:n]...)
		messages = messages[n:]
	}
}

// fifo is a queue of messages that any one can be taken out of.
type fifo struct {
	first chunk     // with the oldest; empty if there is none
	more  []chunk   // those behind it, each with some in it
	n     int       // messages in all of them
	spare []Message // empty: the memory of a chunk
}

// chunk is all[head:].
type chunk struct {
	all  []Message
	head int
}

// len is 0 of no fifo, too.
func (q *fifo) len() int {
	if q == nil {
		return 0
	}
	return q.n
}

// move takes over all messages of a batch, and gives it memory for the next ones.
func (q *fifo) move(b *batch) {
	q.n += b.len()
	for _, all := range b.full {
		q.add(all)
	}
	b.full = nil
	if len(b.last) > 0 {
		q.add(b.last)
		b.last, q.spare = q.spare, nil
	}
}

func (q *fifo) add(all []Message) {
	if q.first.all == nil {
		q.first.all = all
		return
	}
	q.more = append(q.more, chunk{all: all})
}

func (q *fifo) chunk(k int) *chunk {
	if k == 0 {
		return &q.first
	}
	return &q.more[k-1]
}

// take removes the first message at or after from that match accepts.
func (q *fifo) take(from int, match func(Message) bool) (m Message, next int, ok bool) {
	before := 0 // messages in earlier chunks
	for k := range 1 + len(q.more) {
		c := q.chunk(k)
		for i := c.head + max(0, from-before); i < len(c.all); i++ {
			if match == nil || match(c.all[i]) {
				head := c.head
				return q.remove(k, i), before + i - head, true
			}
		}
		before += len(c.all) - c.head
	}
	return Message{}, q.n, false
}

// takeFirst is take of the oldest message, if there is one.
func (q *fifo) takeFirst() Message {
	c := &q.first
	m := c.all[c.head]
	c.all[c.head] = Message{}
	c.head++
	q.n--
	if c.head == len(c.all) {
		q.drop(0)
	}
	return m
}

// keep has the memory of an empty chunk used again.
func (q *fifo) keep(empty []Message) {
	if q.spare != nil && cap(q.spare) == chunkSize {
		chunks.Put((*[chunkSize]Message)(q.spare[:chunkSize]))
	}
	q.spare = empty
}

// remove takes message i out of chunk k, keeping the order of the others.
func (q *fifo) remove(k, i int) Message {
	c := q.chunk(k)
	m := c.all[i]
	q.n--
	if i == c.head {
		c.all[i] = Message{}
		c.head++
	} else {
		c.all = slices.Delete(c.all, i, i+1)
	}
	if c.head == len(c.all) {
		q.drop(k)
	}
	return m
}

// drop takes a chunk out that has become empty.
func (q *fifo) drop(k int) {
	q.keep(q.chunk(k).all[:0])
	switch {
	case k > 0:
		q.more = slices.Delete(q.more, k-1, k)
	case len(q.more) == 0:
		q.first = chunk{}
	default:
		q.first, q.more[0] = q.more[0], chunk{}
		q.more = q.more[1:]
	}
}
