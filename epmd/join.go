package epmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Mode says what Join may do where there is no epmd, or where there is one.
type Mode int

const (
	ModeAuto  Mode = iota // join the epmd that is there, else serve one in this process
	ModeJoin              // only join: somebody else runs epmd
	ModeServe             // only serve: fail where there is one already
)

// Config says who joins which epmd. Only Name is needed.
type Config struct {
	Name   string // the part of the node's name before the @
	Port   uint16 // where the node listens
	Hidden bool
	Extra  []byte // see Registration
	Mode   Mode

	// Addr is the epmd to register with: an IP address or host of this machine,
	// with or without a port. "": 127.0.0.1, and ::1 where that does not answer.
	// Without a port: ERL_EPMD_PORT, else 4369.
	Addr string

	// ListenAddrs are the IP addresses to serve at, exactly these, so one of them
	// has to be Addr's; the port is Addr's. nil: ERL_EPMD_ADDRESS and loopback if
	// that is set; else Addr alone if that is neither empty nor 127.0.0.1 nor
	// ::1, for several "machines" on one loopback; else all addresses.
	ListenAddrs []string

	// Server configures the epmd to serve, if it comes to that. Its nil Logger is this one's.
	Server Server

	Dial   Dialer
	Listen ListenFunc
	Logger *slog.Logger // nil: nothing is logged
}

// Retries are 200 to 500 ms apart, at random. The programs of a host lose
// their epmd in the same instant; spread out, one binds the port and the others
// find it there. OTP's own nodes come back every 2 s, so a host is whole
// again within about that.
const (
	retryMin    = 200 * time.Millisecond
	retryJitter = 300 * time.Millisecond

	// joinTimeout bounds Join where epmd is neither there nor gone: others are just
	// starting one, or it does not answer.
	joinTimeout = 5 * time.Second
)

// Membership is one name kept registered, whatever happens to the epmd that
// holds it.
type Membership struct {
	creation uint32 // fixed: that of the first registration
	site     site
	client   Client
	node     Registration
	mode     Mode
	server   Server
	listen   ListenFunc
	log      *slog.Logger

	cancel  context.CancelFunc
	running sync.WaitGroup // keep, and the server if there is one
	serving atomic.Bool

	reg *Registered // owned by Join, then by keep
}

// site is where epmd is and what it binds.
type site struct {
	hosts []string // to dial, in this order
	port  int
	bind  []string // nil: all addresses
}

// Join registers a name on this host and keeps it registered until Close. It
// returns once the name is registered; ctx bounds that, not the membership.
//
// The errors of this first time are final: ErrNameTaken, ErrUnreachable in
// ModeJoin, and what listening said where this process had to serve and could
// not. Later trouble is logged and tried again every 200 to 500 ms.
func Join(ctx context.Context, cfg Config) (*Membership, error) {
	at, err := cfg.site()
	if err != nil {
		return nil, err
	}
	m := &Membership{
		site:   at,
		client: Client{Port: at.port, Dial: cfg.Dial, Timeout: 2 * time.Second},
		node:   Registration{Name: cfg.Name, Port: cfg.Port, Hidden: cfg.Hidden, Extra: append([]byte(nil), cfg.Extra...)},
		mode:   cfg.Mode,
		server: cfg.Server,
		listen: cfg.Listen,
		log:    orDiscard(cfg.Logger),
	}
	if m.server.Logger == nil {
		m.server.Logger = m.log
	}
	if _, err := m.node.request(); err != nil {
		return nil, err
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	m.cancel = cancel
	if err := m.first(ctx, life); err != nil {
		cancel()
		m.running.Wait()
		return nil, err
	}
	m.creation = m.reg.Creation()
	m.running.Go(func() { m.keep(life) })
	return m, nil
}

// first registers for the first time. Only what may pass by itself is tried again.
func (m *Membership) first(ctx, life context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	for {
		err := m.attempt(ctx, life)
		var again *retryError
		if !errors.As(err, &again) {
			return err
		}
		if !pause(ctx) {
			return fmt.Errorf("registering %s: %w (%w)", m.node.Name, again.cause, ctx.Err())
		}
	}
}

// retryError is a failure that the next attempt may not meet.
type retryError struct{ cause error }

func (e *retryError) Error() string { return e.cause.Error() }
func (e *retryError) Unwrap() error { return e.cause }

// attempt registers once, and serves where that is needed and allowed.
func (m *Membership) attempt(ctx, life context.Context) error {
	if m.mode == ModeServe && !m.serving.Load() {
		if err := m.serve(ctx, life); err != nil {
			return fmt.Errorf("serving epmd, as configured: %w", err)
		}
	}
	err := m.register(ctx)
	if err == nil || errors.Is(err, ErrNameTaken) || ctx.Err() != nil {
		return err
	}
	if !errors.Is(err, ErrUnreachable) {
		return &retryError{err} // somebody was there: perhaps dying, perhaps too busy
	}
	if m.mode != ModeAuto || m.serving.Load() {
		return err
	}
	switch errServe := m.serve(ctx, life); {
	case addrInUse(errServe):
		return &retryError{fmt.Errorf("%w; the port is bound, though", err)}
	case errServe != nil:
		return fmt.Errorf("%w; and none can be served: %w", err, errServe)
	}
	return m.register(ctx)
}

func (m *Membership) register(ctx context.Context) error {
	var first error
	for _, host := range m.site.hosts {
		reg, err := m.client.Register(ctx, host, m.node)
		if err == nil {
			m.reg = reg
			m.log.Info("epmd: joined", "name", m.node.Name, "epmd", net.JoinHostPort(host, strconv.Itoa(m.site.port)), "serving", m.serving.Load())
			return nil
		}
		if !errors.Is(err, ErrUnreachable) {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// serve starts an epmd in this process. It ends with the membership.
func (m *Membership) serve(ctx, life context.Context) error {
	listeners, err := Listen(ctx, m.listen, m.site.bind, m.site.port)
	if err != nil {
		return err
	}
	m.serving.Store(true)
	m.log.Info("epmd: serving", "port", m.site.port, "addrs", m.site.bind)
	m.running.Go(func() {
		err := m.server.Serve(life, listeners...)
		m.serving.Store(false)
		if life.Err() == nil {
			m.log.Warn("epmd: no longer serving", "error", err)
		}
	})
	return nil
}

// keep registers again whenever the registration is lost.
func (m *Membership) keep(life context.Context) {
	for {
		select {
		case <-life.Done():
			m.reg.Close()
			return
		case <-m.reg.Done():
		}
		m.log.Warn("epmd: registration lost", "name", m.node.Name, "error", m.reg.Err())
		last := ""
		for {
			if !pause(life) {
				return
			}
			err := m.attempt(life, life)
			if err == nil {
				break
			}
			if text := err.Error(); text != last { // every 350 ms the same line helps nobody
				m.log.Warn("epmd: not registered", "name", m.node.Name, "error", err)
				last = text
			}
		}
	}
}

// pause waits before a retry; false means that ctx ended.
func pause(ctx context.Context) bool {
	t := time.NewTimer(retryMin + rand.N(retryJitter))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Creation is that of the first registration; it never changes.
func (m *Membership) Creation() uint32 { return m.creation }

// Serving says whether the epmd of this host is in this process, now.
func (m *Membership) Serving() bool { return m.serving.Load() }

// Close gives the name up. If this process served, the others on the host have
// an epmd again within about half a second.
func (m *Membership) Close() error {
	m.cancel()
	m.running.Wait()
	return nil
}
