package truss

import (
	"errors"
	"io"
	"net"
	"runtime"
	"syscall"
	"time"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// readLoop is the reader goroutine: it acts on one signal after the other, in
// the order they arrive, until the connection ends, and then deals with the loss.
// A process that waits for an answer may be quicker than it: see poll.go.
func (c *conn) readLoop() {
	c.fail(readError(c.read()))
	_ = c.socket.Close()
	c.node.lost(c)
}

// read returns why no more can be read.
func (c *conn) read() error {
	if c.raw != nil {
		return c.readRaw()
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	return c.act(nil)
}

// act acts on what the peer has sent, until there is no more, or until there is
// something for the process that calls it. c.reading is held.
func (c *conn) act(caller *Process) error {
	c.caller, c.served = caller, false
	defer c.rouse()
	for {
		if body, ok := c.frames.buffered(); ok {
			kept, err := c.actOn(body, 0, c.frames.slab)
			if err != nil {
				return err
			}
			if kept {
				c.frames.keep()
			}
			continue
		}
		if !c.frames.ready() {
			if c.rouse(); c.served {
				return nil
			}
		}
		frame, err := c.frames.next()
		if err != nil {
			return err
		}
		kept, err := c.actOn(frame.body, frame.placed, frame.slab)
		if err != nil {
			return err
		}
		c.frames.done(frame, kept)
	}
}

// actOn acts on a frame, and tells whether somebody keeps some of the slab it is in.
func (c *conn) actOn(body []byte, placed int, slab *slab) (kept bool, err error) {
	if c.lost.Load() {
		return false, net.ErrClosed
	}
	signal, err := c.signalOf(body, placed)
	if signal == nil || err != nil {
		return false, err
	}
	c.kept, c.slab = false, slab
	err = c.handle(signal)
	return c.kept, err
}

// signalOf is the signal that a frame completes: nil if it is a tick, or part of a large
// message.
func (c *conn) signalOf(body []byte, placed int) (*dist.Signal, error) {
	if len(body) == 0 {
		return nil, nil
	}
	if c.in == nil {
		c.openReceiver()
	}
	if placed > 0 {
		return c.in.Placed(body, placed)
	}
	return c.in.Frame(body)
}

// openReceiver makes what understands frames. No earlier than it is needed: most of a
// large cluster's connections only tick.
func (c *conn) openReceiver() {
	c.in = dist.NewReceiver(c.peer.Flags, dist.ReceiveLimits{Message: c.node.config.MaxMessage})
	c.in.Alloc = c.node.slabs.alloc
	c.frames.place = c.in.Place
}

// message is the payload of a signal for whoever it is for, who may keep it.
func (c *conn) message(s *dist.Signal) Message {
	if s.Own {
		return Message{raw: s.Payload, from: &source{atoms: s.Atoms, slab: c.node.slabs.own(s.Payload)}}
	}
	c.kept = true
	from := c.source
	if from == nil || from.slab != c.slab || len(from.atoms) != len(s.Atoms) || len(s.Atoms) > 0 && &from.atoms[0] != &s.Atoms[0] {
		from = &source{atoms: s.Atoms, slab: c.slab, shared: c.slab.shared}
		c.source = from
	}
	return Message{raw: s.Payload, from: from}
}

// term is the payload of a signal for the connection itself.
func (c *conn) term(s *dist.Signal) (etf.Term, error) {
	m := Message{raw: s.Payload, from: &source{atoms: s.Atoms, shared: !s.Own && c.slab.shared}}
	if !s.Own && !m.copied() {
		c.kept = true
	}
	return m.Term()
}

// signalsPerRouse is how many messages may be kept back before those are woken that
// they are for. To wake somebody for each of many costs more than all else, and to lock
// the mailbox for each costs a third of what is left.
const signalsPerRouse = 64

// deliver puts a message in the mailbox of a process, with the next rouse at the latest
// and before anything else that concerns the process.
func (c *conn) deliver(p *Process, m Message) {
	if c.receiver != p {
		c.hand()
		c.receiver = p
	}
	c.batch = append(c.batch, m)
	if len(c.batch) == signalsPerRouse {
		c.rouse()
	}
}

// hand puts what deliver has kept back in the mailbox.
func (c *conn) hand() {
	p := c.receiver
	if p == nil {
		return
	}
	c.receiver = nil
	c.handed(p, p.mailbox.putQuietly(ordinary, c.batch...))
	clear(c.batch)
	c.batch = c.batch[:0]
}

// handed notes that p has got something.
func (c *conn) handed(p *Process, r reception) {
	switch {
	case p == c.caller:
		c.served = true
	case r.asleep:
		c.asleep = append(c.asleep, p)
	}
	if r.overflow {
		p.logOverflow()
	}
}

// rouse wakes the processes that have got something since the last one, and lets them
// run first: what they answer then goes out while this goroutine reads on.
func (c *conn) rouse() {
	c.hand()
	if len(c.asleep)+c.started == 0 {
		return
	}
	switch {
	case c.recent.crowded(c.started, c.asleep):
		c.crowd.Store(crowdLasts)
	case c.crowd.Load() > 0:
		c.crowd.Add(-1)
	}
	c.started = 0
	c.gatherFrom()
	for i, p := range c.asleep {
		p.mailbox.rouse()
		c.asleep[i] = nil
	}
	c.asleep = c.asleep[:0]
	start := time.Now()
	runtime.Gosched()
	c.overloaded = time.Since(start) > gatherTime
	c.flushGathered()
}

// gatherTime is how long the processes that were woken may have taken the last time, if
// what they send is to be gathered: where a great many are runnable, messages would wait
// for the turns of all.
const gatherTime = time.Millisecond

// gatherFrom has what is sent from now on wait until flushGathered. c.reading is held.
func (c *conn) gatherFrom() {
	if c.overloaded {
		return
	}
	c.mu.Lock()
	c.gather = true
	c.mu.Unlock()
}

// readError says in OTP's words why a socket could not be read.
func readError(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, net.ErrClosed) {
		return ErrPeerClosed
	}
	return err
}

// writeError does so for one that could not be written.
func writeError(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return ErrPeerClosed
	}
	return readError(err)
}
