package play

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/truss-beam/truss/etf"
)

// fakeMachines is a launcher and an asker without processes: machines come up
// after 100 ms, are then connected to all others, and end 10 ms after they are
// asked to.
type fakeMachines struct {
	refuse map[string]error // of launch, by id

	mu      sync.Mutex // guards all following fields
	up      map[string]*fakeMachine
	pids    int
	dead    map[string]bool    // ids that end instead of coming up
	blind   map[[2]string]bool // {a, b}: the lines of a never tell of b
	silent  map[[2]string]bool // {a, b}: the answers of a leave b out
	deaf    map[string]bool    // ids that get nothing that is broadcast
	garbles map[string]bool    // ids that get something else than what is broadcast
	apart   map[[2]string]bool // {a, b}: a does not know that b listens
	lost    map[[2]string]bool // {a, b}: a does not know in which region b is
	astray  map[string]string  // by region: the id of who answers there
}

type fakeMachine struct {
	spec
	net  *fakeMachines
	id   int
	tell func(report)
}

func newFakeMachines() *fakeMachines {
	return &fakeMachines{
		up: map[string]*fakeMachine{}, refuse: map[string]error{}, dead: map[string]bool{},
		deaf: map[string]bool{}, blind: map[[2]string]bool{}, silent: map[[2]string]bool{},
		garbles: map[string]bool{}, apart: map[[2]string]bool{}, lost: map[[2]string]bool{}, astray: map[string]string{},
	}
}

func (f *fakeMachines) launch(m spec, tell func(report)) (process, error) {
	if err := f.refuse[m.ID]; err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pids++
	machine := &fakeMachine{spec: m, net: f, id: 1000 + f.pids, tell: tell}
	time.AfterFunc(100*time.Millisecond, machine.begin)
	return machine, nil
}

func (m *fakeMachine) begin() {
	f := m.net
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead[m.ID] {
		m.tell(report{Event: "log", Reason: "no cookie"})
		m.tell(report{Event: "exit", Reason: "exit status 1"})
		return
	}
	otp := ""
	if m.Kind == beamMachine {
		otp = "27"
	}
	m.tell(report{Event: "ready", Node: m.Node, Port: 9000 + m.Number, OTP: otp})
	for _, peer := range f.up {
		m.sees("nodeup", peer)
		peer.sees("nodeup", m)
	}
	f.up[m.ID] = m
}

func (m *fakeMachine) sees(event string, peer *fakeMachine) {
	if !m.net.blind[[2]string{m.ID, peer.ID}] {
		m.tell(report{Event: event, Node: peer.Node, Reason: "connection_closed"})
	}
}

func (m *fakeMachine) pid() int { return m.id }
func (m *fakeMachine) stop()    { time.AfterFunc(10*time.Millisecond, func() { m.end("exit status 0") }) }
func (m *fakeMachine) kill()    { time.AfterFunc(10*time.Millisecond, func() { m.end("signal: killed") }) }

func (m *fakeMachine) end(how string) {
	f := m.net
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.up, m.ID)
	m.tell(report{Event: "exit", Reason: how})
	for _, peer := range f.up {
		peer.sees("nodedown", m)
	}
}

// crash ends a machine that nobody asked to.
func (f *fakeMachines) crash(id string) {
	f.mu.Lock()
	m := f.up[id]
	f.mu.Unlock()
	m.end("signal: killed")
}

func (f *fakeMachines) find(t target) (*fakeMachine, error) {
	for _, m := range f.up {
		if m.Node == t.node && t.addr == fmt.Sprintf("%v:%d", m.Addr, 9000+m.Number) {
			return m, nil
		}
	}
	return nil, errors.New("connection refused")
}

func (f *fakeMachines) nodes(_ context.Context, t target) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m, err := f.find(t)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, peer := range f.up {
		if peer != m && !f.silent[[2]string{m.ID, peer.ID}] {
			names = append(names, peer.Node)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (f *fakeMachines) regions(_ context.Context, t target) (map[string]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m, err := f.find(t)
	if err != nil {
		return nil, err
	}
	in := map[string]string{}
	for _, peer := range f.up {
		if peer.Region != "" && !f.lost[[2]string{m.ID, peer.ID}] {
			in[peer.Node] = peer.Region
		}
	}
	return in, nil
}

func (f *fakeMachines) call(_ context.Context, t target, name string, request etf.Term) (etf.Term, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked, err := f.find(t)
	if err != nil {
		return nil, err
	}
	switch tuple, _ := request.(etf.Tuple); {
	case name == "rex":
		return f.inRegion(tuple[3].(etf.List)), nil
	case name == demoServer && tuple == nil:
		nodes := etf.List{}
		for _, m := range f.up {
			if m != asked && !f.apart[[2]string{asked.ID, m.ID}] {
				nodes = append(nodes, etf.Atom(m.Node))
			}
		}
		return nodes, nil
	case name == demoServer:
		for _, m := range f.up {
			text := etf.Format(tuple[2])
			if f.garbles[m.ID] {
				text = "garbled"
			}
			if !f.deaf[m.ID] {
				m.tell(report{Event: "message", Topic: demoTopic, Term: text})
			}
		}
		return etf.Atom("ok"), nil
	}
	return request, nil
}

// inRegion is truss:call_region/4 with truss:at/1.
func (f *fakeMachines) inRegion(args etf.List) etf.Term {
	region := string(args[0].(etf.Atom))
	if region == "primary" {
		region = primaryRegion
	}
	for _, id := range slices.Sorted(maps.Keys(f.up)) {
		if m := f.up[id]; m.Region == region && f.astray[region] == "" || f.astray[region] == id {
			return etf.Tuple{etf.Atom(m.Node), args[3].(etf.List)[0]}
		}
	}
	return etf.Tuple{etf.Atom("badrpc"), etf.Atom("no_node")}
}

// newFakeSession is a session that prints into a buffer.
func newFakeSession(t *testing.T, f *fakeMachines) (*session, *bytes.Buffer) {
	t.Helper()
	var printed bytes.Buffer
	s := &session{out: &screen{out: &printed}, zone: newZone(), about: func() string { return "about" }}
	c := newCluster(&site{home: blockAddr(8, homeHost)}, s.zone, f, func(id string, r report) { s.notice(t.Context(), id, r) })
	s.director = director{cluster: c, ask: f, limit: 5 * time.Second}
	return s, &printed
}

// script is a prompt with lines of its own; a line of digits and a unit is a pause.
type script struct{ lines []string }

func newScript(text string) *script { return &script{strings.Split(strings.TrimSpace(text), "\n")} }

func (s *script) readLine() (string, error) {
	for len(s.lines) > 0 {
		line := strings.TrimSpace(s.lines[0])
		s.lines = s.lines[1:]
		pause, err := time.ParseDuration(line)
		if err != nil {
			return line, nil
		}
		time.Sleep(pause) // of the test's time
	}
	return "", io.EOF
}

func (s *script) close() {}
