package truss_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/internal/puppet"
	"github.com/truss-beam/truss/trusstest"
)

var update = flag.Bool("update", false, "write the traces of testdata/signals anew; commit only what you understand")

// TestSignals runs each script of testdata/signals on three Truss nodes, on fake
// time. Package interop runs the same scripts with BEAMs among the nodes, and
// there must be no difference.
func TestSignals(t *testing.T) {
	files, err := filepath.Glob("testdata/signals/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			script, err := puppet.Parse(string(text))
			if err != nil {
				t.Fatal(err)
			}
			var got string
			inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
				if got, err = script.Run(ctx, &signalsCluster{Cluster: c, nodes: make(map[string]*truss.Node)}); err != nil {
					t.Error(err)
				}
			})
			switch {
			case t.Failed():
				t.Logf("so far:\n%s", got)
			case *update:
				if err := os.WriteFile(file, []byte(script.With(got)), 0o644); err != nil {
					t.Fatal(err)
				}
			case got != script.Expected:
				t.Errorf("trace:\n%s\nwant:\n%s", got, script.Expected)
			}
		})
	}
}

// signalsCluster is a puppet.Cluster on the simulated network.
type signalsCluster struct {
	*trusstest.Cluster
	nodes map[string]*truss.Node
}

func (c *signalsCluster) Start(_ context.Context, name string) (puppet.Host, error) {
	node, err := c.TryStart(name)
	if err != nil {
		return nil, err
	}
	c.nodes[name] = node
	return puppet.NewNode(node)
}

func (c *signalsCluster) Crash(name string) error {
	c.Cluster.Crash(name)
	return nil
}

func (c *signalsCluster) Close(name string) error { return c.nodes[name].Close() }

func (c *signalsCluster) Partition(groups [][]string) error {
	if len(groups) != 2 {
		return errors.New("want two groups")
	}
	c.Cluster.Partition(groups[0]...)
	return nil
}

func (c *signalsCluster) Heal() error {
	c.Cluster.Heal()
	return nil
}

func (c *signalsCluster) Wait(d time.Duration) error {
	time.Sleep(d)
	return nil
}

// Settle has nothing to do but wait: on fake time it is known when nothing goes on.
func (c *signalsCluster) Settle(context.Context, []puppet.Host) error {
	synctest.Wait()
	return nil
}
