package interop

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/internal/beam"
	"github.com/truss-beam/truss/internal/puppet"
)

// TestSignals runs the scripts of the root package's testdata/signals, twice for
// each release: with three BEAMs, which shows that the traces there are Erlang's,
// and with Truss as the node a.
func TestSignals(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		for _, c := range []struct {
			name string
			inGo bool
		}{{"beams", false}, {"truss", true}} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				runScripts(t, newRealCluster(t, release, c.inGo))
			})
		}
	})
}

func runScripts(t *testing.T, c *realCluster) {
	files, err := filepath.Glob("../testdata/signals/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		script, err := puppet.Parse(string(text))
		if err != nil {
			t.Fatal(err)
		}
		// Only the connections of the node in Go have a cable that can be pulled, and
		// init:stop() of a BEAM cuts its connections before its processes end.
		if c.gate == nil && (script.Uses("partition") || script.Ends("a")) {
			continue
		}
		if c.gate == nil && filepath.Base(file) == "old_pid_unlink.txt" {
			continue // where Truss is better: a BEAM sends what costs it the connection
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			c.reset(t)
			ctx, cancel := context.WithTimeout(t.Context(), 2*limit)
			defer cancel()
			got, err := script.Run(ctx, c)
			if err != nil || got != script.Expected {
				t.Errorf("%v, trace:\n%s\nwant:\n%s", err, got, script.Expected)
			}
		})
	}
}

// realCluster is a puppet.Cluster of BEAMs, of which the node a may be in Go. Its
// nodes go on from one script to the next: to start one takes half a second.
type realCluster struct {
	t       *testing.T // of the script
	whole   *testing.T // of all scripts
	release beam.Release
	epmd    int
	gate    *gatedNetwork // nil if the node a is a BEAM
	hosts   map[string]puppet.Host
	beams   map[string]*beam.Node
	node    *truss.Node
	apart   bool // the cable of a is pulled
	puppet.Settler
}

// realTickTime is what the scripts with partitions wait for, and how long a BEAM
// may not get to run on a machine under load.
const realTickTime = 8 * time.Second

func newRealCluster(t *testing.T, release beam.Release, withGo bool) *realCluster {
	c := &realCluster{
		t: t, whole: t, release: release, epmd: release.StartEPMD(t),
		hosts: make(map[string]puppet.Host), beams: make(map[string]*beam.Node),
	}
	if withGo {
		c.gate = newGatedNetwork()
	}
	c.Apart = func(a, b string) bool { return c.apart && strings.HasPrefix(a, "a@") != strings.HasPrefix(b, "a@") }
	return c
}

// reset ends all puppets, and all connections.
func (c *realCluster) reset(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	c.t = t
	if err := c.Heal(); err != nil {
		t.Fatal(err)
	}
	var hosts []puppet.Host
	for _, h := range c.hosts {
		hosts = append(hosts, h)
		nodes, err := h.Nodes(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, node := range nodes {
			_ = h.Disconnect(ctx, node) // which the other end may just have done
		}
	}
	if err := c.Settle(ctx, hosts); err != nil {
		t.Fatal(err)
	}
	for _, h := range hosts {
		if err := h.Clear(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *realCluster) Start(_ context.Context, name string) (puppet.Host, error) {
	if h := c.hosts[name]; h != nil {
		return h, nil
	}
	full := name + "@127.0.0.1"
	var host puppet.Host
	var err error
	if name == "a" && c.gate != nil {
		c.node = start(c.whole, truss.Config{
			Name: full, Epmd: fmt.Sprintf("127.0.0.1:%d", c.epmd), Network: c.gate, TickTime: realTickTime,
		})
		host, err = puppet.NewNode(c.node)
	} else {
		// Whom the script connects is connected, and nobody else.
		kernel := map[string]string{
			"connect_all": "false", "prevent_overlapping_partitions": "false",
			"net_ticktime": fmt.Sprint(int(realTickTime / time.Second)),
		}
		c.beams[name], err = c.release.TryStart(c.whole, beam.Options{Name: full, EPMD: c.epmd, Kernel: kernel})
		if err == nil {
			host = newBeamHost(c.t, c.beams[name])
		}
	}
	if err == nil {
		c.hosts[name] = host
	}
	return host, err
}

func (c *realCluster) Crash(name string) error {
	delete(c.hosts, name)
	if b := c.beams[name]; b != nil {
		b.Kill()
		return nil
	}
	return fmt.Errorf("%s is no BEAM", name)
}

func (c *realCluster) Close(name string) error {
	if name != "a" || c.node == nil {
		return fmt.Errorf("%s is not the node in Go", name)
	}
	delete(c.hosts, name)
	return c.node.Close()
}

func (c *realCluster) Partition(groups [][]string) error {
	if !slices.ContainsFunc(groups, func(g []string) bool { return slices.Equal(g, []string{"a"}) }) {
		return fmt.Errorf("can only cut off a, not %v", groups)
	}
	c.apart = true
	c.gate.pull()
	return nil
}

func (c *realCluster) Heal() error {
	if c.apart {
		c.gate.plug()
		c.apart = false
	}
	return nil
}

// Wait waits for the loss of the connections that are cut, if there are any: on
// real time nothing else in a script needs waiting for.
func (c *realCluster) Wait(time.Duration) error {
	for deadline := time.Now().Add(2 * limit); c.apart; time.Sleep(10 * time.Millisecond) {
		cut := false
		for _, h := range c.hosts {
			nodes, err := h.Nodes(c.t.Context())
			if err != nil {
				return err
			}
			cut = cut || slices.ContainsFunc(nodes, func(peer string) bool { return c.Apart(h.Name(), peer) })
		}
		if !cut {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("connections still up")
		}
	}
	return nil
}
