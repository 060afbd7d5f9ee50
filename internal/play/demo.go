package play

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/truss-beam/truss/etf"
)

// All machines listen to a topic of a PubSub, and those with Go are in a region, of
// which this one is the primary.
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

// running are the machines that run, of all kinds or one.
func (c *cluster) running(kinds ...kind) []machine {
	list, _ := c.snapshot()
	return slices.DeleteFunc(list, func(m machine) bool {
		return m.state != running || len(kinds) > 0 && !slices.Contains(kinds, m.Kind)
	})
}

// regional is a call in a region that was answered.
type regional struct {
	Node    string  `json:"node"`
	By      string  `json:"by"`
	Result  string  `json:"result"`
	Seconds float64 `json:"seconds"`
}

func (r regional) String() string {
	return "ran on " + r.Node + ", called by " + r.By + ", after " + took(r.Seconds)
}

// callIn calls truss:at/1 in a region, of which primary is one, from the newest
// machine that is elsewhere, or else from the newest.
func (d *director) callIn(ctx context.Context, region string, term etf.Term) (regional, error) {
	up := d.cluster.running(goMachine)
	if len(up) == 0 {
		return regional{}, errors.New("no Go machine is running")
	}
	from := up[len(up)-1]
	for _, m := range up {
		if m.Region != regionNamed(region) {
			from = m
		}
	}
	ctx, cancel := context.WithTimeout(ctx, d.limit)
	defer cancel()
	begin := time.Now()
	reply, err := apply(ctx, d.ask, from.target(), "truss", "call_region", etf.Atom(region), etf.Atom("truss"), etf.Atom("at"), etf.List{term})
	if err != nil {
		return regional{}, fmt.Errorf("%s cannot call in region %s: %w", from.ID, region, err)
	}
	result, _ := reply.(etf.Tuple)
	node, ok := etf.Atom(""), len(result) == 2
	if ok {
		node, ok = result[0].(etf.Atom)
	}
	if !ok || !etf.Equal(result[1], term) {
		return regional{}, fmt.Errorf("%s called in region %s and got %s", from.ID, region, etf.Format(reply))
	}
	return regional{string(node), from.ID, etf.Format(result[1]), time.Since(begin).Seconds()}, nil
}

func regionNamed(region string) string {
	if region == "primary" {
		return primaryRegion
	}
	return region
}

// rpcRegion is rpc primary|REGION TERM.
func (s *session) rpcRegion(ctx context.Context, args string) error {
	region, text, ok := strings.Cut(args, " ")
	if !ok {
		return errors.New("it is written: rpc primary|REGION TERM, for example rpc primary {place, order}")
	}
	term, err := etf.Parse(text)
	if err != nil {
		return err
	}
	result, err := s.callIn(ctx, region, term)
	if err != nil {
		return err
	}
	s.out.say(result.Result+"  "+s.out.dim(result.String()), result)
	return nil
}

// hearing is a broadcast that has arrived.
type hearing struct {
	Broadcast string   `json:"broadcast"`
	By        string   `json:"by"`
	Heard     []string `json:"heard"`
	Seconds   float64  `json:"seconds"`
}

func (h hearing) reached() string { return h.By + " has reached " + strings.Join(h.Heard, " ") }
func (h hearing) String() string  { return h.reached() + " after " + took(h.Seconds) }

// broadcast has a machine broadcast, the first if id is empty, and waits until all
// have it, on BEAMs as well.
func (d *director) broadcast(ctx context.Context, id string, term etf.Term) (hearing, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, d.limit, fmt.Errorf("not within %v", d.limit))
	defer cancel()
	text := etf.Format(term)
	up := d.cluster.await(text)
	i := slices.IndexFunc(up, func(m machine) bool { return m.ID == id || id == "" })
	if i < 0 {
		return hearing{}, errors.New(strings.TrimSpace("no machine "+id) + " is running")
	}
	from := up[i]
	if err := d.awaitAudience(ctx, from, up); err != nil {
		return hearing{}, err
	}
	begin := time.Now()
	reply, err := d.ask.call(ctx, from.target(), demoServer, etf.Tuple{etf.Atom("broadcast"), demoTopic, term})
	if err != nil {
		return hearing{}, err
	}
	if reply != etf.Term(etf.Atom("ok")) {
		return hearing{}, fmt.Errorf("%s cannot broadcast: it answers %s", from.ID, etf.Format(reply))
	}
	got, err := d.cluster.awaitHeard(ctx, up)
	return hearing{text, from.ID, got, time.Since(begin).Seconds()}, err
}

// broadcastDemo is broadcast TERM.
func (s *session) broadcastDemo(ctx context.Context, text string) error {
	term, err := etf.Parse(text)
	if err != nil {
		return err
	}
	h, err := s.broadcast(ctx, "", term)
	if err != nil {
		return err
	}
	s.out.say(h.reached()+"  "+s.out.dim("after "+took(h.Seconds)), h)
	return nil
}

// awaitAudience waits until a machine would broadcast to all others: those that
// have only just joined tell it in their own time, and what is broadcast meanwhile
// they do not get.
func (d *director) awaitAudience(ctx context.Context, from machine, up []machine) error {
	for {
		reply, err := d.ask.call(ctx, from.target(), demoServer, etf.Atom("nodes"))
		if err != nil {
			return err
		}
		nodes, _ := reply.(etf.List)
		var gaps []gap
		for _, m := range up {
			if m.ID != from.ID && !slices.Contains(nodes, etf.Term(etf.Atom(m.Node))) {
				gaps = append(gaps, gap{from.ID, m.ID, "does not know that " + m.ID + " listens"})
			}
		}
		if len(gaps) == 0 {
			return nil
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return &gapError{gaps, context.Cause(ctx)}
		}
	}
}

// await has the arrivals of a message counted, and returns the machines that run.
func (c *cluster) await(message string) []machine {
	c.mu.Lock()
	c.awaited = message
	c.mu.Unlock()
	return c.running()
}

// awaitHeard waits until each machine has printed the awaited message once more
// than before.
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
