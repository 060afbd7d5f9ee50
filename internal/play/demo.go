package play

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/truss-beam/truss/etf"
)

// All Go machines are in a region, of which this one is the primary, and listen to
// a topic of a PubSub.
const (
	primaryRegion = "fra"
	demoPubSub    = "Demo.PubSub"
	demoServer    = "Elixir.Demo.PubSub" // where truss node is asked to broadcast
	demoTopic     = "demo"
)

// cloneIn is clone ID [--region R].
func (s *session) cloneIn(ctx context.Context, args string) error {
	words := strings.Fields(args)
	switch {
	case len(words) == 1:
		return s.changed(s.clone(ctx, words[0], ""))
	case len(words) == 3 && words[1] == "--region":
		m, err := s.cluster.find(words[0])
		if err == nil && m.Kind == beamMachine {
			err = errors.New("a BEAM is in no region here: that takes Elixir and fly_rpc")
		}
		if err != nil {
			return err
		}
		return s.changed(s.clone(ctx, words[0], words[2]))
	}
	return errors.New("it is written: clone ID, or clone ID --region REGION")
}

// goMachines are the Go machines that run.
func (c *cluster) goMachines() []machine {
	list, _ := c.snapshot()
	var up []machine
	for _, m := range list {
		if m.Kind == goMachine && m.state == running {
			up = append(up, m)
		}
	}
	return up
}

var errNoMachine = errors.New("no Go machine is running")

// rpcRegion has the newest machine, which is the likeliest to be elsewhere, call
// truss:at/1 in a region.
func (s *session) rpcRegion(ctx context.Context, args string) error {
	region, text, ok := strings.Cut(args, " ")
	if !ok {
		return errors.New("it is written: rpc primary|REGION TERM, for example rpc primary {place, order}")
	}
	term, err := etf.Parse(text)
	if err != nil {
		return err
	}
	up := s.cluster.goMachines()
	if len(up) == 0 {
		return errNoMachine
	}
	from := up[len(up)-1]
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	begin := time.Now()
	call := etf.List{etf.Atom(region), etf.Atom("truss"), etf.Atom("at"), etf.List{term}}
	reply, err := s.ask.call(ctx, from.target(), "rex", etf.Tuple{etf.Atom("call"), etf.Atom("truss"), etf.Atom("call_region"), call, etf.Atom("user")})
	if err != nil {
		return err
	}
	result, ok := reply.(etf.Tuple)
	if !ok || len(result) != 2 || result[0] == etf.Term(etf.Atom("badrpc")) {
		return fmt.Errorf("%s cannot call in region %s: %s", from.ID, region, etf.Format(reply))
	}
	node, printed, elapsed := etf.Format(result[0]), etf.Format(result[1]), time.Since(begin).Seconds()
	s.out.say(fmt.Sprintf("%s  %s", printed, s.out.dim("ran on "+strings.Trim(node, "'")+", called by "+from.ID+", after "+took(elapsed))), struct {
		Node    string  `json:"node"`
		By      string  `json:"by"`
		Result  string  `json:"result"`
		Seconds float64 `json:"seconds"`
	}{strings.Trim(node, "'"), from.ID, printed, elapsed})
	return nil
}

// broadcastDemo has the first machine broadcast, and waits until all have it.
func (s *session) broadcastDemo(ctx context.Context, text string) error {
	term, err := etf.Parse(text)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.limit, fmt.Errorf("not within %v", s.limit))
	defer cancel()
	up := s.cluster.goMachines()
	if len(up) == 0 {
		return errNoMachine
	}
	if err := s.awaitAudience(ctx, up); err != nil {
		return err
	}
	begin := time.Now()
	request := etf.Tuple{etf.Atom("broadcast"), demoTopic, term}
	reply, err := s.ask.call(ctx, up[0].target(), demoServer, request)
	if err != nil {
		return err
	}
	if reply != etf.Term(etf.Atom("ok")) {
		return fmt.Errorf("%s cannot broadcast: it answers %s", up[0].ID, etf.Format(reply))
	}
	got, err := s.cluster.awaitHeard(ctx, up)
	if err != nil {
		return err
	}
	elapsed := time.Since(begin).Seconds()
	s.out.say(fmt.Sprintf("%s has reached %s", up[0].ID, strings.Join(got, " ")+"  "+s.out.dim("after "+took(elapsed))), struct {
		Broadcast string   `json:"broadcast"`
		By        string   `json:"by"`
		Heard     []string `json:"heard"`
		Seconds   float64  `json:"seconds"`
	}{etf.Format(term), up[0].ID, got, elapsed})
	return nil
}

// awaitAudience waits until the first machine would broadcast to all others: those
// that have only just joined tell it in their own time, and what is broadcast
// meanwhile they do not get.
func (s *session) awaitAudience(ctx context.Context, up []machine) error {
	for {
		reply, err := s.ask.call(ctx, up[0].target(), demoServer, etf.Atom("nodes"))
		if err != nil {
			return err
		}
		known := map[etf.Term]bool{}
		nodes, _ := reply.(etf.List)
		for _, node := range nodes {
			known[node] = true
		}
		missing := 0
		for _, m := range up[1:] {
			if !known[etf.Atom(m.Node)] {
				missing++
			}
		}
		if missing == 0 {
			return nil
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return fmt.Errorf("%s does not know of %d others that listen: %w", up[0].ID, missing, context.Cause(ctx))
		}
	}
}

// awaitHeard waits until each machine has printed a message more than before.
func (c *cluster) awaitHeard(ctx context.Context, before []machine) ([]string, error) {
	for {
		list, changed := c.snapshot()
		var got []string
		var gaps []gap
		for _, m := range before {
			switch now := list[m.Number-1]; {
			case now.heard > m.heard:
				got = append(got, m.ID)
			case now.state == running:
				gaps = append(gaps, gap{Machine: m.ID, Problem: "has not got the message"})
			}
		}
		if len(gaps) == 0 {
			return got, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, &gapError{gaps, context.Cause(ctx)}
		}
	}
}
