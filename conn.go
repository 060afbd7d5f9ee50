package truss

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/etf"
)

// conn is a live connection to one peer, from the end of the handshake to its
// loss. Its reader goroutine acts on what arrives and, when the socket fails,
// ends everything that depended on it. Its writer goroutine writes what senders
// have queued; an idle connection has none.
type conn struct {
	// Set before the goroutines start, never changed.
	node   *Node
	name   string // the peer
	peer   dist.Result
	hidden bool // not among Nodes
	socket net.Conn
	raw    syscall.RawConn // of socket, if it can be read and written without waiting; else nil

	wake chan struct{} // capacity 1: the writer has something to write
	done chan struct{} // closed when the loss has been dealt with

	crowd    atomic.Int32 // not zero while what arrives is for more processes than may poll: see poll.go
	bulk     atomic.Bool  // the writer goroutine writes much, and reads as well: see conn_bulk_linux.go
	lost     atomic.Bool  // err is set, for who need not wait for mu
	received atomic.Int64 // bytes read, for the tick
	written  atomic.Int64 // bytes written, for the tick

	// reading guards what follows. Who holds it acts on what the peer has sent: the
	// reader goroutine, a process that waits (poll.go), or the writer goroutine between
	// large writes (conn_bulk_linux.go).
	reading    sync.Mutex
	frames     frameReader
	descriptor descriptor     // what frames reads, if raw
	in         *dist.Receiver // nil until the first frame that is no tick
	slab       *slab          // of the frame being acted on
	kept       bool           // somebody has kept some of that
	source     *source        // of the latest message
	caller     *Process       // who acts; nil for the reader goroutine
	served     bool           // there is something for the caller
	receiver   *Process       // whom batch is for
	batch      []Message      // kept back to be put in one mailbox at once
	asleep     []*Process     // to wake: they have got messages
	recent     recent         // who was woken last
	started    int            // processes that the peer has had started since the last rouse
	overloaded bool           // who was woken last took long: see gatherFrom

	ticks ticks // owned by the node's tick loop

	hope  hope      // of lingering; owned by the reader goroutine, as is since
	since time.Time // when it last found something, if it lingers

	chunks, unwritten net.Buffers // of one write; owned by the writer goroutine, as is short
	short             int         // for so many writes more keepShort limits what the socket takes

	// mu guards what follows. Senders encode under it, so that the order of the
	// atom cache's changes is the order on the wire.
	mu        sync.Mutex
	err       error                 // why the connection ended; no signal is queued once it is set
	out       *dist.Sender          // nil until the first signal
	control   dist.Control          // of the latest message, used again for the next
	queue     *dist.Buffer          // waits to be written
	spare     *dist.Buffer          // the other one of the two, nil while it is being written
	unsent    *dist.Buffer          // it, if a process has begun to write it, and not come to its end
	sent      int                   // how far it has come
	streams   []*stream             // large messages whose first fragment is queued or sent
	writing   bool                  // the writer goroutine is awake, or woken
	gather    bool                  // who acts on what has arrived will see to the queue in a moment: see rouse
	writer    bool                  // there is a writer goroutine
	dismissed bool                  // it is to end when it has written all
	space     chan struct{}         // closed when senders may queue again; nil if none waits
	idle      chan struct{}         // closed when all is written; nil if nobody waits
	related   map[*Process]struct{} // processes to tell of the loss

	spawnings map[etf.Ref]*spawning // requests to spawn that the peer has not answered
}

// stream is a large message on its way in fragments.
type stream struct {
	from  etf.Pid
	rest  *dist.Stream
	ended chan struct{}
	then  []func() // runtime signals of the same sender that must follow; run with conn.mu held
}

// newConn makes the connection that a handshake has opened. early is what was read
// behind it.
func newConn(n *Node, socket net.Conn, peer dist.Result, early []byte) *conn {
	c := &conn{
		node:   n,
		name:   peer.Peer.Name,
		peer:   peer,
		hidden: peer.Flags&dist.FlagPublished == 0,
		socket: socket,
		wake:   make(chan struct{}, 1),
		done:   make(chan struct{}),
		queue:  new(dist.Buffer),
		spare:  new(dist.Buffer),
	}
	c.frames = frameReader{
		from: socket, max: n.config.MaxMessage + frameOverhead, received: &c.received, slabs: &n.slabs,
	}
	c.frames.preload(early)
	c.openRaw()
	return c
}

// send queues one signal of a process. While too much is queued, or a large message of
// the same process is still going out, it waits for ctx.
func (c *conn) send(ctx context.Context, p *Process, ctl *dist.Control, payload any) error {
	if err := c.turn(ctx, p); err != nil {
		return err
	}
	err := c.append(ctl, payload)
	c.flushFor(p) // unlocks
	return err
}

// turn waits until p may queue a signal. c.mu is held when it returns, unless with an
// error.
func (c *conn) turn(ctx context.Context, p *Process) error {
	c.mu.Lock()
	for {
		if err := c.err; err != nil {
			c.mu.Unlock()
			return noConnection(c.name, err)
		}
		// Under c.mu: what ends a process queues its last signals, the exits and downs,
		// after this, so that nothing of a process's comes after its end. A LINK that
		// did would leave the peer's process linked to nobody for ever.
		if p.ended.Load() {
			c.mu.Unlock()
			return fmt.Errorf("truss: nothing sent, %v has ended: %w", p.pid, ErrNoProcess)
		}
		wait := c.mustWait(p.pid)
		if wait == nil {
			return nil
		}
		c.mu.Unlock()
		select {
		case <-wait:
		case <-c.done:
		case <-ctx.Done():
			return fmt.Errorf("truss: nothing sent, %s does not read fast enough: %w", c.name, context.Cause(ctx))
		}
		c.mu.Lock()
	}
}

// mustWait returns what a sender has to wait for before it may queue more, or
// nil. c.mu is held.
func (c *conn) mustWait(from etf.Pid) <-chan struct{} {
	if s := c.streamOf(from); s != nil {
		return s.ended
	}
	if c.queued() < c.node.config.SendBuffer {
		return nil
	}
	if c.space == nil {
		c.space = make(chan struct{})
	}
	return c.space
}

func (c *conn) streamOf(from etf.Pid) *stream {
	for _, s := range c.streams {
		if s.from == from {
			return s
		}
	}
	return nil
}

// queued is how many bytes a signal that is queued now finds before it, which of
// a large message is at most what goes into one write. To count all of it would
// have a 10 MB message hold up everybody's small ones; its own sender waits for
// it in any case. c.mu is held.
func (c *conn) queued() int {
	n := c.queue.Len()
	for _, s := range c.streams {
		n += min(s.rest.Len(), fragmentsPerWrite)
	}
	return n
}

// signal queues one signal of the runtime: an exit, a down, an acknowledgement.
// It never waits, for it is also called by reader goroutines; the number of such
// signals is bounded by that of links, monitors and requests. On a connection
// that is lost it does nothing: whom the signal is for learns of the loss.
func (c *conn) signal(ctl *dist.Control, payload any) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	if s := c.streamOf(ctl.From); s != nil {
		kept := *ctl
		s.then = append(s.then, func() { c.appendSignal(&kept, payload) })
		c.mu.Unlock()
		return
	}
	c.appendSignal(ctl, payload)
	c.flush() // unlocks
}

// appendSignal queues a runtime signal. Only its payload can fail to encode, an
// exit reason of a user's making: then the reason says so. A signal that the
// peer has not negotiated to understand is dropped, as OTP does.
func (c *conn) appendSignal(ctl *dist.Control, payload any) {
	err := c.append(ctl, payload)
	if err == nil || errors.Is(err, dist.ErrNotNegotiated) {
		return
	}
	c.node.log.Error("exit reason cannot be encoded", "peer", c.name, "error", err)
	if err := c.append(ctl, etf.Tuple{etf.Atom("bad_exit_reason"), err.Error()}); err != nil {
		c.failLocked(err)
	}
}

// append encodes one signal onto the queue. c.mu is held.
func (c *conn) append(ctl *dist.Control, payload any) error {
	if c.fatal(ctl) {
		return nil
	}
	if c.out == nil { // no earlier: see relate
		c.out = dist.NewSender(c.peer.Flags)
	}
	rest, err := c.out.Append(c.queue, ctl, payload)
	if err != nil {
		return fmt.Errorf("truss: cannot send to %s: %w", c.name, err)
	}
	if rest != nil {
		c.streams = append(c.streams, &stream{from: ctl.From, rest: rest, ended: make(chan struct{})})
	}
	return nil
}

// fatal tells whether OTP would end the connection over a signal: one of those
// of links, other than LINK, to a pid that an earlier incarnation of the peer
// had. There is nobody to get it. A process comes to send one when it links to
// such a pid and unlinks or ends before it has learnt that there is no process.
func (c *conn) fatal(ctl *dist.Control) bool {
	switch ctl.Op {
	case dist.OpExit, dist.OpPayloadExit, dist.OpUnlinkID, dist.OpUnlinkIDAck:
		return ctl.To.Creation != c.peer.Peer.Creation
	}
	return false
}

// relate notes that p has a link or monitor over this connection, so that it
// learns of the loss; false if the connection is lost already, or p dead.
func (c *conn) relate(p *Process) bool {
	c.mu.Lock()
	lost := c.err != nil
	if !lost {
		if c.related == nil { // no earlier: most of a large cluster's links only tick
			c.related = make(map[*Process]struct{})
		}
		c.related[p] = struct{}{}
	}
	c.mu.Unlock()
	if lost {
		return false
	}
	if !p.relatedTo(c) {
		c.unrelate(p)
		return false
	}
	return true
}

// unrelate forgets a process that has ended.
func (c *conn) unrelate(p *Process) {
	c.mu.Lock()
	delete(c.related, p)
	c.mu.Unlock()
}

// relatives are the processes that have, or had, links or monitors over c.
func (c *conn) relatives() []*Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Keys(c.related))
}

// sendRelated sends a signal that makes a link or monitor of p.
func (c *conn) sendRelated(ctx context.Context, p *Process, ctl *dist.Control) error {
	if !c.relate(p) {
		return noConnection(c.name, nil)
	}
	return c.send(ctx, p, ctl, nil)
}

// fail ends the connection for the reason err. Only the first reason counts; the
// reader goroutine does the rest.
func (c *conn) fail(err error) {
	c.mu.Lock()
	c.failLocked(err)
	c.mu.Unlock()
}

func (c *conn) failLocked(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	c.lost.Store(true)
	if c.raw == nil {
		_ = c.socket.Close() // what it returns adds nothing to err
		return
	}
	// Close would wait for who acts on what has arrived, and that for c.mu: the
	// reader goroutine closes.
	_ = c.socket.SetDeadline(time.Unix(1, 0))
}

// reason is why the connection ended, nil while it lives.
func (c *conn) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
