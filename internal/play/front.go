package play

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/truss-beam/truss/epmd"
)

// front is epmd as 127.0.0.1 has it. An erl registers with the epmd of its own
// machine, and that it looks for at 127.0.0.1, always (erl_epmd.erl); here all
// machines have the same 127.0.0.1. So the front passes a registration on to the
// epmd of the machine that it comes from, which it knows by the port that is
// registered: every BEAM machine is told to listen on a port of its own. All other
// requests, among them the registrations of nodes that are no machines of
// ours, such as an iex beside the play, go to an epmd at the home address.
type front struct {
	listener net.Listener
	port     int
	home     netip.Addr
	cancel   context.CancelFunc
	done     sync.WaitGroup

	mu       sync.Mutex // guards all following fields
	machines map[uint16]netip.Addr
	conns    map[net.Conn]struct{} // nil when closed
}

const (
	alive2Request = 120
	// epmdRequest is the longest request an epmd takes.
	epmdRequest = 3057
	// epmdPatience is how long a client may take to send its request.
	epmdPatience = 10 * time.Second
)

// openFront serves until close, and owns the listener.
func openFront(ctx context.Context, listener net.Listener, home netip.Addr, log *slog.Logger) (*front, error) {
	port := listener.Addr().(*net.TCPAddr).Port
	f := &front{listener: listener, port: port, home: home, machines: map[uint16]netip.Addr{}, conns: map[net.Conn]struct{}{}}
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := f.serveEpmd(ctx, home, log); err != nil {
		f.cancel()
		return nil, err
	}
	f.done.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			f.done.Go(func() { f.relay(conn) })
		}
	})
	return f, nil
}

// serveEpmd serves an epmd at one address until ctx ends.
func (f *front) serveEpmd(ctx context.Context, addr netip.Addr, log *slog.Logger) error {
	listeners, err := epmd.Listen(ctx, nil, []string{addr.String()}, f.port)
	if err != nil {
		return err
	}
	server := epmd.Server{Logger: log}
	f.done.Go(func() {
		if err := server.Serve(ctx, listeners...); err != nil {
			log.Error("an epmd failed", "address", addr, "error", err)
		}
	})
	return nil
}

// machine serves the epmd of a machine that listens on port, until stop is called.
func (f *front) machine(m spec, log *slog.Logger) (stop func(), err error) {
	ctx, cancel := context.WithCancel(context.Background())
	listeners, err := epmd.Listen(ctx, nil, []string{m.Addr.String()}, f.port)
	if err != nil {
		cancel()
		return nil, err
	}
	f.mu.Lock()
	f.machines[m.Port] = m.Addr
	f.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server := epmd.Server{Logger: log}
		if err := server.Serve(ctx, listeners...); err != nil {
			log.Error("the epmd of a machine failed", "machine", m.ID, "error", err)
		}
	}()
	return func() {
		f.mu.Lock()
		delete(f.machines, m.Port)
		f.mu.Unlock()
		cancel()
		<-ended
	}, nil
}

// relay passes on one connection.
func (f *front) relay(client net.Conn) {
	if !f.track(client) {
		return
	}
	defer f.untrack(client)
	_ = client.SetReadDeadline(time.Now().Add(epmdPatience))
	request, err := readRequest(client)
	if err != nil {
		return
	}
	_ = client.SetReadDeadline(time.Time{})
	server, err := net.DialTimeout("tcp", net.JoinHostPort(f.route(request).String(), strconv.Itoa(f.port)), epmdPatience)
	if err != nil {
		return
	}
	if !f.track(server) {
		return
	}
	defer f.untrack(server)
	if _, err := server.Write(request); err != nil {
		return
	}
	// A registration lasts as long as its connection: whichever side ends, ends it.
	f.done.Go(func() {
		_, _ = io.Copy(server, client)
		server.Close()
	})
	_, _ = io.Copy(client, server)
}

// readRequest returns a request with its length before it.
func readRequest(r io.Reader) ([]byte, error) {
	request := make([]byte, 2, 64)
	if _, err := io.ReadFull(r, request); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(request))
	if n > epmdRequest {
		return nil, io.ErrShortBuffer
	}
	request = append(request, make([]byte, n)...)
	_, err := io.ReadFull(r, request[2:])
	return request, err
}

// route says whose epmd a request is for.
func (f *front) route(request []byte) netip.Addr {
	if len(request) >= 5 && request[2] == alive2Request {
		f.mu.Lock()
		defer f.mu.Unlock()
		if addr, ok := f.machines[binary.BigEndian.Uint16(request[3:])]; ok {
			return addr
		}
	}
	return f.home
}

func (f *front) track(conn net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conns == nil {
		conn.Close()
		return false
	}
	f.conns[conn] = struct{}{}
	return true
}

func (f *front) untrack(conn net.Conn) {
	conn.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, conn)
}

func (f *front) close() {
	f.cancel()
	f.listener.Close()
	f.mu.Lock()
	for conn := range f.conns {
		conn.Close()
	}
	f.conns = nil
	f.mu.Unlock()
	f.done.Wait()
}
