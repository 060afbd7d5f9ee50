package epmd

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

// handle serves one connection: one request, one answer, and the end, unless it
// registered a name, which it then holds until the peer closes it or says
// anything more.
func (v *serving) handle(c net.Conn, local bool, fd int) {
	// One deadline for all: a peer that trickles bytes gets no more time than a
	// silent one.
	c.SetDeadline(time.Now().Add(v.IdleTimeout))
	body, err := readRequest(c)
	if err != nil {
		v.Logger.Debug("epmd: no request", "peer", c.RemoteAddr(), "error", err)
		return
	}
	// A small buffer: an answer may be a megabyte, and there may be 2048 readers
	// who take their time.
	x := &exchange{serving: v, conn: c, local: local, fd: fd, out: bufio.NewWriterSize(c, 512)}
	if x.local || body[0] == opPortPlease2 || body[0] == opNames {
		err = x.answer(body)
	} else {
		err = errors.New("only local peers may ask that")
	}
	defer x.end()
	if err == nil {
		err = x.out.Flush()
	}
	if err != nil {
		v.Logger.Debug("epmd: request not answered", "peer", c.RemoteAddr(), "request", body[0], "error", err)
		return
	}
	if x.hold {
		x.wait()
	}
}

// exchange is one request and its answer. One goroutine owns it.
type exchange struct {
	*serving
	conn  net.Conn
	local bool
	fd    int
	out   *bufio.Writer

	held *holding // the name it registered
	hold bool     // the connection stays open behind the answer
	kill bool     // the answer is the server's last
}

func (x *exchange) answer(body []byte) error {
	switch body[0] {
	case opAlive2:
		return x.alive(body)
	case opPortPlease2:
		return x.portPlease(body)
	case opNames:
		return x.list(false)
	case opDump:
		return x.list(true)
	case opKill:
		return x.killServer()
	case opStop:
		return x.stopName(body)
	}
	return fmt.Errorf("no such request: %d", body[0])
}

func (x *exchange) alive(body []byte) error {
	req, err := parseAlive(body)
	if err != nil {
		return err
	}
	x.mu.Lock()
	h := x.mu.names.register(req, x.fd, x.fresh())
	if h != nil {
		h.drop = func() { x.conn.Close() }
	}
	x.mu.Unlock()
	creation := uint32(refusedCreation)
	if h != nil {
		creation = h.shownCreation()
		x.Logger.Info("epmd: registered", "name", h.name, "port", h.port, "creation", creation)
	}
	x.held, x.hold = h, true
	_, err = x.out.Write(appendAliveReply(x.out.AvailableBuffer(), req.high, h == nil, creation))
	return err
}

// wait holds the connection. One that was refused its name is also left open, as
// Erlang's epmd does, but not for ever.
func (x *exchange) wait() {
	if x.held != nil {
		x.conn.SetDeadline(time.Time{})
	}
	var one [1]byte
	x.conn.Read(one[:]) // whatever it returns, that is the end
}

// end undoes a registration, and does what had to wait for the answer to be sent.
func (x *exchange) end() {
	if x.held != nil {
		x.mu.Lock()
		x.mu.names.unregister(x.held)
		x.mu.Unlock()
		x.Logger.Info("epmd: unregistered", "name", x.held.name)
	}
	if x.kill {
		x.Logger.Info("epmd: killed by request")
		x.stop()
	}
}

func (x *exchange) portPlease(body []byte) error {
	name, err := parsePortPlease(body)
	if err != nil {
		return err
	}
	var found *aliveRequest
	x.mu.Lock()
	if h := x.mu.names.byName[name]; h != nil {
		found = &h.aliveRequest
	}
	x.mu.Unlock()
	_, err = x.out.Write(appendPortReply(x.out.AvailableBuffer(), found))
	return err
}

// list answers NAMES_REQ, and DUMP_REQ with the names of the past. It copies
// pointers under the lock and writes without it.
func (x *exchange) list(dump bool) error {
	var past []*holding
	x.mu.Lock()
	live := slices.Clone(x.mu.names.live)
	if dump {
		past = slices.Clone(x.mu.names.past)
	}
	x.mu.Unlock()
	slices.Reverse(live)

	port := addrPort(x.conn.LocalAddr()).Port()
	_, err := x.out.Write(binary.BigEndian.AppendUint32(nil, uint32(port)))
	for _, h := range live {
		line := x.out.AvailableBuffer()
		if dump {
			line = appendDumpLine(line, &h.aliveRequest, h.fd, true)
		} else {
			line = appendNameLine(line, &h.aliveRequest)
		}
		if _, err = x.out.Write(line); err != nil {
			return err
		}
	}
	for _, h := range past {
		if _, err = x.out.Write(appendDumpLine(x.out.AvailableBuffer(), &h.aliveRequest, h.fd, false)); err != nil {
			return err
		}
	}
	return err
}

func (x *exchange) killServer() error {
	x.mu.Lock()
	busy := len(x.mu.names.live) > 0
	x.mu.Unlock()
	word := killed
	if busy && !x.Relaxed {
		word = notNow
	}
	x.kill = word == killed
	_, err := x.out.WriteString(word)
	return err
}

func (x *exchange) stopName(body []byte) error {
	if !x.Relaxed || len(body) < 2 {
		return errors.New("stopping names needs the relaxed check and a name")
	}
	x.mu.Lock()
	h := x.mu.names.byName[stopName(body)]
	if h != nil {
		x.mu.names.unregister(h)
	}
	x.mu.Unlock()
	if h == nil {
		_, err := x.out.WriteString(notThere + stopped)
		return err
	}
	h.drop()
	_, err := x.out.WriteString(stopped)
	return err
}
