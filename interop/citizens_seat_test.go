package interop

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/truss-beam/truss/internal/beam"
)

// seat is a place in the cluster: a name and a host, and the node that is there
// now.
type seat struct {
	number    int
	name      string
	release   *beam.Release // nil: ours
	hidden    bool
	namespace string
	scopes    []string
	peers     []string // whom it dials

	now *sitting // nil while there is none; changed by the test's goroutine only
}

// sitting is one node's time in a seat.
type sitting struct {
	seat *seat
	node interface {
		ask(ctx context.Context, words []string) (string, error)
		leave() // in the orderly way
		kill()
		log() string
	}
	over atomic.Bool // it has been told to end: no answer is owed any more
}

// errOver: the node was ended while it had a question to answer.
var errOver = errors.New("the node was ended")

// ask asks a node something. An error is one that should not be: above all that
// there is no answer in time.
func (s *sitting) ask(ctx context.Context, limit time.Duration, words ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer in %v", limit))
	defer cancel()
	value, err := s.node.ask(ctx, words)
	switch {
	case s.over.Load():
		return "", errOver
	case err != nil:
		return "", fmt.Errorf("%s: %s: %w", s.seat.name, strings.Join(words, " "), err)
	}
	return value, nil
}

// beamCitizen is a BEAM with the module citizen.
type beamCitizen struct{ *beam.Node }

func startBeamCitizen(t *testing.T, s *seat, epmd int) beamCitizen {
	t.Helper()
	b := s.release.Start(t, beam.Options{
		Name: s.name, Namespace: s.namespace, EPMD: epmd, Hidden: s.hidden,
		Kernel: map[string]string{"net_ticktime": strconv.Itoa(int(citizenTick / time.Second))},
	})
	b.Load(t, citizenModule)
	b.MustEval(t, fmt.Sprintf("citizen:start(%s, [%s])", atoms(s.peers...), strings.Join(s.scopes, ",")))
	return beamCitizen{b}
}

func (b beamCitizen) ask(ctx context.Context, words []string) (string, error) {
	var terms []string
	for _, w := range words {
		if strings.Contains(w, "@") {
			w = "'" + w + "'"
		}
		terms = append(terms, w)
	}
	printed, err := b.Eval(ctx, "citizen:question(["+strings.Join(terms, ",")+"])")
	if err != nil || printed == "[]" {
		return "", err
	}
	return strconv.Unquote(printed)
}

func (b beamCitizen) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	_, _ = b.Eval(ctx, "init:stop()")
	select {
	case <-b.Exited():
	case <-ctx.Done():
	}
	b.Kill()
}

func (b beamCitizen) kill()       { b.Kill() }
func (b beamCitizen) log() string { return b.Output() }

// programCitizen is a program with one node of ours.
type programCitizen struct {
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	printed *tail
	gone    chan struct{} // closed when its output has ended

	mu      sync.Mutex // guards what follows, and writing to stdin
	last    int
	waiting map[int]chan reply
}

func startProgramCitizen(t *testing.T, s *seat, epmd string) *programCitizen {
	t.Helper()
	config, err := json.Marshal(citizenConfig{
		Name: s.name, Cookie: beam.DefaultCookie, Epmd: epmd, Hidden: s.hidden,
		TickTime: citizenTick, Peers: s.peers, Scopes: s.scopes,
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &programCitizen{printed: new(tail), gone: make(chan struct{}), waiting: make(map[int]chan reply)}
	p.cmd = exec.Command(os.Args[0])
	if s.namespace != "" {
		p.cmd = exec.Command("ip", "netns", "exec", s.namespace, os.Args[0])
	}
	p.cmd.Env = append(os.Environ(), citizenVariable+"="+string(config))
	p.cmd.Stderr = p.printed
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan reply, 1)
	p.waiting[0] = ready
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.read(stdout)
	t.Cleanup(p.kill)
	select {
	case <-ready:
		return p
	case <-p.gone:
		t.Fatalf("%s has ended: %s", s.name, p.log())
	case <-time.After(limit):
		t.Fatalf("%s is not up after %v: %s", s.name, limit, p.log())
	}
	return nil
}

func (p *programCitizen) read(stdout io.Reader) {
	defer close(p.gone)
	for in := bufio.NewScanner(stdout); in.Scan(); {
		var r reply
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			fmt.Fprintln(p.printed, in.Text()) // "failed: …"
			continue
		}
		p.mu.Lock()
		if waiting := p.waiting[r.ID]; waiting != nil {
			waiting <- r
			delete(p.waiting, r.ID)
		}
		p.mu.Unlock()
	}
}

func (p *programCitizen) ask(ctx context.Context, words []string) (string, error) {
	answer := make(chan reply, 1)
	deadline, _ := ctx.Deadline()
	p.mu.Lock()
	p.last++
	p.waiting[p.last] = answer
	text, err := json.Marshal(question{ID: p.last, Words: words, Limit: time.Until(deadline)})
	if err == nil {
		_, err = p.stdin.Write(append(text, '\n'))
	}
	p.mu.Unlock()
	if err != nil {
		return "", err
	}
	// Its own deadline is the same; what is more is for a machine in trouble.
	select {
	case r := <-answer:
		if r.Error != "" {
			return "", errors.New(r.Error)
		}
		return r.Value, nil
	case <-p.gone:
		return "", errors.New("the program has ended")
	case <-time.After(time.Until(deadline) + limit):
		return "", fmt.Errorf("the program does not even say that it has waited too long: %w", context.Cause(ctx))
	}
}

func (p *programCitizen) leave() {
	p.stdin.Close()
	select {
	case <-p.gone:
	case <-time.After(limit):
		fmt.Fprintln(p.printed, "THE PROGRAM DOES NOT END")
	}
	p.kill()
}

// kill may be called several times.
func (p *programCitizen) kill() {
	_ = p.cmd.Process.Kill()
	<-p.gone
	_ = p.cmd.Wait()
	p.stdin.Close()
}

func (p *programCitizen) log() string { return p.printed.String() }

// tail keeps the end of what a program prints.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

const tailLimit = 256 << 10

func (l *tail) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, b...)
	if over := len(l.kept) - tailLimit; over > 0 {
		l.kept = bytes.Clone(l.kept[over:])
	}
	return len(b), nil
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.kept)
}
