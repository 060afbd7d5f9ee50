package launch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/bench/internal/table"
)

// Plan is how long to measure.
type Plan struct {
	Rounds int
	Quick  bool
	Run    time.Duration // what a run should take
	Log    func(format string, args ...any)
}

// Comparison makes all runs. It is used by one goroutine.
type Comparison struct {
	systems *Systems
	plan    Plan
	epmd    int
	servers map[string]*Server
	several map[string][]*Server // of the point that is being measured
	drivers int
}

// NewComparison prepares runs with the epmd at that port of 127.0.0.1.
func NewComparison(systems *Systems, plan Plan, epmd int) *Comparison {
	return &Comparison{systems: systems, plan: plan, epmd: epmd, servers: make(map[string]*Server), several: make(map[string][]*Server)}
}

// Close ends all servers.
func (c *Comparison) Close() {
	for name := range c.servers {
		c.stop(name)
	}
	c.stopSeveral()
}

// Run measures the points one after the other. At each, the contenders take
// turns, A B C A B C, so that what disturbs the machine for a while disturbs all.
func (c *Comparison) Run(points []table.Point) []table.Sample {
	var samples []table.Sample
	for i, p := range points {
		start := time.Now()
		counts, failed := c.calibrate(p)
		samples = append(samples, failed...)
		rounds := c.plan.Rounds
		if p.Slow || p.Once && c.plan.Quick {
			rounds = 1
		}
		for round := range rounds {
			for _, who := range p.Contenders {
				if counts[who] == 0 {
					continue
				}
				s := c.sample(p, who, round, counts[who])
				if s.Error != "" {
					counts[who] = 0 // it has failed: no need to wait for that again
				}
				samples = append(samples, s)
			}
		}
		c.stopSeveral()
		c.plan.Log("%2d/%d %s (%.1f s)", i+1, len(points), p.Name, time.Since(start).Seconds())
	}
	return samples
}

// calibrate finds out how much work takes each contender the time a run should
// take, by a short run that is thrown away. Those that fail at it are returned
// with their error instead.
func (c *Comparison) calibrate(p table.Point) (map[table.Contender]int, []table.Sample) {
	counts := make(map[table.Contender]int)
	var failed []table.Sample
	for _, who := range p.Contenders {
		counts[who] = p.Job.Count
		if p.Fixed {
			continue
		}
		target := c.plan.Run.Seconds() * max(p.Long, 1)
		// Twice: the first run is so short that starting up dominates it.
		for range 2 {
			s := c.sample(p, who, -1, counts[who])
			if s.Error != "" {
				counts[who] = 0
				failed = append(failed, s)
				break
			}
			counts[who] = scaled(p.Job, s, target)
		}
	}
	return counts, failed
}

// scaled is the count for a run of the target's length, at least the number of
// senders and at most a hundred times the count to start from.
func scaled(j contender.Job, s table.Sample, target float64) int {
	count := int(float64(s.Count) * target / max(s.Figures["seconds"], 1e-6))
	return max(1, j.Senders, min(count, 100*j.Count))
}

func (c *Comparison) sample(p table.Point, who table.Contender, round, count int) table.Sample {
	s := table.Sample{Point: p.Name, Contender: who.String(), Round: round, Count: count}
	figures, err := c.figures(p, who, count)
	if err != nil {
		s.Error = err.Error()
		if who.Server != "" {
			c.stop(who.Server) // it may be what is broken
		}
		return s
	}
	s.Figures = figures
	return s
}

func (c *Comparison) figures(p table.Point, who table.Contender, count int) (contender.Figures, error) {
	if who.Driver == table.Beams {
		return c.beams()
	}
	job := p.Job
	job.Role, job.Count, job.EPMD = "drive", count, c.epmd
	job.Senders = max(job.Senders, 1)
	job.Warmup = max(job.Senders, count/5)
	c.drivers++
	job.Name = fmt.Sprintf("driver%d@127.0.0.1", c.drivers)
	if p.Servers > 0 {
		servers, err := c.severalServers(who.Server, p.Servers)
		if err != nil {
			return nil, err
		}
		var all []string
		for _, s := range servers {
			all = append(all, s.Where)
		}
		job.Peer = strings.Join(all, ",")
	} else if who.Server != "" {
		server, err := c.server(who.Server)
		if err != nil {
			return nil, err
		}
		job.Peer, job.PID, job.Port = server.Where, server.PID, server.port
	}
	return Drive(c.systems.Command(who.Driver, job), limit(job))
}

// beams takes the newest release.
func (c *Comparison) beams() (contender.Figures, error) {
	var newest string
	for name := range c.systems.otps {
		newest = max(newest, name)
	}
	release, ok := c.systems.Release(newest)
	if !ok {
		return nil, fmt.Errorf("no OTP is installed")
	}
	return BeamMesh(release, 50, c.epmd)
}

// server starts a system's server if it does not run.
func (c *Comparison) server(name string) (*Server, error) {
	if s := c.servers[name]; s != nil {
		return s, nil
	}
	job, err := c.serverJob()
	if err != nil {
		return nil, err
	}
	s, err := Serve(c.systems.Command(name, job))
	if err != nil {
		return nil, err
	}
	s.port = job.Port
	c.servers[name] = s
	return s, nil
}

func (c *Comparison) serverJob() (contender.Job, error) {
	port, err := FreePort()
	c.drivers++ // a name that was used lately may still be taken
	return contender.Job{Role: "serve", Name: fmt.Sprintf("server%d@127.0.0.1", c.drivers), EPMD: c.epmd, Port: port}, err
}

// severalServers starts n servers of a system, at the same time, if they do not
// run.
func (c *Comparison) severalServers(name string, n int) ([]*Server, error) {
	if s := c.several[name]; s != nil {
		return s, nil
	}
	servers, errs := make([]*Server, n), make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		job, err := c.serverJob()
		if err != nil {
			return nil, err
		}
		cmd := c.systems.Command(name, job)
		all.Go(func() { servers[i], errs[i] = Serve(cmd) })
	}
	all.Wait()
	c.several[name] = slices.DeleteFunc(servers, func(s *Server) bool { return s == nil })
	return c.several[name], errors.Join(errs...)
}

// stopSeveral ends them at once: twenty orderly ends of BEAMs take their time.
func (c *Comparison) stopSeveral() {
	for _, servers := range c.several {
		for _, s := range servers {
			killGroup(s.cmd)
			s.Stop()
		}
	}
	clear(c.several)
}

func (c *Comparison) stop(name string) {
	if s := c.servers[name]; s != nil {
		s.Stop()
		delete(c.servers, name)
	}
}
