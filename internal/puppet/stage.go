package puppet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/truss-beam/truss/etf"
)

// Cluster is the nodes of a script and the network between them.
type Cluster interface {
	// Start starts a node, also one that crashed or was closed.
	Start(ctx context.Context, name string) (Host, error)
	Crash(name string) error
	Close(name string) error
	Partition(groups [][]string) error
	Heal() error
	Wait(d time.Duration) error
	// Settle returns when nothing is under way any more between and in these hosts.
	Settle(ctx context.Context, hosts []Host) error
}

// Stage is a cluster and the puppets on it.
type Stage struct {
	cluster Cluster
	hosts   map[string]Host   // that run
	full    map[string]string // names of nodes, also of those that have ended
	on      map[string]string // puppet to node
	pids    map[string]etf.Pid
	names   Names
	trace   strings.Builder
	rounds  int
}

// Run runs the script on a cluster and returns the trace.
func (s *Script) Run(ctx context.Context, cluster Cluster) (string, error) {
	stage := &Stage{
		cluster: cluster, hosts: make(map[string]Host), full: make(map[string]string), on: make(map[string]string),
		pids: make(map[string]etf.Pid), names: make(Names),
	}
	for _, c := range s.commands {
		if err := stage.run(ctx, c); err != nil {
			return stage.trace.String(), fmt.Errorf("line %d: %w", c.line, err)
		}
	}
	return stage.trace.String(), nil
}

func (s *Stage) run(ctx context.Context, c command) error {
	switch c.verb {
	case "":
		return s.act(ctx, c.bursts)
	case "nodes":
		return s.start(ctx, c.args)
	case "spawn":
		return s.spawn(ctx, c.args[:len(c.args)-2], c.args[len(c.args)-1])
	case "settle":
		return s.settle(ctx)
	case "connect", "disconnect":
		return s.connect(ctx, c.verb == "connect", c.args[0], c.args[1])
	case "partition":
		return s.cluster.Partition(c.groups())
	case "heal":
		return s.cluster.Heal()
	case "wait":
		d, err := time.ParseDuration(c.args[0])
		return errors.Join(err, s.cluster.Wait(d))
	case "restart":
		return s.launch(ctx, c.args[0])
	case "crash":
		delete(s.hosts, c.args[0])
		return s.cluster.Crash(c.args[0])
	case "close":
		delete(s.hosts, c.args[0])
		return s.cluster.Close(c.args[0])
	}
	return fmt.Errorf("%s is no command", c.verb)
}

func (s *Stage) launch(ctx context.Context, name string) error {
	h, err := s.cluster.Start(ctx, name)
	if err != nil {
		return err
	}
	s.hosts[name], s.full[name] = h, h.Name()
	return nil
}

func (s *Stage) start(ctx context.Context, names []string) error {
	for i, name := range names {
		if err := s.launch(ctx, name); err != nil {
			return err
		}
		for _, other := range names[:i] {
			if err := s.hosts[other].Connect(ctx, s.hosts[name].Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Stage) spawn(ctx context.Context, ids []string, node string) error {
	host := s.hosts[node]
	if host == nil {
		return fmt.Errorf("no node %s", node)
	}
	pids, err := host.Spawn(ctx, ids)
	for id, pid := range pids {
		s.on[id], s.pids[id], s.names[pid] = node, pid, id
	}
	return err
}

// act has puppets act, those of different nodes at once.
func (s *Stage) act(ctx context.Context, bursts []Burst) error {
	byHost := make(map[Host][]Burst)
	targets := make(map[string]etf.Term)
	for _, b := range bursts {
		host := s.hosts[s.on[b.Puppet]]
		if host == nil {
			return fmt.Errorf("puppet %s is on no node", b.Puppet)
		}
		byHost[host] = append(byHost[host], b)
		for _, o := range b.Ops {
			if err := s.target(targets, o.To); err != nil {
				return err
			}
		}
	}
	var hosts []Host
	for host := range byHost {
		hosts = append(hosts, host)
	}
	return AtOnce(hosts, func(h Host) error { return h.Do(ctx, byHost[h], targets) })
}

func (s *Stage) target(targets map[string]etf.Term, to string) error {
	name, node, isName := strings.Cut(to, "@")
	switch {
	case to == "":
	case isName && s.full[node] != "":
		targets[to] = etf.Tuple{etf.Atom(name), etf.Atom(s.full[node])}
	case !isName && s.pids[to] != etf.Pid{}:
		targets[to] = s.pids[to]
	default:
		return fmt.Errorf("no puppet %s", to)
	}
	return nil
}

// AtOnce calls f for all hosts at once.
func AtOnce(hosts []Host, f func(Host) error) error {
	errs := make([]error, len(hosts))
	var all sync.WaitGroup
	for i, h := range hosts {
		all.Go(func() { errs[i] = f(h) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func (s *Stage) connect(ctx context.Context, up bool, a, b string) error {
	if s.hosts[a] == nil || s.hosts[b] == nil {
		return fmt.Errorf("no node %s or %s", a, b)
	}
	if up {
		return s.hosts[a].Connect(ctx, s.hosts[b].Name())
	}
	return s.hosts[a].Disconnect(ctx, s.hosts[b].Name())
}

// settle adds a round to the trace.
func (s *Stage) settle(ctx context.Context) error {
	var hosts []Host
	for _, name := range sortedKeys(s.hosts) {
		hosts = append(hosts, s.hosts[name])
	}
	if err := s.cluster.Settle(ctx, hosts); err != nil {
		return err
	}
	var events []Event
	for _, h := range hosts {
		some, err := h.Take(ctx)
		if err != nil {
			return err
		}
		events = append(events, some...)
	}
	s.rounds++
	fmt.Fprintf(&s.trace, "round %d\n", s.rounds)
	for _, line := range Canonical(events, s.names) {
		fmt.Fprintf(&s.trace, "  %s\n", line)
	}
	return nil
}
