package interop

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/truss-beam/truss/internal/beam"
)

//go:embed testdata/citizen.erl
var citizenModule string

var (
	citizensFor  = flag.Duration("citizens", 25*time.Second, "how long TestCitizens goes on")
	citizensCuts = flag.Bool("cuts", true, "TestCitizens cuts the network in two as well")
	citizensBEAM = flag.Bool("beams_only", false, "TestCitizens without any node of ours: what OTP does by itself")
)

// citizenTick is the net tick time of all nodes: how long a partition takes to be
// noticed.
const citizenTick = 4 * time.Second

// operationLimit is how long an operation may take that is begun while the
// cluster falls apart: a net tick or two until the lost nodes are known to be lost, and
// then a fight for the lock of the names, with pauses of up to 8 s, as joining nodes
// hold it again and again.
const operationLimit = 90 * time.Second

// TestCitizens lets a mixed cluster live: one node of each OTP, two of ours and a
// hidden one of ours, each on a host of its own. At random they register names, lock,
// join groups, are killed, leave, and are cut off from each other. Again and again all
// cables are plugged in and all nodes are there, and then they must come to agree on
// everything: see citizens_check_test.go. What is done follows from the seed; when
// exactly it happens does not.
//
// After a cut OTP may leave names unequal by itself, as -beams_only shows. What is known
// to be that, and nothing else, is excused: citizens_excuse_test.go.
//
// As discovery would, every visible node dials every other one each second. Where
// there are no network namespaces, nodes are disconnected instead of cut off.
func TestCitizens(t *testing.T) {
	t.Parallel()
	from := *seed
	if from == 0 {
		from = uint64(time.Now().UnixNano())
	}
	c := newCity(t, rand.New(rand.NewPCG(from, 0)))
	t.Logf("again by: go test ./interop -run Citizens -seed %d -citizens %v -cuts=%v -count=1", from, *citizensFor, *citizensCuts)
	for _, s := range c.seats {
		c.start(s)
	}
	c.settle(0)
	for round := 1; time.Since(c.began) < *citizensFor; round++ {
		c.live(c.plan())
		c.settle(round)
	}
	t.Logf("%d operations; the longest took %v; the longest until all agreed %v; races that OTP lost: %d", c.operations, c.longest, c.longestSettling, c.excuses)
}

// city is the cluster.
type city struct {
	t       *testing.T
	random  *rand.Rand
	network *network // nil: no namespaces
	epmd    int
	seats   []*seat
	began   time.Time

	under sync.WaitGroup // operations under way

	mu              sync.Mutex // guards what follows, but excuses
	history         []string
	problems        []error
	operations      int
	longest         time.Duration
	longestSettling time.Duration
	excuses         int // what OTP did by itself
}

func newCity(t *testing.T, random *rand.Rand) *city {
	c := &city{t: t, random: random, began: time.Now()}
	releases := beam.Releases(t)
	if err := noNetworks(); err == nil {
		c.network = newNetwork(t, "citizens")
		c.epmd = 4369
	} else {
		t.Log(err)
		c.epmd = releases[0].StartEPMD(t)
	}
	for _, r := range releases {
		s := &seat{release: &r, name: r.String()}
		// OTP 25 crashes on OTP 29's first message to a scope, so that no scope has both.
		if r.OTP < "28" {
			s.scopes = append(s.scopes, "old")
		}
		if r.OTP > "26" {
			s.scopes = append(s.scopes, "new")
		}
		c.seats = append(c.seats, s)
	}
	if !*citizensBEAM {
		both := []string{"old", "new"}
		c.seats = append(c.seats, &seat{name: "truss1", scopes: both}, &seat{name: "truss2", scopes: both},
			&seat{name: "hidden", hidden: true, scopes: both})
	}
	// Much depends on whose name is the smaller.
	letters := random.Perm(len(c.seats))
	for i, s := range c.seats {
		s.number = i + 1
		s.name = fmt.Sprintf("%c_%s@%s", 'a'+letters[i], s.name, c.host(s))
		c.logf("%s", s.name)
	}
	for _, s := range c.seats {
		for _, other := range c.seats {
			if other != s && !other.hidden {
				s.peers = append(s.peers, other.name)
			}
		}
	}
	return c
}

// host makes the host of a seat and returns its address.
func (c *city) host(s *seat) string {
	if c.network == nil {
		return "127.0.0.1"
	}
	s.namespace = c.network.host(s.number)
	if s.release != nil { // ours have an epmd of their own
		epmd := exec.Command("ip", "netns", "exec", s.namespace, "epmd")
		if err := epmd.Start(); err != nil {
			c.t.Fatal(err)
		}
		c.t.Cleanup(func() {
			_ = epmd.Process.Kill()
			_ = epmd.Wait() // says that it was killed
		})
	}
	return fmt.Sprintf("10.88.0.%d", s.number)
}

func (c *city) start(s *seat) {
	c.t.Helper()
	s.now = &sitting{seat: s}
	if s.release != nil {
		s.now.node = startBeamCitizen(c.t, s, c.epmd)
		return
	}
	epmd := "auto"
	if c.network == nil {
		epmd = fmt.Sprintf("127.0.0.1:%d", c.epmd)
	}
	s.now.node = startProgramCitizen(c.t, s, epmd)
}

func (c *city) logf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.history = append(c.history, fmt.Sprintf("%6.2f ", time.Since(c.began).Seconds())+fmt.Sprintf(format, args...))
}

// step is one thing to do, after a pause.
type step struct {
	pause time.Duration
	what  string // kill, leave, start, cut, heal, or ask
	seat  int
	words []string
	side  []int // cut: who is put aside
}

// plan makes up what happens until the next rest.
func (c *city) plan() []step {
	var steps []step
	r := c.random
	add := func(s step, upTo time.Duration) {
		s.pause = time.Duration(r.Int64N(int64(upTo)))
		steps = append(steps, s)
	}
	some := func(n int) {
		for range n {
			add(step{what: "ask", seat: r.IntN(len(c.seats)), words: c.anything()}, 300*time.Millisecond)
		}
	}
	end := func() (seat int) {
		seat = r.IntN(len(c.seats))
		add(step{what: []string{"kill", "kill", "leave"}[r.IntN(3)], seat: seat}, 500*time.Millisecond)
		return seat
	}
	some(2 + r.IntN(6))
	switch cuts := *citizensCuts && r.IntN(4) > 0; cuts {
	case false: // nodes die, and are back sooner or later
		for range 1 + r.IntN(2) {
			seat := end()
			some(r.IntN(6))
			add(step{what: "start", seat: seat}, 5*time.Second)
		}
	case true: // the network falls in two, maybe for a time that nobody notices
		order := r.Perm(len(c.seats))
		add(step{what: "cut", side: order[:1+r.IntN(len(order)-1)]}, time.Second)
		some(2 + r.IntN(6))
		if r.IntN(2) == 0 {
			seat := end()
			some(r.IntN(4))
			add(step{what: "start", seat: seat}, 2*time.Second)
		}
		add(step{what: "heal"}, 3*citizenTick)
	}
	some(r.IntN(6))
	return steps
}

// anything is something to ask a node to do.
func (c *city) anything() []string {
	r := c.random
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	name := func() string { return fmt.Sprint("n", r.IntN(5)) }
	scope, group := pick("old", "new"), fmt.Sprint("g", r.IntN(3))
	switch r.IntN(12) {
	case 0, 1, 2:
		return []string{"register", name(), pick("exit", "notify", "all")}
	case 3:
		return []string{"reregister", name(), pick("exit", "notify", "all")}
	case 4:
		return []string{"unregister", name()}
	case 5:
		return []string{"kill_name", name()}
	case 6, 7:
		return []string{"lock", lockNames()[r.IntN(3)], pick("1", "4"), fmt.Sprint(r.IntN(2000))}
	case 8, 9:
		return []string{"join", scope, group}
	case 10:
		return []string{"leave", scope, group}
	}
	return []string{"die", scope, group}
}

func lockNames() []string { return []string{"l0", "l1", "l2"} }

// live does what was planned. Afterwards all nodes are there, all cables are
// plugged in, and nobody is left with a question.
func (c *city) live(steps []step) {
	for _, s := range steps {
		time.Sleep(s.pause)
		c.do(s)
	}
	for _, s := range c.seats {
		if s.now == nil {
			c.logf("start %s", s.name)
			c.start(s)
		}
	}
	c.under.Wait()
}

func (c *city) do(s step) {
	at := c.seats[s.seat]
	switch s.what {
	case "ask":
		if (s.words[0] == "join" || s.words[0] == "leave" || s.words[0] == "die") && !slices.Contains(at.scopes, s.words[1]) {
			return
		}
		c.ask(at, s.words)
	case "kill", "leave":
		if at.now == nil {
			return
		}
		c.logf("%s %s", s.what, at.name)
		at.now.over.Store(true)
		if s.what == "kill" {
			at.now.node.kill()
		} else {
			at.now.node.leave()
		}
		at.now = nil
	case "start":
		if at.now == nil {
			c.logf("start %s", at.name)
			c.start(at)
		}
	case "cut":
		c.cut(s.side)
	case "heal":
		c.logf("heal")
		if c.network != nil {
			for _, seat := range c.seats {
				c.network.move(seat.number, "wire")
			}
		}
	}
}

// ask has a node do something, and does not wait for it.
func (c *city) ask(at *seat, words []string) {
	now := at.now
	if now == nil {
		return
	}
	what := at.name + ": " + strings.Join(words, " ")
	c.logf("%s", what)
	c.under.Go(func() {
		began := time.Now()
		value, err := now.ask(c.t.Context(), operationLimit, words...)
		took := time.Since(began)
		if errors.Is(err, errOver) {
			return
		}
		c.logf("%s = %s %v after %v", what, value, err, took)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.operations++
		c.longest = max(c.longest, took)
		if err != nil {
			c.problems = append(c.problems, err)
		}
	})
}

// cut makes two groups of nodes that cannot reach each other.
func (c *city) cut(aside []int) {
	var names []string
	for _, i := range aside {
		names = append(names, c.seats[i].name)
	}
	c.logf("cut off %s", strings.Join(names, " "))
	if c.network != nil {
		for _, i := range aside {
			c.network.move(c.seats[i].number, "aside")
		}
		return
	}
	for _, i := range aside {
		for _, other := range c.seats {
			if now := c.seats[i].now; now != nil && !slices.Contains(names, other.name) {
				_, _ = now.ask(context.Background(), limit, "disconnect", other.name) // it may not be connected
			}
		}
	}
}
