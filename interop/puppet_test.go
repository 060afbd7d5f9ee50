package interop

import (
	"context"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
	"github.com/truss-beam/truss/internal/puppet"
)

//go:embed testdata/puppet.erl
var puppetModule string

// beamHost is the puppet.Host of a BEAM.
type beamHost struct{ node *beam.Node }

func newBeamHost(t *testing.T, node *beam.Node) *beamHost {
	t.Helper()
	node.Load(t, puppetModule)
	node.MustEval(t, "puppet:start()")
	return &beamHost{node: node}
}

func (h *beamHost) Name() string { return h.node.Name }

func pack(v any) (string, error) {
	b, err := etf.Marshal(v)
	return `"` + base64.StdEncoding.EncodeToString(b) + `"`, err
}

func unpack(text string) (etf.List, error) {
	b, err := base64.StdEncoding.DecodeString(strings.Trim(text, `"`))
	if err != nil {
		return nil, fmt.Errorf("%q: %w", text, err)
	}
	term, err := etf.Decode(b)
	list, _ := term.(etf.List)
	return list, err
}

func (h *beamHost) call(ctx context.Context, function string, argument any) (string, error) {
	text, err := pack(argument)
	if err != nil {
		return "", err
	}
	return h.node.Eval(ctx, "puppet:"+function+"("+text+")")
}

func (h *beamHost) Spawn(ctx context.Context, ids []string) (map[string]etf.Pid, error) {
	var binaries etf.List
	for _, id := range ids {
		binaries = append(binaries, []byte(id))
	}
	text, err := h.call(ctx, "spawn", binaries)
	if err != nil {
		return nil, err
	}
	list, err := unpack(text)
	pids := make(map[string]etf.Pid)
	for _, term := range list {
		pair := term.(etf.Tuple)
		pids[string(pair[0].([]byte))] = pair[1].(etf.Pid)
	}
	return pids, err
}

func (h *beamHost) Do(ctx context.Context, bursts []puppet.Burst, targets map[string]etf.Term) error {
	var work etf.List
	for _, b := range bursts {
		var ops etf.List
		for _, o := range b.Ops {
			var to etf.Term = etf.Atom("none")
			if o.To != "" {
				to = targets[o.To]
			}
			term := o.Term
			if term == nil {
				term = etf.Atom("none")
			}
			ops = append(ops, etf.Tuple{etf.Atom(o.Verb), to, []byte(o.Label), term})
		}
		work = append(work, etf.Tuple{[]byte(b.Puppet), ops})
	}
	_, err := h.call(ctx, "do", work)
	return err
}

func (h *beamHost) Flush(ctx context.Context, number int, peers []string) (int, error) {
	text, err := h.node.Eval(ctx, fmt.Sprintf("puppet:flush(%d, %s)", number, atoms(peers...)))
	if err != nil {
		return 0, err
	}
	var count int
	_, err = fmt.Sscan(text, &count)
	return count, err
}

func (h *beamHost) Clear(ctx context.Context) error {
	_, err := h.node.Eval(ctx, "puppet:clear()")
	return err
}

func (h *beamHost) Take(ctx context.Context) ([]puppet.Event, error) {
	text, err := h.node.Eval(ctx, "puppet:take()")
	if err != nil {
		return nil, err
	}
	list, err := unpack(text)
	var events []puppet.Event
	for _, term := range list {
		pair := term.(etf.Tuple)
		what := pair[1].(etf.Tuple)
		e := puppet.Event{Puppet: string(pair[0].([]byte)), Kind: puppet.Kind(what[0].(etf.Atom)), Term: what[len(what)-1]}
		if e.Kind != puppet.Ended {
			e.From = what[1]
		}
		if from, ok := e.From.([]byte); ok {
			e.From = string(from)
		}
		if e.Kind == puppet.GotDown {
			e.Label = string(what[2].([]byte))
		}
		events = append(events, e)
	}
	return events, err
}

func (h *beamHost) Nodes(ctx context.Context) ([]string, error) {
	text, err := h.node.Eval(ctx, "lists:sort(nodes())")
	if err != nil || text == "[]" {
		return nil, err
	}
	var names []string
	for name := range strings.SplitSeq(strings.Trim(text, "[]"), ",") {
		names = append(names, strings.Trim(name, "'"))
	}
	return names, nil
}

func (h *beamHost) Connect(ctx context.Context, node string) error {
	return h.expect(ctx, "net_kernel:connect_node('"+node+"')")
}

func (h *beamHost) Disconnect(ctx context.Context, node string) error {
	return h.expect(ctx, "erlang:disconnect_node('"+node+"')")
}

func (h *beamHost) expect(ctx context.Context, expr string) error {
	text, err := h.node.Eval(ctx, expr)
	if err == nil && text != "true" {
		err = fmt.Errorf("%s: %s gives %s", h.node.Name, expr, text)
	}
	return err
}
