package simnet

import (
	"bytes"
	"slices"
	"sync"
	"time"
)

// half is one direction of a connection: what its writer has written and its
// reader has not yet read. Guarded by the link's mu.
type half struct {
	from  *conn
	cond  sync.Cond // the reader waits for bytes on it, the writer for room
	limit int
	shape Link
	held  bool // the way is partitioned: nothing arrives

	ready  bytes.Buffer // has arrived
	flying []segment    // on its way, in order
	bytes  int          // in ready and flying: what counts against limit
	fin    bool         // the end has arrived, behind what is ready
	busy   time.Time    // until then the bandwidth is used up
	timer  *time.Timer  // for the first of flying; nil until a latency asks for it
}

// segment is something on its way: bytes, or the end of them.
type segment struct {
	at   time.Time
	data []byte
	end  ending
}

type ending uint8

const (
	none ending = iota
	fin         // no more bytes
	rst         // forget the connection
)

func newHalf(from *conn, limit int, shape Link) *half {
	h := &half{from: from, limit: limit, shape: shape}
	h.cond.L = &from.link.mu
	return h
}

// room is how many more bytes may be sent.
func (h *half) room() int { return max(0, h.limit-h.bytes) }

// send puts a segment on its way. The data is copied.
func (h *half) send(data []byte, end ending) {
	h.bytes += len(data)
	s := segment{data: data, end: end}
	if !h.held && h.shape == (Link{}) && len(h.flying) == 0 {
		h.arrive(s)
		return
	}
	s.data = slices.Clone(data)
	s.at = h.arrival(len(data))
	h.flying = append(h.flying, s)
	h.settle()
}

// arrival is when something sent now gets there, or later: it waits behind what was
// sent before it, should the link have become faster since.
func (h *half) arrival(size int) time.Time {
	start := time.Now()
	if h.busy.After(start) {
		start = h.busy
	}
	if h.shape.Bandwidth > 0 {
		start = start.Add(time.Duration(float64(size) / float64(h.shape.Bandwidth) * float64(time.Second)))
		h.busy = start
	}
	return start.Add(h.shape.Latency)
}

// settle hands over what has arrived by now and sets the timer for the rest.
func (h *half) settle() {
	if h.held || len(h.flying) == 0 {
		return
	}
	now := time.Now()
	for len(h.flying) > 0 && !h.flying[0].at.After(now) {
		s := h.flying[0]
		h.flying = h.flying[1:]
		h.arrive(s)
	}
	if len(h.flying) == 0 {
		return
	}
	wait := h.flying[0].at.Sub(now)
	if h.timer == nil {
		h.timer = time.AfterFunc(wait, h.tick)
	} else {
		h.timer.Reset(wait)
	}
}

func (h *half) tick() {
	h.cond.L.Lock()
	defer h.cond.L.Unlock()
	h.settle()
}

// arrive is the receiving kernel's part.
func (h *half) arrive(s segment) {
	to := h.from.peer
	switch {
	case s.end == rst:
		to.receiveReset()
	case to.closed || to.reset:
		// Nobody is there. The bytes are lost and an RST comes back, if it can.
		h.bytes -= len(s.data)
		if len(s.data) > 0 && !to.out.held {
			h.from.broken = true
		}
	case s.end == fin:
		h.fin = true
	default:
		h.ready.Write(s.data)
	}
	h.cond.Broadcast()
}

// take reads what is ready.
func (h *half) take(b []byte) int {
	n, _ := h.ready.Read(b)
	h.bytes -= n
	h.cond.Broadcast()
	return n
}

// hold stops or starts the flow. What flew when it stopped counts as lost and
// is sent again when it starts, each with the link's full delay.
func (h *half) hold(held bool) {
	if h.held == held {
		return
	}
	if held {
		h.settle()
		h.held = true
		return
	}
	h.held = false
	again := h.flying
	h.flying = nil
	for _, s := range again {
		s.at = h.arrival(len(s.data))
		h.flying = append(h.flying, s)
	}
	h.settle()
}

// drop loses what is on its way.
func (h *half) drop() {
	for _, s := range h.flying {
		h.bytes -= len(s.data)
	}
	h.flying = nil
	if h.timer != nil {
		h.timer.Stop()
	}
}
