// Command least is the floor of what OTP's messages can come in at: a program that says what a
// node has to say to be connected to, and then only takes what arrives out of its
// frames, with package dist, where it is read. It has no processes, no mailboxes and
// no goroutine to wake, and drives nothing.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/bench/otp"
	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/epmd"
	"github.com/truss-beam/truss/etf"
)

func main() {
	contender.Program{Serve: serve, Drive: func(contender.Job) (contender.Figures, error) {
		return nil, errors.New("it only receives")
	}}.Main()
}

func serve(j contender.Job) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	alive, _, _ := strings.Cut(j.Name, "@")
	client := epmd.Client{Port: j.EPMD}
	registered, err := client.Register(context.Background(), "127.0.0.1", epmd.Registration{
		Name: alive, Port: uint16(listener.Addr().(*net.TCPAddr).Port), Hidden: true,
	})
	if err != nil {
		return "", err
	}
	// Hidden, so that nobody asks for a part in global.
	local := dist.Local{Name: j.Name, Flags: dist.FlagsSupported &^ dist.FlagPublished, Creation: registered.Creation()}
	go func() {
		for {
			socket, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer socket.Close()
				_ = answer(socket, local) // the driver notices
			}()
		}
	}()
	return j.Name, nil
}

// answer receives over one connection until it ends.
func answer(socket net.Conn, local dist.Local) error {
	in := bufio.NewReaderSize(socket, 64<<10)
	acceptor := dist.NewAcceptor(local, 1)
	if err := shake(in, socket, acceptor); err != nil {
		return err
	}
	flags := acceptor.Result().Flags
	l := &least{
		self: etf.Pid{Node: etf.Atom(local.Name), ID: 1, Creation: local.Creation},
		in:   dist.NewReceiver(flags, dist.ReceiveLimits{}), out: dist.NewSender(flags), socket: socket,
	}
	var body []byte
	for {
		var head [4]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return err
		}
		n := int(binary.BigEndian.Uint32(head[:]))
		if cap(body) < n {
			body = make([]byte, n)
		}
		body = body[:n]
		if _, err := io.ReadFull(in, body); err != nil {
			return err
		}
		signal, err := l.in.Frame(body)
		if err != nil {
			return err
		}
		if signal != nil {
			if err := l.receive(signal); err != nil {
				return err
			}
		}
	}
}

// shake is the handshake of a node that is connected to.
func shake(in io.Reader, out io.Writer, a *dist.Acceptor) error {
	name, err := handshakeFrame(in)
	if err != nil {
		return err
	}
	if _, err := a.Name(name); err != nil {
		return err
	}
	for _, body := range [][]byte{a.AppendStatus(nil, dist.StatusOK), a.AppendChallenge(nil)} {
		if err := writeHandshake(out, body); err != nil {
			return err
		}
	}
	reply, err := handshakeFrame(in)
	if err != nil {
		return err
	}
	if err := a.Reply(reply, otp.Cookie); err != nil {
		return err
	}
	return writeHandshake(out, a.AppendAck(nil))
}

func handshakeFrame(r io.Reader) ([]byte, error) {
	var n uint16
	if err := binary.Read(r, binary.BigEndian, &n); err != nil {
		return nil, err
	}
	body := make([]byte, n)
	_, err := io.ReadFull(r, body)
	return body, err
}

func writeHandshake(w io.Writer, body []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...))
	return err
}

// least is one connection. All it has received for goes to self.
type least struct {
	self   etf.Pid
	in     *dist.Receiver
	out    *dist.Sender
	socket net.Conn

	from       etf.Pid // who wants to know
	tuples     bool
	want       uint64
	count, sum uint64
	dec        etf.Decoder
	reading    reading // the latest
}

// The messages between the nodes: see package contender.
type start struct {
	_         struct{} `etf:"start,tuple"`
	From      etf.Pid
	Kind      etf.Atom
	Receivers int
	Each      uint64
}

type reading struct {
	_     struct{} `etf:"reading,tuple"`
	N     uint64
	State etf.Atom
}

func (l *least) receive(s *dist.Signal) error {
	l.dec.Reset(s.Payload, s.Atoms)
	switch {
	case s.Control.Op == dist.OpRegSend && s.Control.ToName == "sink":
		var request start
		if err := l.dec.Unmarshal(&request); err != nil {
			return err
		}
		if request.Receivers != 1 {
			return fmt.Errorf("%d receivers", request.Receivers)
		}
		l.from, l.want, l.count, l.sum = request.From, request.Each, 0, 0
		l.tuples = request.Kind == "tuple"
		return l.send(etf.Tuple{etf.Atom("ready"), etf.List{l.self}})
	case (s.Control.Op == dist.OpSendSender || s.Control.Op == dist.OpSend) && s.Control.To == l.self:
		if err := l.add(); err != nil {
			return err
		}
		if l.count++; l.count == l.want {
			return l.send(etf.Tuple{etf.Atom("done"), l.count, l.sum})
		}
	}
	return nil // for a node there would be more
}

// add adds the message that dec is at to the sum.
func (l *least) add() error {
	if l.tuples {
		if err := l.dec.Unmarshal(&l.reading); err != nil {
			return err
		}
		l.sum += l.reading.N
		return nil
	}
	b, err := l.dec.Binary()
	l.sum += contender.Sum(b)
	return err
}

func (l *least) send(message any) error {
	var b dist.Buffer
	if _, err := l.out.Append(&b, &dist.Control{Op: dist.OpSendSender, From: l.self, To: l.from}, message); err != nil {
		return err
	}
	chunks := net.Buffers(b.Chunks(nil))
	_, err := chunks.WriteTo(l.socket)
	return err
}
