package play

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// state is where a machine is in its life.
type state string

const (
	starting state = "starting"
	running  state = "running"
	stopping state = "stopping"
	stopped  state = "stopped" // as asked
	killed   state = "killed"  // as asked, too
	failed   state = "failed"  // it ended by itself
)

func (s state) over() bool { return s == stopped || s == killed || s == failed }

// machine is one machine and what it has told.
type machine struct {
	spec
	life    int // how often it was started
	state   state
	asked   state // stopped or killed, once that was asked for
	process process
	port    int             // where its node listens, once it is ready
	otp     string          // its release, if it is a BEAM
	sees    map[string]bool // by its own nodeup and nodedown lines
	end     string          // how it ended
	log     []string        // the last lines of it
	heard   int             // messages of the demo topic that were awaited
	started time.Time
}

// logLines is how many lines of a machine are kept: the last ones tell why.
const logLines = 60

// cluster is the machines.
type cluster struct {
	// Set once.
	site     *site
	zone     *zone
	launcher launcher
	notice   func(id string, r report) // told what nobody asked for; see observe

	mu       sync.Mutex // guards all following fields
	machines []*machine // by number
	last     int        // number
	awaited  string     // the message of the demo topic whose arrivals are counted
	changed  chan struct{}
}

func newCluster(s *site, z *zone, l launcher, notice func(string, report)) *cluster {
	return &cluster{site: s, zone: z, launcher: l, notice: notice, changed: make(chan struct{})}
}

// add starts a new machine.
func (c *cluster) add(k kind, region string) (id string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == maxMachines {
		return "", fmt.Errorf("%d machines were started, which is as many as there are numbers: bring back one that ended with start ID", maxMachines)
	}
	m, err := c.site.machine(c.last+1, k)
	if err != nil {
		return "", err
	}
	if k == goMachine {
		m.Region = region
	}
	added := &machine{spec: m}
	if err := c.launch(added); err != nil {
		return "", err
	}
	c.last++
	c.machines = append(c.machines, added)
	return m.ID, nil
}

// launch starts the machine for another life. c.mu is held.
func (c *cluster) launch(m *machine) error {
	life := m.life + 1
	fresh := machine{spec: m.spec, life: life, state: starting, sees: map[string]bool{}, started: time.Now()}
	started, err := c.launcher.launch(m.spec, func(r report) { c.tell(m, life, r) })
	if err != nil {
		return fmt.Errorf("cannot start %s: %w", m.ID, err)
	}
	*m = fresh
	m.process = started
	c.wake()
	return nil
}

// tell takes a report of a machine in one of its lives.
func (c *cluster) tell(m *machine, life int, r report) {
	c.mu.Lock()
	if m.life != life {
		c.mu.Unlock()
		return
	}
	m.remember(r)
	unasked := false
	switch r.Event {
	case "ready":
		m.state, m.otp = running, r.OTP
		if m.port = r.Port; m.port == 0 {
			m.port = int(m.Port)
		}
		if m.asked != "" {
			m.state = stopping
			break
		}
		c.zone.put(c.record(m))
	case "nodeup":
		m.sees[r.Node] = true
		unasked = c.byNode(r.Node) == nil
	case "nodedown":
		delete(m.sees, r.Node)
		unasked = c.byNode(r.Node) == nil
	case "message":
		if r.Topic == demoTopic && r.Term == c.awaited {
			m.heard++
		}
	case "exit":
		// Who started it waits for it to come up, and hears that it did not.
		unasked = m.asked == "" && m.state == running
		if m.state = m.asked; m.state == "" {
			m.state = failed
		}
		m.end, m.sees = r.Reason, nil
		c.zone.remove(m.ID)
	}
	c.wake()
	c.mu.Unlock()
	if unasked && c.notice != nil {
		c.notice(m.ID, r)
	}
}

// record is what DNS says of a machine: in SRV its node's own port, which is what
// tells machines apart where they share an address.
func (c *cluster) record(m *machine) record { return record{m.ID, m.Addr, uint16(m.port)} }

func (m *machine) remember(r report) {
	text := strings.TrimSpace(r.Event + " " + r.Node + " " + r.Reason)
	switch r.Event {
	case "log":
		text = readable(r.Reason)
	case "message":
		text = r.Event + " " + r.Topic + " " + r.Term
	}
	m.log = append(m.log, fmt.Sprintf("%8.3f s  %s", time.Since(m.started).Seconds(), text))
	if extra := len(m.log) - logLines; extra > 0 {
		m.log = slices.Delete(m.log, 0, extra)
	}
}

// wake tells those who wait that something changed. c.mu is held.
func (c *cluster) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// snapshot is the machines as they are, by number, and what is closed when that
// changes.
func (c *cluster) snapshot() ([]machine, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []machine
	for _, m := range c.machines {
		copied := *m
		copied.sees, copied.log = maps.Clone(m.sees), slices.Clone(m.log)
		list = append(list, copied)
	}
	return list, c.changed
}

// find is one machine as it is.
func (c *cluster) find(id string) (machine, error) {
	list, _ := c.snapshot()
	var ids []string
	for _, m := range list {
		if m.ID == id || m.Node == id {
			return m, nil
		}
		ids = append(ids, m.ID)
	}
	return machine{}, fmt.Errorf("there is no machine %s, but %s", id, strings.Join(ids, " "))
}

// byNode is the machine of a node's name, or nil. c.mu is held.
func (c *cluster) byNode(name string) *machine {
	for _, m := range c.machines {
		if m.Node == name {
			return m
		}
	}
	return nil
}

// restart starts a machine that has ended, under its old name.
func (c *cluster) restart(id string) error {
	return c.with(id, func(m *machine) error {
		if !m.state.over() {
			return fmt.Errorf("%s is %s", m.ID, m.state)
		}
		return c.launch(m)
	})
}

// end stops or kills a machine; it is over when its state says so.
func (c *cluster) end(id string, how state) error {
	return c.with(id, func(m *machine) error {
		if m.state.over() {
			return fmt.Errorf("%s is %s already", m.ID, m.state)
		}
		m.asked = how
		c.zone.remove(m.ID)
		if how == killed {
			m.process.kill()
			return nil
		}
		m.state = stopping
		m.process.stop()
		c.wake()
		return nil
	})
}

// with does something to a machine under the lock.
func (c *cluster) with(id string, do func(*machine) error) error {
	found, err := c.find(id)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return do(c.machines[found.Number-1])
}

// closeLimit is how long machines may take to leave when the play ends.
const closeLimit = 3 * time.Second

// close stops all machines, and kills those that take too long.
func (c *cluster) close() {
	for _, how := range []state{stopped, killed} {
		list, _ := c.snapshot()
		for _, m := range list {
			if !m.state.over() {
				_ = c.end(m.ID, how) // it may have ended in between
			}
		}
		limit := time.NewTimer(closeLimit)
		for over := false; !over; {
			list, changed := c.snapshot()
			if !slices.ContainsFunc(list, func(m machine) bool { return !m.state.over() }) {
				limit.Stop()
				return
			}
			select {
			case <-changed:
			case <-limit.C:
				over = true
			}
		}
	}
}
