package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// Strategy says which children are started anew when one has ended.
type Strategy int

const (
	OneForOne  Strategy = iota // that one alone
	RestForOne                 // it and those after it, which are stopped first
	OneForAll                  // all of them, of which the others are stopped first
)

// Config says how a supervisor goes about it. The zero value is what Elixir's
// Supervisor does by default.
type Config struct {
	Strategy Strategy

	// Restarts is how often within Period children may be started anew; once more,
	// and the supervisor stops them all and ends with reason shutdown. Default 3;
	// negative for never.
	Restarts int
	// Period is the time that restarts are counted in. Default 5 s.
	Period time.Duration

	// Logger gets each restart, and why. Default slog.Default().
	Logger *slog.Logger
}

// Restart says when a child is to be started anew.
type Restart int

const (
	Permanent Restart = iota // whenever it ends
	Transient                // when it fails: with a reason other than normal, shutdown and {shutdown, _}
	Temporary                // never
)

// Child is a process to keep running.
type Child struct {
	// Name is for the log and which_children. It is no registered name: that is an
	// option.
	Name string
	// Run is the process. It is called once for each incarnation, so what it needs
	// afresh it makes itself.
	Run     truss.ProcessFunc
	Options []truss.SpawnOption
	Restart Restart

	// Shutdown is how long Run may take to return once the process has got the exit
	// signal shutdown; then it gets kill. Default 5 s. Negative is for as long as it
	// takes, which a child that is a supervisor should have.
	Shutdown time.Duration
}

const (
	defaultRestarts = 3
	defaultPeriod   = 5 * time.Second
	defaultShutdown = 5 * time.Second
)

// New makes a process of a supervisor, to give to Spawn. The process ends when it
// gets an exit signal from whoever is not its child, such as its own supervisor,
// when it is stopped (Node.Stop), when a child cannot be started at first, and when
// children fail too often; its children have ended before it does. Killed, or with
// its node closing, it cannot see to the order: the children end then because they
// are linked to it.
func New(config Config, children ...Child) truss.ProcessFunc {
	if config.Restarts == 0 {
		config.Restarts = defaultRestarts
	}
	if config.Period <= 0 {
		config.Period = defaultPeriod
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	children = slices.Clone(children)
	return func(ctx context.Context, p *truss.Process) error {
		s := &supervisor{config: config, p: p, log: config.Logger.With("supervisor", p.PID()), ending: make(map[etf.Pid]bool)}
		for _, spec := range children {
			if spec.Run == nil {
				return fmt.Errorf("supervisor: child %q has no Run", spec.Name)
			}
			if spec.Shutdown == 0 {
				spec.Shutdown = defaultShutdown
			}
			s.children = append(s.children, &child{Child: spec})
		}
		p.TrapExit(true)
		for i, c := range s.children {
			if err := s.start(ctx, c); err != nil {
				s.stop(ctx, s.children[:i])
				return fmt.Errorf("supervisor: cannot start child %q: %w", c.Name, err)
			}
		}
		return p.Serve(ctx, s)
	}
}

// supervisor is the server that runs in the process. All of it is owned by that.
type supervisor struct {
	config   Config
	p        *truss.Process
	log      *slog.Logger
	children []*child
	ending   map[etf.Pid]bool // stopped by us, their Exit yet to come
	restarts []time.Time      // within Period, oldest first
}

// HandleInfo acts on the end of a child, or on being told to end.
func (s *supervisor) HandleInfo(ctx context.Context, m truss.Message) error {
	term, err := m.Term()
	if err != nil {
		return nil // nothing that is for a supervisor
	}
	exit, ok := term.(truss.Exit)
	if !ok {
		return nil
	}
	if s.ending[exit.From] {
		delete(s.ending, exit.From)
		return nil
	}
	i := slices.IndexFunc(s.children, func(c *child) bool { return c.process != nil && c.process.PID() == exit.From })
	switch {
	case i >= 0:
		return s.ended(ctx, i)
	case exit.Reason == etf.Term(etf.Atom("normal")):
		return nil
	}
	return &truss.ExitError{Reason: exit.Reason}
}

// ended deals with a child that has ended by itself.
func (s *supervisor) ended(ctx context.Context, i int) error {
	c := s.children[i]
	reason := c.reason()
	c.awaitReturn(ctx, s.log)
	c.process = nil
	if c.Restart == Temporary || c.Restart == Transient && !failed(reason) {
		s.log.Info("child ended", "child", c.Name, "reason", etf.Format(reason))
		return nil
	}
	s.log.Warn("child ended, is started anew", "child", c.Name, "reason", etf.Format(reason))
	again := s.children[i : i+1]
	switch s.config.Strategy {
	case RestForOne:
		again = s.children[i:]
	case OneForAll:
		again = s.children
	}
	s.stop(ctx, again)
	return s.restart(ctx, again)
}

// restart starts children anew. One that cannot be started is tried again as if it
// had ended at once, until that has happened too often.
func (s *supervisor) restart(ctx context.Context, children []*child) error {
	if !s.mayRestart(time.Now()) {
		return s.giveUp()
	}
	for _, c := range children {
		if c.Restart == Temporary {
			continue
		}
		for err := s.start(ctx, c); err != nil; err = s.start(ctx, c) {
			s.log.Error("child cannot be started", "child", c.Name, "error", err)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !s.mayRestart(time.Now()) {
				return s.giveUp()
			}
		}
	}
	return nil
}

// mayRestart counts one more restart.
func (s *supervisor) mayRestart(now time.Time) bool {
	s.restarts = append(s.restarts, now)
	s.restarts = slices.DeleteFunc(s.restarts, func(t time.Time) bool { return now.Sub(t) >= s.config.Period })
	return len(s.restarts) <= s.config.Restarts
}

func (s *supervisor) giveUp() error {
	s.log.Error("children end too often: supervisor gives up", "restarts", len(s.restarts), "period", s.config.Period)
	return errGivenUp
}

// errGivenUp is the reason OTP's supervisors give up with.
var errGivenUp = &truss.ExitError{Reason: etf.Atom("shutdown")}

// Terminate stops all children.
func (s *supervisor) Terminate(error) { s.stop(s.p.Context(), s.children) }

// stop stops those children that run, the last first.
func (s *supervisor) stop(ctx context.Context, children []*child) {
	for _, c := range slices.Backward(children) {
		if c.process == nil {
			continue
		}
		s.ending[c.process.PID()] = true
		c.stop(ctx, s.p, s.log)
		c.process = nil
	}
}

// HandleCall answers what supervisor:which_children/1 and count_children/1 ask.
func (s *supervisor) HandleCall(_ context.Context, _ truss.From, request truss.Message) (any, error) {
	switch request.Tag() {
	case "which_children":
		return s.State(), nil
	case "count_children":
		active := int64(0)
		for _, c := range s.children {
			if c.process != nil {
				active++
			}
		}
		count := func(name string, n int64) etf.Tuple { return etf.Tuple{etf.Atom(name), n} }
		specs := int64(len(s.children))
		return etf.List{count("specs", specs), count("active", active), count("supervisors", 0), count("workers", specs)}, nil
	}
	return nil, errors.New("the children of a Go supervisor are fixed")
}

// State is the children as which_children has them: {Id, Pid, Type, Modules}.
func (s *supervisor) State() any {
	list := etf.List{}
	for _, c := range slices.Backward(s.children) { // the last started first, as OTP
		var pid etf.Term = etf.Atom("undefined")
		if c.process != nil {
			pid = c.process.PID()
		}
		list = append(list, etf.Tuple{[]byte(c.Name), pid, etf.Atom("worker"), etf.Atom("dynamic")})
	}
	return list
}
