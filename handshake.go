package truss

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/truss-beam/truss/dist"
)

// handshakeIO is the frames of a handshake over a socket, each step within the
// setup time. What is written goes out with the next read, or flush: a status and the
// challenge behind it wake the peer once.
type handshakeIO struct {
	socket net.Conn
	step   time.Duration
	prefix int    // bytes of length: 2, or over TLS 4 (inet_tls_dist.erl)
	out    []byte // not written yet
	in     []byte // read, and not returned yet; after the handshake it is the connection's
}

func (n *Node) handshakeOver(socket net.Conn) *handshakeIO {
	prefix := 2
	if n.config.TLS != nil {
		prefix = 4
	}
	return &handshakeIO{socket: socket, step: n.config.SetupTime, prefix: prefix}
}

func (h *handshakeIO) read() ([]byte, error) {
	if err := h.flush(); err != nil {
		return nil, err
	}
	for {
		body, err := h.next()
		if body != nil || err != nil {
			return body, err
		}
		h.in = slices.Grow(h.in, handshakeRead)
		n, err := h.socket.Read(h.in[len(h.in):cap(h.in)])
		h.in = h.in[:len(h.in)+n]
		if n == 0 && err != nil {
			if err == io.EOF && len(h.in) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// handshakeRead holds most handshakes.
const handshakeRead = 256

// next is the next frame if all of it has been read, else nil.
func (h *handshakeIO) next() ([]byte, error) {
	if len(h.in) < h.prefix {
		return nil, nil
	}
	var length [4]byte
	copy(length[4-h.prefix:], h.in)
	size := int(binary.BigEndian.Uint32(length[:]))
	if size > dist.MaxHandshakeFrame {
		return nil, fmt.Errorf("handshake frame of %d bytes; at most %d make sense", size, dist.MaxHandshakeFrame)
	}
	end := h.prefix + size
	if len(h.in) < end {
		return nil, nil
	}
	body := h.in[h.prefix:end:end]
	h.in = h.in[end:]
	return body, nil
}

// write appends the frame whose body appendBody makes to what is to be written.
func (h *handshakeIO) write(appendBody func([]byte) []byte) {
	start := len(h.out)
	frame := appendBody(append(h.out, 0, 0, 0, 0)[:start+h.prefix])
	size := len(frame) - start - h.prefix
	if h.prefix == 2 {
		binary.BigEndian.PutUint16(frame[start:], uint16(size))
	} else {
		binary.BigEndian.PutUint32(frame[start:], uint32(size))
	}
	h.out = frame
}

// flush writes what is to be written. The step that begins with it has its time.
func (h *handshakeIO) flush() error {
	_ = h.socket.SetDeadline(time.Now().Add(h.step))
	if len(h.out) == 0 {
		return nil
	}
	_, err := h.socket.Write(h.out)
	h.out = h.out[:0]
	return err
}

// finish ends the handshake: the connection has no deadline.
func (h *handshakeIO) finish() error {
	if err := h.flush(); err != nil {
		return err
	}
	return h.socket.SetDeadline(time.Time{})
}

// challenge is the random number a peer must digest to prove it has the cookie.
func challenge() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return binary.BigEndian.Uint32(b[:])
}

// dial carries out an attempt from our side. If the peer's dial takes the
// attempt over meanwhile, what becomes of ours does not matter.
func (n *Node) dial(ctx context.Context, name, addr string, a *attempt) {
	c, err := n.dialHandshake(ctx, name, addr, a)
	if err == nil {
		n.start(a, false, c)
		return
	}
	if errors.Is(err, dist.ErrNok) && n.peers.awaits(a) {
		err = n.awaitPeer(a, err)
	}
	if err != nil {
		n.log.Debug("connection attempt failed", "peer", name, "error", err)
		n.peers.finish(name, a, false, nil, err)
	}
}

// awaitPeer waits for the dial that a peer says goes before ours to take the
// attempt over. OTP waits as long.
func (n *Node) awaitPeer(a *attempt, refused error) error {
	timer := time.NewTimer(n.config.SetupTime)
	defer timer.Stop()
	select {
	case <-a.done:
		return nil
	case <-n.life.Done():
		return ErrClosed
	case <-timer.C:
		return fmt.Errorf("%w; waited %v for its own dial, which did not come", refused, n.config.SetupTime)
	}
}

// dialHandshake finds, dials and greets a peer.
func (n *Node) dialHandshake(ctx context.Context, name, addr string, a *attempt) (*conn, error) {
	stepCtx, cancel := context.WithTimeout(ctx, n.config.SetupTime)
	defer cancel()
	if addr == "" {
		var err error
		if addr, err = n.resolve(stepCtx, name); err != nil {
			return nil, err
		}
	}
	socket, err := n.config.Network.Dial(stepCtx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = socket.Close() })
	defer stop()
	if n.config.TLS != nil {
		if socket, err = n.dialTLS(stepCtx, socket, name); err != nil {
			return nil, err
		}
	}
	frames := n.handshakeOver(socket)
	result, err := n.initiate(frames, name, a)
	if err != nil {
		_ = socket.Close()
		return nil, err
	}
	return newConn(n, socket, result, frames.in), nil
}

// askName connects to the node that is to give this one its name, and takes the
// name (erl_dist_protocol, "named:").
func (n *Node) askName(ctx context.Context) (*conn, error) {
	giver := n.config.NameFrom
	c, err := n.dialHandshake(ctx, giver, "", new(attempt))
	if err != nil {
		return nil, fmt.Errorf("truss: no name from %s: %w", giver, err)
	}
	n.name, n.creation = c.peer.Local.Name, c.peer.Local.Creation
	n.log = n.config.Logger.With("node", n.name)
	return c, nil
}

// initiate plays the side that dialled (erl_dist_protocol, "Distribution
// Handshake").
func (n *Node) initiate(frames *handshakeIO, name string, a *attempt) (dist.Result, error) {
	h := dist.NewInitiator(n.self(), name, n.cookie(name), challenge())
	frames.write(h.AppendName)
	body, err := frames.read()
	if err != nil {
		return dist.Result{}, h.Broken(err)
	}
	status, err := h.Status(body)
	switch {
	case err != nil:
		return dist.Result{}, err
	case status == dist.StatusAlive && !n.peers.carries(a):
		// The connection it has is that of its own dial, made while ours was under
		// way. To insist would end it.
		return dist.Result{}, fmt.Errorf("%s has connected to us meanwhile", name)
	case status == dist.StatusAlive:
		// It still has the connection of our earlier incarnation, or one whose loss
		// it has not noticed: go on, as Erlang always does.
		frames.write(func(b []byte) []byte { return h.AppendAlive(b, true) })
	}
	if body, err = frames.read(); err != nil {
		return dist.Result{}, h.Broken(err)
	}
	if err := h.Challenge(body); err != nil {
		return dist.Result{}, err
	}
	frames.write(h.AppendReply)
	if body, err = frames.read(); err != nil {
		return dist.Result{}, h.Broken(err)
	}
	if err := h.Ack(body); err != nil {
		return dist.Result{}, err
	}
	return h.Result(), frames.finish()
}

// accept plays the side that was dialled, and starts the connection.
func (n *Node) accept(raw net.Conn) {
	leave := n.admission.enter(raw)
	defer leave()
	stop := context.AfterFunc(n.life, func() { _ = raw.Close() })
	defer stop()
	socket, err := raw, error(nil)
	if n.config.TLS != nil {
		socket, err = n.acceptTLS(raw)
	}
	if err == nil {
		err = n.acceptHandshake(socket)
	}
	if err != nil {
		_ = raw.Close()
		n.log.Info("incoming connection refused", "from", raw.RemoteAddr(), "error", err)
	}
}

func (n *Node) acceptHandshake(socket net.Conn) error {
	h := dist.NewAcceptor(n.self(), challenge())
	frames := n.handshakeOver(socket)
	body, err := frames.read()
	if err != nil {
		return h.Broken(err)
	}
	peer, err := h.Name(body)
	if err != nil {
		return refuse(frames, h, err)
	}
	err = n.checkTLSName(socket, peer.Name)
	if err == nil && !n.allows(peer.Name) {
		err = errNotAllowed
	}
	if err != nil {
		return refuse(frames, h, &dist.HandshakeError{Stage: dist.StageName, Peer: peer.Name, Answer: dist.StatusNotAllowed, Err: err})
	}
	a, err := n.greet(frames, h, &peer)
	if err != nil {
		return err
	}
	result, err := n.authenticate(frames, h, peer)
	if err != nil {
		n.peers.finish(peer.Name, a, true, nil, err)
		return err
	}
	n.start(a, true, newConn(n, socket, result, frames.in))
	return nil
}

// refuse answers a first message that cannot be accepted with the status OTP
// would give, if any.
func refuse(frames *handshakeIO, h *dist.Acceptor, err error) error {
	var wrong *dist.HandshakeError
	if errors.As(err, &wrong) && wrong.Answer != dist.StatusClose {
		frames.write(func(b []byte) []byte { return h.AppendStatus(b, wrong.Answer) })
		if err := frames.flush(); err != nil {
			return err
		}
	}
	return err
}

// greet sends the peer its status, and returns the attempt it carries from now
// on. A peer that asks for a name has one afterwards.
func (n *Node) greet(frames *handshakeIO, h *dist.Acceptor, peer *dist.Peer) (*attempt, error) {
	if peer.Dynamic {
		return n.giveName(frames, h, peer)
	}
	status, a := n.settle(peer.Name)
	if status == dist.StatusClose {
		return nil, fmt.Errorf("%s is already connecting", peer.Name)
	}
	frames.write(func(b []byte) []byte { return h.AppendStatus(b, status) })
	switch {
	case status == dist.StatusAlive:
		return n.alive(frames, h, peer.Name)
	case a == nil:
		if err := frames.flush(); err != nil {
			return nil, h.Broken(err)
		}
		return nil, fmt.Errorf("%s and we dialled each other at once; our dial goes on", peer.Name)
	}
	return a, nil
}

// settle is accepting, after any other handshake of the same peer is over. OTP
// closes such a connection without a word, so that a node which reconnects at
// once may find itself refused: it is a step ahead of our end of the handshake.
func (n *Node) settle(peer string) (dist.Status, *attempt) {
	timeout := time.NewTimer(n.config.SetupTime)
	defer timeout.Stop()
	for {
		status, a := n.peers.accepting(n.name, peer)
		if status != dist.StatusClose || a == nil {
			return status, a
		}
		select {
		case <-a.done:
		case <-timeout.C:
			return dist.StatusClose, nil
		case <-n.life.Done():
			return dist.StatusClose, nil
		}
	}
}

// alive waits for whether a peer that we have a connection to wants a new one.
// The old one stays up until the peer has shown that it has the cookie.
func (n *Node) alive(frames *handshakeIO, h *dist.Acceptor, peer string) (*attempt, error) {
	body, err := frames.read()
	if err != nil {
		return nil, h.Broken(err)
	}
	proceed, err := h.Alive(body)
	if err != nil {
		return nil, err
	}
	if !proceed {
		return nil, fmt.Errorf("%s keeps the connection there is", peer)
	}
	a := n.peers.insisted(peer)
	if a == nil {
		return nil, fmt.Errorf("%s is already connecting", peer)
	}
	return a, nil
}

// giveName makes up the name that a peer started without one asks for (erl -name
// undefined; status "named:"). It keeps the host the peer gave.
func (n *Node) giveName(frames *handshakeIO, h *dist.Acceptor, peer *dist.Peer) (*attempt, error) {
	peer.Name = rand.Text()[:13] + "@" + peer.Name
	peer.Creation = randomCreation()
	status, a := n.peers.accepting(n.name, peer.Name)
	if status != dist.StatusOK {
		return nil, ErrClosed // a name of 65 random bits was not taken: only Close is left
	}
	frames.write(func(b []byte) []byte { return h.AppendNamed(b, peer.Name, peer.Creation) })
	return a, nil
}

// authenticate is the rest of the acceptor's side.
func (n *Node) authenticate(frames *handshakeIO, h *dist.Acceptor, peer dist.Peer) (dist.Result, error) {
	frames.write(h.AppendChallenge)
	if peer.Old {
		body, err := frames.read()
		if err != nil {
			return dist.Result{}, h.Broken(err)
		}
		if err := h.Complement(body); err != nil {
			return dist.Result{}, err
		}
	}
	body, err := frames.read()
	if err != nil {
		return dist.Result{}, h.Broken(err)
	}
	if err := h.Reply(body, n.cookie(peer.Name)); err != nil {
		return dist.Result{}, err
	}
	frames.write(h.AppendAck)
	if err := frames.finish(); err != nil {
		return dist.Result{}, h.Broken(err)
	}
	return h.Result(), nil
}
