package play

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// session is the prompt.
type session struct {
	director
	out   *screen
	zone  *zone
	about func() string // how to reach the cluster from outside
	live  bool          // a person watches: show the machines after each change

	// Losses that nobody asked for are shown by goroutines of their own, until the
	// session ends.
	losses sync.WaitGroup
	mu     sync.Mutex // guards ending, which is set before losses are waited for
	ending bool
}

// sessionLimit is how long one command may take.
const sessionLimit = 15 * time.Second

// errQuit ends the session.
var errQuit = errors.New("quit")

// errCommands is the error of a session without a terminal in which a command failed.
var errCommands = errors.New("a command failed")

func (o options) runSession(ctx context.Context, in io.Reader, out *screen, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// The prompt takes the output over, and nothing may be printed before that.
	lines := newPrompt(in, out)
	_, live := lines.(*terminalPrompt)
	s := &session{out: out, live: live}
	p, err := open(ctx, o, log, func(id string, r report) { s.notice(ctx, id, r) })
	if err != nil {
		lines.close()
		return err
	}
	s.director = director{cluster: p.cluster, ask: p.visitor, limit: sessionLimit}
	s.zone, s.about = p.zone, p.about
	defer func() {
		cancel()
		s.mu.Lock()
		s.ending = true
		s.mu.Unlock()
		s.losses.Wait()
		lines.close()
		s.out.say(s.out.dim("stopping the machines"), nil)
		p.close()
	}()
	s.out.say(s.out.bold("truss play")+`: a small app on "machines" of this computer. Each is a process with an
address of its own; they find each other by asking DNS for `+domain+`.
`, nil)
	if err := s.begin(ctx, o); err != nil {
		return err
	}
	return s.loop(ctx, lines)
}

// begin starts the first machines.
func (s *session) begin(ctx context.Context, o options) error {
	s.out.say(s.out.dim(fmt.Sprintf("starting %d machines", o.machines)), nil)
	if err := s.done(s.add(ctx, goMachine, o.machines)); err != nil {
		return err
	}
	if o.beam {
		s.out.say(s.out.dim(fmt.Sprintf("starting %d BEAMs", beams)), nil)
		if err := s.done(s.add(ctx, beamMachine, beams)); err != nil {
			return err
		}
	}
	s.show()
	s.out.say("Try: clone m1 --region syd   rpc primary hello   broadcast hello   kill m2   start m2   help\n", nil)
	return nil
}

// loop runs commands until quit, the end of the input or of ctx.
func (s *session) loop(ctx context.Context, lines prompt) error {
	bad := false
	for {
		line, err := nextLine(ctx, lines)
		switch {
		case errors.Is(err, io.EOF), ctx.Err() != nil:
			err = errQuit
		case err != nil:
			return err
		default:
			err = s.command(ctx, line)
		}
		switch {
		case errors.Is(err, errQuit) && bad && !s.live:
			return errCommands
		case errors.Is(err, errQuit):
			return nil
		case err != nil:
			bad = true
			s.showError(err)
		}
	}
}

// nextLine gives up waiting when ctx ends; the read itself cannot be ended, and
// is left to the end of the program.
func nextLine(ctx context.Context, lines prompt) (string, error) {
	type read struct {
		line string
		err  error
	}
	next := make(chan read, 1)
	go func() {
		line, err := lines.readLine()
		next <- read{line, err}
	}()
	select {
	case r := <-next:
		return r.line, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// done prints what came of something, and who runs now.
func (s *session) done(o outcome, err error) error {
	if err != nil {
		return err
	}
	s.out.say(s.out.green(o.String()), o)
	return nil
}

// changed is done for a command that changed something.
func (s *session) changed(o outcome, err error) error {
	if err := s.done(o, err); err != nil {
		return err
	}
	if s.live {
		s.show()
	}
	return nil
}

func (s *session) show() {
	list, _ := s.cluster.snapshot()
	s.out.showMachines(list)
}

func (s *session) showError(err error) {
	var missing *gapError
	if !errors.As(err, &missing) {
		s.out.say(s.out.red("error: "+err.Error()), errorObject{Error: err.Error()})
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", s.out.red("error: not everybody saw it"))
	if missing.why != nil {
		fmt.Fprintf(&b, "  given up: %v\n", missing.why)
	}
	for _, g := range missing.gaps {
		fmt.Fprintf(&b, "  %s\n", g)
	}
	fmt.Fprintf(&b, "  log %s shows what it printed last\n", missing.gaps[0].Machine)
	s.out.say(b.String(), errorObject{err.Error(), missing.gaps})
}

type errorObject struct {
	Error string `json:"error"`
	Gaps  []gap  `json:"gaps,omitempty"`
}

// notice shows what nobody here asked for: a machine that ended, and nodes that
// are no machines of ours.
func (s *session) notice(ctx context.Context, id string, r report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return
	}
	object := struct {
		Event   string `json:"event"`
		Machine string `json:"machine"`
		Node    string `json:"node,omitempty"`
		Reason  string `json:"reason,omitempty"`
	}{r.Event, id, r.Node, r.Reason}
	switch r.Event {
	case "nodeup":
		s.out.say(id+" sees "+r.Node, object)
	case "nodedown":
		s.out.say(id+" does not see "+r.Node+" any more: "+r.Reason, object)
	case "exit":
		begin := time.Now()
		s.out.say(s.out.red(id+" ended by itself: "+r.Reason), object)
		s.losses.Go(func() {
			o, err := s.witness(ctx, wasLost, []string{id}, begin)
			if err == nil {
				s.out.say(o.String(), o)
			} else if ctx.Err() == nil {
				s.showError(err)
			}
		})
	}
}
