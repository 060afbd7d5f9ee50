package contender

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"time"
)

// Program is one system's two roles.
type Program struct {
	// Serve starts serving and returns where, for drivers' -peer.
	Serve func(Job) (where string, err error)
	// Drive makes one run.
	Drive func(Job) (Figures, error)
}

// Main is the main function of a contender. It does not return.
func (p Program) Main() {
	profile := startProfile()
	code := p.run(os.Args[1:])
	profile()
	os.Exit(code)
}

func (p Program) run(args []string) int {
	job, err := Parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if job.Role == "serve" {
		return p.serve(job)
	}
	figures, err := p.Drive(job)
	result := Result{Figures: figures}
	if err != nil {
		result = Result{Error: err.Error()}
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// serve ends when its input does: the comparison holds the other end, so that no
// server outlives it, however it ends.
func (p Program) serve(job Job) int {
	where, err := p.Serve(job)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("ready", where)
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, os.Interrupt)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		ended <- os.Interrupt
	}()
	<-ended
	return 0
}

// Result is the line a driver prints.
type Result struct {
	Figures Figures `json:"figures,omitempty"`
	Error   string  `json:"error,omitempty"`
}

// Idle calls stalled, once, when progress has stood still for IdleLimit. The
// function returned ends the watch.
func Idle(progress *atomic.Uint64, stalled func()) (stop func()) {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(IdleLimit)
		defer tick.Stop()
		for last := uint64(0); ; {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			now := progress.Load()
			if now == last {
				stalled()
				return
			}
			last = now
		}
	}()
	return func() { close(done) }
}
