package cli

import (
	"context"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// module is what truss node exports as module truss, and for Elixir as Truss: a
// function for each way a process can live and end, to try things out with.
type module struct{ node *truss.Node }

// exportModule makes the functions of module callable.
func exportModule(node *truss.Node) error {
	for _, name := range []string{"truss", "Elixir.Truss"} {
		if err := node.Export(name, module{node}); err != nil {
			return err
		}
	}
	return nil
}

// Echo returns what it is given, without decoding it.
func (module) Echo(term truss.Message) truss.Message { return term }

// Add adds two integers.
func (module) Add(a, b int64) int64 { return a + b }

// Sleep returns after so many milliseconds, or when its process is ended.
func (module) Sleep(ctx context.Context, milliseconds uint32) error {
	select {
	case <-time.After(time.Duration(milliseconds) * time.Millisecond):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Crash is erlang:error/1, Throw throw/1 and Exit exit/1.
func (module) Crash(reason etf.Term) error {
	return &truss.Exception{Class: truss.ClassError, Reason: reason}
}

func (module) Throw(term etf.Term) error {
	return &truss.Exception{Class: truss.ClassThrow, Reason: term}
}

func (module) Exit(reason etf.Term) error { return &truss.ExitError{Reason: reason} }

// Nodes are the visible nodes connected, as erlang:nodes/0.
func (m module) Nodes() etf.List {
	nodes, _ := nodesOf(m.node, nil) // without arguments it has always an answer
	return nodes
}

// At tells where it was called, for calls that find their node themselves.
func (m module) At(term truss.Message) etf.Tuple {
	return etf.Tuple{etf.Atom(m.node.Name()), term}
}

// Loop sends Pid the T of each message {Pid, T}, until it gets stop.
func (module) Loop(ctx context.Context, p *truss.Process) error {
	for {
		message, err := p.Receive(ctx)
		if err != nil {
			return err
		}
		term, err := message.Term()
		if err != nil {
			continue // whoever sends what cannot be read does not end the loop
		}
		if term == etf.Term(etf.Atom("stop")) {
			return nil
		}
		if tuple, ok := term.(etf.Tuple); ok && len(tuple) == 2 {
			if pid, ok := tuple[0].(etf.Pid); ok {
				_ = p.Send(ctx, pid, tuple[1]) // whoever asked may be gone
			}
		}
	}
}
