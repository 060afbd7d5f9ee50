package cli

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// spreadLimit is how long one of many nodes may take to be connected to: it may be
// gone, and should not cost the others the whole --timeout.
const spreadLimit = 3 * time.Second

// cluster returns the node visited and the visible ones it is connected to, sorted.
func (v *visit) cluster(ctx context.Context) ([]string, error) {
	nodes, err := v.askNodes(ctx, "visible")
	if err != nil {
		return nil, err
	}
	nodes = append(nodes, v.peer)
	slices.Sort(nodes)
	return slices.Compact(nodes), nil
}

// reach connects to another node of the cluster, by its epmd.
func (v *visit) reach(ctx context.Context, node string) error {
	if node == v.peer || slices.Contains(v.node.HiddenNodes(), node) {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, spreadLimit, errTimeout)
	defer cancel()
	addr, err := v.epmd.locate(ctx, node)
	if err != nil {
		return err
	}
	_, err = connectFailed(v.node.ConnectAddr(ctx, node, addr), addr, "epmd")
	return err
}

// spread does something with several nodes, with all at the same time.
func spread[T any](nodes []string, do func(node string) (T, error)) (results []T, errs []error) {
	results, errs = make([]T, len(nodes)), make([]error, len(nodes))
	var doing sync.WaitGroup
	for i, node := range nodes {
		doing.Go(func() { results[i], errs[i] = do(node) })
	}
	doing.Wait()
	return results, errs
}

// inProcess does something as a process of the visitor.
func (v *visit) inProcess(do func(*truss.Process) error) error {
	done := make(chan error, 1)
	if _, err := v.node.Spawn(func(_ context.Context, p *truss.Process) error {
		done <- do(p)
		return nil
	}); err != nil {
		return err
	}
	return <-done
}

// present does something with a registered name of a node, and tells whether the
// name was there, and the node had received it all. Signals are in order: when the
// call is answered, the monitor's noproc has arrived if there is no such process.
func (v *visit) present(ctx context.Context, node, name string, do func() error) (there bool, err error) {
	err = v.inProcess(func(p *truss.Process) error {
		ref, err := p.Monitor(ctx, truss.Name{Name: name, Node: node})
		if err == nil {
			err = do()
		}
		if err == nil {
			err = v.isAuth(ctx, p, node)
		}
		if err != nil {
			return callCause(err)
		}
		down, ended := v.downOf(p, ref)
		if ended && down.Reason != etf.Term(etf.Atom("noproc")) {
			return errors.New("the process ended meanwhile, with reason " + etf.Format(down.Reason))
		}
		there = !ended
		return nil
	})
	return there, err
}
