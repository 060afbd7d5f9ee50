package epmd

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Server is an epmd that real BEAM nodes cannot tell from their own. Its fields
// are its configuration and the zero value is a good one; each call of Serve
// copies them and is an epmd of its own.
//
// Anybody may look up and list names. Registering, dumping, killing and stopping
// are for local peers: those that come from a loopback address or from the very
// address they came to. Others get no answer.
type Server struct {
	// Relaxed is epmd's -relaxed_command_check: local peers may kill an epmd that
	// holds names, and stop (unregister) names of others.
	Relaxed bool

	// IdleTimeout is how long a connection may take to send its request and read
	// the answer, as epmd's -packet_timeout. 0: 60 s. A registered connection
	// has no limit.
	IdleTimeout time.Duration

	// MaxConns is how many connections there may be, registered ones included; of
	// these, other hosts get at most half, so that they cannot keep this host's
	// nodes from registering. 0: 2048. One more is closed at once.
	MaxConns int

	// MaxNames is how many names there may be. 0: 1024.
	MaxNames int

	// Logger hears of names at level Info and of rejected requests at Debug. nil: nothing is logged.
	Logger *slog.Logger

	fresh func() uint32 // creation of a name that is new; nil: any
}

func (s Server) withDefaults() Server {
	if s.IdleTimeout <= 0 {
		s.IdleTimeout = 60 * time.Second
	}
	if s.MaxConns <= 0 {
		s.MaxConns = 2048
	}
	if s.MaxNames <= 0 {
		s.MaxNames = 1024
	}
	s.Logger = orDiscard(s.Logger)
	if s.fresh == nil {
		// OTP's epmd takes the Unix time plus one, and outlives the nodes it serves. This
		// one may end with its node, which may be back within the same second: with the
		// same creation, the pids of its last life would be those of new processes.
		s.fresh = rand.Uint32
	}
	return s
}

func orDiscard(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}

// Serve answers on all listeners until ctx ends or a local peer kills it (both
// return nil) or a listener fails. It owns the listeners: it closes them and
// every connection before it returns.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	v := &serving{Server: s.withDefaults(), stop: stop}
	v.mu.names = newRegistry(v.MaxNames)
	v.mu.conns = map[net.Conn]bool{}

	failures := make(chan error, len(listeners))
	var running sync.WaitGroup
	for _, l := range listeners {
		running.Go(func() {
			failures <- v.accept(ctx, l)
			stop() // one listener less is no epmd: half of the nodes would not find us
		})
	}
	<-ctx.Done()
	closeAll(listeners)
	running.Wait()
	v.closeConns() // after the last was admitted
	v.handlers.Wait()
	close(failures)
	var first error
	for err := range failures {
		if err != nil && first == nil {
			first = err
		}
	}
	return first
}

// serving is one call of Serve.
//
// Server and stop are fixed. Any goroutine may call admit, leave and answer.
type serving struct {
	Server
	stop     context.CancelFunc
	handlers sync.WaitGroup // one per connection

	mu struct {
		sync.Mutex
		names  registry
		conns  map[net.Conn]bool // whether it is local
		remote int               // how many are not
		lastFD int
	}
}

// accept takes connections until ctx ends, which yields nil.
func (v *serving) accept(ctx context.Context, l net.Listener) error {
	for pause := 5 * time.Millisecond; ; {
		c, err := l.Accept()
		if err == nil {
			pause = 5 * time.Millisecond
			v.admit(ctx, c)
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		// Out of file descriptors, or a client that went away in the backlog: it
		// passes, and giving up would take the names of the whole host away.
		var passing interface{ Temporary() bool }
		if !errors.As(err, &passing) || !passing.Temporary() {
			return err
		}
		v.Logger.Warn("epmd: accept failed", "error", err, "pause", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, time.Second)
	}
}

// admit starts a handler for a connection, if the limits allow it.
func (v *serving) admit(ctx context.Context, c net.Conn) {
	local := localPeer(c)
	v.mu.Lock()
	room := len(v.mu.conns) < v.MaxConns && (local || v.mu.remote < v.MaxConns/2)
	if room && ctx.Err() == nil {
		v.mu.conns[c] = local
		if !local {
			v.mu.remote++
		}
		v.mu.lastFD++
		fd := v.mu.lastFD
		v.handlers.Go(func() {
			defer v.leave(c)
			v.handle(c, local, fd)
		})
	}
	v.mu.Unlock()
	if !room || ctx.Err() != nil {
		v.Logger.Debug("epmd: too many connections", "peer", c.RemoteAddr())
		c.Close()
	}
}

func (v *serving) leave(c net.Conn) {
	c.Close()
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.mu.conns[c] {
		v.mu.remote--
	}
	delete(v.mu.conns, c)
}

func (v *serving) closeConns() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for c := range v.mu.conns {
		c.Close()
	}
}
