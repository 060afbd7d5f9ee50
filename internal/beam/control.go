package beam

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"sync"
)

// Requests and replies as agent.erl has them.
const (
	opErlang = 'e'
	opElixir = 'x'
	opGiveUp = 'k'

	statusValue = 'o'
	statusError = 'e'
	statusHello = 'h'
)

// replyLimit guards against a broken agent, not against large values.
const replyLimit = 256 << 20

var errControlClosed = errors.New("the control channel is closed")

// control is the harness's end of the two pipes to the agent. One goroutine
// reads; it ends when the BEAM does, for then the pipe closes.
type control struct {
	requests io.WriteCloser
	replies  io.ReadCloser
	hello    chan struct{} // closed by the agent's first frame

	write sync.Mutex // one frame at a time; may block while the agent is paused

	mu      sync.Mutex // guards all following fields
	last    uint32
	pending map[uint32]chan<- reply
	closed  bool
}

type reply struct {
	status byte
	text   string
}

func newControl(requests io.WriteCloser, replies io.ReadCloser) *control {
	c := &control{requests: requests, replies: replies, hello: make(chan struct{}), pending: map[uint32]chan<- reply{}}
	go c.read()
	return c
}

// close is for nodes that are dead; the reader then has closed the rest.
func (c *control) close() { c.requests.Close() }

// send hands a request to the agent. The channel yields its reply, or is closed
// without one when the BEAM ends.
func (c *control) send(op byte, process uint32, text string) (uint32, <-chan reply, error) {
	answer := make(chan reply, 1)
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return 0, nil, errControlClosed
	}
	c.last++
	id := c.last
	c.pending[id] = answer
	c.mu.Unlock()
	return id, answer, c.frame(id, op, process, text)
}

// giveUp forgets a request and has the agent kill what works on it.
func (c *control) giveUp(id uint32) {
	c.mu.Lock()
	delete(c.pending, id)
	c.mu.Unlock()
	c.frame(id, opGiveUp, 0, "")
}

func (c *control) frame(id uint32, op byte, process uint32, text string) error {
	b := binary.BigEndian.AppendUint32(nil, uint32(9+len(text)))
	b = binary.BigEndian.AppendUint32(b, id)
	b = append(b, op)
	b = binary.BigEndian.AppendUint32(b, process)
	b = append(b, text...)
	c.write.Lock()
	defer c.write.Unlock()
	_, err := c.requests.Write(b)
	return err
}

func (c *control) read() {
	r := bufio.NewReader(c.replies)
	for {
		id, answer, err := readReply(r)
		if err != nil {
			break
		}
		if answer.status == statusHello {
			close(c.hello)
			continue
		}
		c.mu.Lock()
		waiting := c.pending[id]
		delete(c.pending, id)
		c.mu.Unlock()
		if waiting != nil {
			waiting <- answer
		}
	}
	c.replies.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, waiting := range c.pending {
		close(waiting)
	}
	clear(c.pending)
}

func readReply(r io.Reader) (uint32, reply, error) {
	var head [9]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, reply{}, err
	}
	length := binary.BigEndian.Uint32(head[:4])
	if length < 5 || length > replyLimit {
		return 0, reply{}, errors.New("a reply of impossible length")
	}
	text := make([]byte, length-5)
	if _, err := io.ReadFull(r, text); err != nil {
		return 0, reply{}, err
	}
	return binary.BigEndian.Uint32(head[4:8]), reply{status: head[8], text: string(text)}, nil
}
